/* SPDX-License-Identifier: MIT */
/*
 * Takes questions, answers from here, from the cache, or when the relay comes
 * back. A client over TCP (RFC 7766) has one question at a time and ten
 * seconds for each; who is too slow is closed, who comes when all places are
 * taken closes the one that is idle longest.
 */
#define _GNU_SOURCE 1 /* accept4 */

#include "dns_service.h"

#include "apps/httpd/clock.h"
#include "apps/httpd/loop.h"
#include "dns_cache.h"
#include "dns_relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STREAMS_MAX = 32,
    STREAM_IDLE_MS = 10000,
    QUERY_BYTES = 1024, /* the longest query taken */
    HEAD_BYTES = DNS_HEAD_SIZE + DNS_WIRE_NAME_MAX + 4,
    EDNS_BYTES = 11,
    PREFIX = 2,
    QUERIES_PER_TURN = 32,
    SERVERS_MAX = 4,
    BACKLOG = 32,
};

/* A client's question, kept until it is answered. */
struct client {
    struct dns_waiter waiter; /* first: found again from it */
    struct sockaddr_in address;
    unsigned stream; /* index + 1; 0: over UDP */
    uint32_t serial; /* of the stream: another may have its place by then */
    struct dns_query query;
    uint8_t head[HEAD_BYTES]; /* of its message, for the answer */
};

struct stream {
    struct watch watch; /* first */
    bool is_open;
    bool is_waiting; /* its question is being asked */
    uint32_t serial;
    uint64_t deadline_ms;
    size_t received;
    size_t to_send, sent;
    uint8_t *answer; /* to_send bytes, or NULL */
    uint8_t query[PREFIX + QUERY_BYTES];
};

struct dns_service_counters dns_service_counters;

static const struct dns_place *place;
static struct watch datagrams, listener;
static struct stream *streams;
static uint32_t next_serial;
static struct config_server uplink[SERVERS_MAX];
static size_t uplink_count;
static uint8_t query_bytes[QUERY_BYTES];
static uint8_t reply_bytes[PREFIX + DNS_MESSAGE_SIZE];

static uint64_t now_s(void)
{
    return clock_ms() / 1000;
}

void dns_service_set_uplink(const struct config_server *servers, size_t count)
{
    uplink_count = count < SERVERS_MAX ? count : SERVERS_MAX;
    memcpy(uplink, servers, uplink_count * sizeof(uplink[0]));
}

/* ---- streams ------------------------------------------------------------- */

static void close_stream(struct stream *stream)
{
    loop_unwatch(&stream->watch);
    close(stream->watch.descriptor);
    free(stream->answer);
    stream->answer = NULL;
    stream->is_open = false;
}

static void push_stream(struct stream *stream)
{
    while (stream->sent < stream->to_send) {
        ssize_t length =
            send(stream->watch.descriptor, stream->answer + stream->sent,
                 stream->to_send - stream->sent, MSG_NOSIGNAL);

        if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
            loop_change(&stream->watch, LOOP_WRITE);
            return;
        }
        if (length < 0) {
            close_stream(stream);
            return;
        }
        stream->sent += (size_t)length;
    }
    free(stream->answer);
    stream->answer = NULL;
    stream->to_send = stream->sent = 0;
    stream->is_waiting = false;
    stream->deadline_ms = clock_ms() + STREAM_IDLE_MS;
    loop_change(&stream->watch, LOOP_READ);
}

static void send_on_stream(const struct client *client, size_t length)
{
    struct stream *stream = &streams[client->stream - 1];

    if (!stream->is_open || stream->serial != client->serial)
        return;
    stream->answer = malloc(PREFIX + length);
    if (stream->answer == NULL) {
        close_stream(stream);
        return;
    }
    reply_bytes[0] = (uint8_t)(length >> 8);
    reply_bytes[1] = (uint8_t)length;
    memcpy(stream->answer, reply_bytes, PREFIX + length);
    stream->to_send = PREFIX + length;
    stream->sent = 0;
    push_stream(stream);
}

/* ---- answers ------------------------------------------------------------- */

/* What stands in reply_bytes, PREFIX from its start. */
static void send_reply(const struct client *client, size_t length)
{
    uint8_t *reply = reply_bytes + PREFIX;

    if (client->query.has_edns && length <= DNS_MESSAGE_SIZE - EDNS_BYTES)
        length = dns_reply_edns(reply, length, client->query.edns);
    if (client->stream != 0) {
        send_on_stream(client, length);
        return;
    }
    if (length > client->query.size || length > DNS_EDNS_SIZE) {
        length =
            dns_reply_empty(reply, client->head, &client->query, DNS_NO_ERROR);
        reply[2] |= 2; /* TC */
        if (client->query.has_edns)
            length = dns_reply_edns(reply, length, client->query.edns);
        dns_service_counters.truncated++;
    }
    (void)sendto(datagrams.descriptor, reply, length, MSG_DONTWAIT,
                 (const struct sockaddr *)&client->address,
                 sizeof(client->address));
}

static void send_code(const struct client *client, enum dns_code code)
{
    send_reply(client, dns_reply_empty(reply_bytes + PREFIX, client->head,
                                       &client->query, code));
}

/* A message for somebody else, made this client's: its number, its spelling
 * of the name, its flags. */
static void send_copy(const struct client *client, const uint8_t *message,
                      size_t length)
{
    uint8_t *reply = reply_bytes + PREFIX;

    memcpy(reply, message, length);
    memcpy(reply, client->head, 2);
    reply[2] = (uint8_t)((reply[2] & ~1U) | (client->head[2] & 1U));
    reply[3] |= 0x80; /* RA */
    memcpy(reply + DNS_HEAD_SIZE, client->head + DNS_HEAD_SIZE,
           client->query.question_end - DNS_HEAD_SIZE);
    send_reply(client, length);
}

static void relay_done(const struct dns_question *question,
                       struct dns_waiter *waiters, const uint8_t *message,
                       const struct dns_answer *answer)
{
    if (message != NULL && answer->may_be_kept)
        dns_cache_add(question, message, answer->length, answer->ttl_s,
                      now_s());
    while (waiters != NULL) {
        struct client *client = (struct client *)waiters;

        waiters = waiters->next;
        if (message != NULL) {
            send_copy(client, message, answer->length);
        } else {
            dns_service_counters.failed++;
            send_code(client, DNS_SERVER_FAILURE);
        }
        free(client);
    }
}

/* ---- questions ----------------------------------------------------------- */

static void forward(const struct client *client)
{
    struct config_server servers[SERVERS_MAX];
    const struct dns_question *question = &client->query.question;
    size_t count =
        dns_local_servers(place->config, question, servers, SERVERS_MAX);
    struct client *kept = malloc(sizeof(*kept));

    if (count == 0 && !place->config->ignores_uplink) {
        count = uplink_count;
        memcpy(servers, uplink, sizeof(uplink));
    }
    if (kept == NULL) {
        send_code(client, DNS_SERVER_FAILURE);
        return;
    }
    *kept = *client;
    dns_service_counters.forwarded++;
    if (!dns_relay_ask(question, servers, count, &kept->waiter)) {
        dns_service_counters.failed++;
        free(kept);
        send_code(client, DNS_SERVER_FAILURE);
    }
}

/* False: nothing will come back. */
static bool handle_query(struct client *client, const uint8_t *bytes,
                         size_t length)
{
    enum dns_code code;
    enum dns_reading reading =
        dns_query_parse(bytes, length, &client->query, &code);
    const uint8_t *kept;
    size_t reply_length;

    dns_service_counters.queries++;
    if (reading == DNS_QUERY_DROP) {
        dns_service_counters.malformed++;
        return false;
    }
    memcpy(client->head, bytes, client->query.question_end);
    if (reading == DNS_QUERY_ERROR) {
        dns_service_counters.malformed++;
        send_code(client, code);
        return true;
    }
    reply_length = dns_local_answer(place, bytes, &client->query, now_s(),
                                    reply_bytes + PREFIX);
    if (reply_length != 0) {
        dns_service_counters.local++;
        send_reply(client, reply_length);
        return true;
    }
    kept = dns_cache_find(&client->query.question, now_s(), &reply_length);
    if (kept != NULL) {
        dns_service_counters.cached++;
        send_copy(client, kept, reply_length);
    } else {
        forward(client);
    }
    return true;
}

static void datagrams_ready(struct watch *watch)
{
    for (unsigned i = 0; i < QUERIES_PER_TURN; i++) {
        struct client client = {.stream = 0};
        socklen_t size = sizeof(client.address);
        ssize_t length =
            recvfrom(watch->descriptor, query_bytes, sizeof(query_bytes),
                     MSG_DONTWAIT, (struct sockaddr *)&client.address, &size);

        if (length < 0)
            return;
        /* RFC 5452: an answer to port 0, or 53, is one that we would get
         * back, or somebody's loop. */
        if (ntohs(client.address.sin_port) == 0) {
            dns_service_counters.dropped++;
            continue;
        }
        (void)handle_query(&client, query_bytes, (size_t)length);
    }
}

static size_t stream_expects(const struct stream *stream)
{
    if (stream->received < PREFIX)
        return PREFIX;
    return PREFIX + ((size_t)stream->query[0] << 8 | stream->query[1]);
}

static void handle_stream_query(struct stream *stream)
{
    struct client client = {.stream = (unsigned)(stream - streams) + 1,
                            .serial = stream->serial};
    size_t length = stream->received - PREFIX;

    stream->received = 0;
    stream->is_waiting = true;
    loop_change(&stream->watch, 0);
    if (!handle_query(&client, stream->query + PREFIX, length))
        close_stream(stream);
}

static void stream_ready(struct watch *watch)
{
    struct stream *stream = (struct stream *)watch;

    if (stream->to_send != 0) {
        push_stream(stream);
        return;
    }
    while (!stream->is_waiting) {
        size_t want = stream_expects(stream);
        ssize_t length;

        if (want > sizeof(stream->query)) {
            close_stream(stream);
            return;
        }
        want -= stream->received;
        if (want == 0) {
            handle_stream_query(stream);
            return;
        }
        length = recv(watch->descriptor, stream->query + stream->received, want,
                      MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (length <= 0) {
            close_stream(stream);
            return;
        }
        stream->received += (size_t)length;
    }
    /* Only an error or the end of the stream calls while it waits. */
    close_stream(stream);
}

static struct stream *find_place(void)
{
    struct stream *idle = NULL;

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        struct stream *stream = &streams[i];

        if (!stream->is_open)
            return stream;
        if (!stream->is_waiting &&
            (idle == NULL || stream->deadline_ms < idle->deadline_ms))
            idle = stream;
    }
    if (idle != NULL)
        close_stream(idle);
    return idle;
}

static void listener_ready(struct watch *watch)
{
    int descriptor = accept4(watch->descriptor, NULL, NULL, SOCK_NONBLOCK);
    struct stream *stream;

    if (descriptor < 0)
        return;
    stream = find_place();
    if (stream == NULL) {
        dns_service_counters.streams_refused++;
        close(descriptor);
        return;
    }
    dns_service_counters.streams++;
    stream->watch =
        (struct watch){.descriptor = descriptor, .ready = stream_ready};
    stream->is_waiting = false;
    stream->received = stream->to_send = stream->sent = 0;
    stream->serial = ++next_serial;
    stream->deadline_ms = clock_ms() + STREAM_IDLE_MS;
    if (!loop_watch(&stream->watch, LOOP_READ)) {
        close(descriptor);
        return;
    }
    stream->is_open = true;
}

/* ---- start --------------------------------------------------------------- */

static bool open_service(struct watch *watch, int type, unsigned port,
                         void (*ready)(struct watch *watch))
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(place->own_address)}};
    int on = 1;
    int descriptor = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return false;
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    watch->descriptor = descriptor;
    watch->ready = ready;
    if (bind(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0 &&
        (type == SOCK_DGRAM || listen(descriptor, BACKLOG) == 0) &&
        loop_watch(watch, LOOP_READ))
        return true;
    close(descriptor);
    return false;
}

bool dns_service_start(const struct dns_place *where, unsigned port)
{
    place = where;
    streams = calloc(STREAMS_MAX, sizeof(*streams));
    if (streams == NULL || !dns_cache_start(where->config->cache_size)) {
        errno = ENOMEM;
        return false;
    }
    dns_relay_start(relay_done);
    return open_service(&datagrams, SOCK_DGRAM, port, datagrams_ready) &&
           open_service(&listener, SOCK_STREAM, port, listener_ready);
}

int dns_service_timeout_ms(void)
{
    int timeout_ms = dns_relay_timeout_ms();
    uint64_t now_ms = clock_ms();

    for (size_t i = 0; i < STREAMS_MAX; i++) {
        uint64_t deadline_ms = streams[i].deadline_ms;
        int left_ms;

        if (!streams[i].is_open)
            continue;
        left_ms = deadline_ms > now_ms ? (int)(deadline_ms - now_ms) : 0;
        if (timeout_ms < 0 || left_ms < timeout_ms)
            timeout_ms = left_ms;
    }
    return timeout_ms;
}

void dns_service_expire(void)
{
    uint64_t now_ms = clock_ms();

    dns_relay_expire();
    for (size_t i = 0; i < STREAMS_MAX; i++) {
        if (streams[i].is_open && now_ms >= streams[i].deadline_ms)
            close_stream(&streams[i]);
    }
}
