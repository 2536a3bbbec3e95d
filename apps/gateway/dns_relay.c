/* SPDX-License-Identifier: MIT */
/*
 * A question under way has one socket: a datagram one, or, after a truncated
 * answer, a stream. Forged datagrams do not end the waiting; too many do end
 * the attempt.
 */
#include "dns_relay.h"

#include "apps/httpd/clock.h"
#include "apps/httpd/loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RELAYS_MAX = 128,
    WAITERS_MAX = 16, /* of one question; the rest may ask again */
    SERVERS_MAX = 4,
    ATTEMPTS_MAX = 4,
    ATTEMPT_MS = 1500,
    STREAM_MS = 2000,
    QUESTION_MS = 5000, /* all attempts: clients wait about as long */
    FORGED_MAX = 32,
    PREFIX = 2, /* the length in front of a message on a stream */
};

struct relay {
    struct watch watch; /* first: found again from it */
    bool is_used;
    bool is_stream;
    bool is_asked; /* the stream has taken the question */
    bool is_plain; /* the server does not know EDNS */
    uint16_t id;
    unsigned attempt;
    unsigned forged;
    size_t server_count;
    size_t waiter_count;
    size_t received;      /* of the stream */
    uint8_t *answer;      /* the stream's, or NULL */
    uint64_t deadline_ms; /* of this attempt */
    uint64_t end_ms;      /* of the last */
    struct dns_waiter *waiters;
    struct config_server servers[SERVERS_MAX];
    struct dns_question question;
};

struct dns_relay_counters dns_relay_counters;

static struct relay relays[RELAYS_MAX];
static dns_relay_done *done_function;
static unsigned favourite; /* the server that answered last, of its list */
static uint8_t datagram[DNS_EDNS_SIZE + 1];

void dns_relay_start(dns_relay_done *done)
{
    done_function = done;
}

/* ---- one attempt --------------------------------------------------------- */

static void close_socket(struct relay *relay)
{
    if (relay->watch.descriptor >= 0) {
        loop_unwatch(&relay->watch);
        close(relay->watch.descriptor);
        relay->watch.descriptor = -1;
    }
    free(relay->answer);
    relay->answer = NULL;
    relay->received = 0;
}

static void finish(struct relay *relay, const uint8_t *message,
                   const struct dns_answer *answer)
{
    struct dns_waiter *waiters = relay->waiters;
    struct dns_question question = relay->question;
    uint8_t *owned = relay->answer;

    relay->answer = NULL;
    close_socket(relay);
    relay->is_used = false;
    relay->waiters = NULL;
    if (message != NULL)
        dns_relay_counters.answered++;
    else
        dns_relay_counters.failed++;
    done_function(&question, waiters, message, answer);
    free(owned);
}

static const struct config_server *current_server(const struct relay *relay)
{
    size_t index = (favourite + relay->attempt) % relay->server_count;

    return &relay->servers[index];
}

static void datagram_ready(struct watch *watch);
static void stream_ready(struct watch *watch);

/* A connected, non-blocking socket to the server whose turn it is. */
static bool open_socket(struct relay *relay)
{
    const struct config_server *server = current_server(relay);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(server->port),
                             .sin_addr = {htonl(server->address)}};
    int type = relay->is_stream ? SOCK_STREAM : SOCK_DGRAM;
    int descriptor = socket(AF_INET, type | SOCK_NONBLOCK, 0);

    if (descriptor < 0)
        return false;
    relay->watch.descriptor = descriptor;
    relay->watch.ready = relay->is_stream ? stream_ready : datagram_ready;
    if ((connect(descriptor, (struct sockaddr *)&to, sizeof(to)) == 0 ||
         errno == EINPROGRESS) &&
        loop_watch(&relay->watch, relay->is_stream ? LOOP_WRITE : LOOP_READ))
        return true;
    close(descriptor);
    relay->watch.descriptor = -1;
    return false;
}

static bool send_question(struct relay *relay)
{
    uint8_t query[PREFIX + DNS_QUERY_SIZE];
    size_t length = dns_query_build(query + PREFIX, relay->id, &relay->question,
                                    relay->is_plain);
    size_t skip = PREFIX;

    if (relay->is_stream) {
        query[0] = (uint8_t)(length >> 8);
        query[1] = (uint8_t)length;
        length += PREFIX;
        skip = 0;
    }
    return send(relay->watch.descriptor, query + skip, length, MSG_NOSIGNAL) ==
           (ssize_t)length;
}

static void set_deadline(struct relay *relay)
{
    relay->deadline_ms =
        clock_ms() + (relay->is_stream ? STREAM_MS : ATTEMPT_MS);
    if (relay->deadline_ms > relay->end_ms)
        relay->deadline_ms = relay->end_ms;
}

/* A new number and a new socket; the failure of either is an attempt that
 * failed. */
static bool attempt(struct relay *relay)
{
    relay->forged = 0;
    relay->is_asked = false;
    set_deadline(relay);
    if (getrandom(&relay->id, sizeof(relay->id), 0) != sizeof(relay->id))
        return false;
    if (!open_socket(relay))
        return false;
    if (!relay->is_stream && !send_question(relay)) {
        close_socket(relay);
        return false;
    }
    return true;
}

static void try_next(struct relay *relay)
{
    close_socket(relay);
    relay->is_stream = relay->is_plain = false;
    while (++relay->attempt < ATTEMPTS_MAX && clock_ms() < relay->end_ms) {
        dns_relay_counters.retried++;
        if (attempt(relay))
            return;
    }
    finish(relay, NULL, NULL);
}

static void note_favourite(const struct relay *relay)
{
    favourite = (unsigned)((favourite + relay->attempt) % relay->server_count);
}

/* ---- answers ------------------------------------------------------------- */

static void ask_again(struct relay *relay)
{
    close_socket(relay);
    if (!attempt(relay))
        try_next(relay);
}

static void switch_to_stream(struct relay *relay)
{
    relay->is_stream = true;
    dns_relay_counters.over_tcp++;
    ask_again(relay);
}

/* A server that cannot, or will not, is as good as none: ask the next. */
static bool is_useful(const struct relay *relay,
                      const struct dns_answer *answer)
{
    bool is_refusal = answer->code == DNS_SERVER_FAILURE ||
                      answer->code == DNS_REFUSED ||
                      answer->code == DNS_NOT_IMPLEMENTED;

    return !is_refusal || relay->attempt + 1 >= relay->server_count;
}

static void take_answer(struct relay *relay, uint8_t *message, size_t length)
{
    struct dns_answer answer;

    if (!relay->is_plain &&
        dns_answer_is_format_error(message, length, relay->id)) {
        relay->is_plain = true; /* RFC 6891 6.2.2 */
        ask_again(relay);
        return;
    }
    if (!dns_answer_parse(message, length, relay->id, &relay->question,
                          &answer)) {
        dns_relay_counters.forged++;
        if (relay->is_stream || ++relay->forged > FORGED_MAX)
            try_next(relay);
        return;
    }
    if (answer.is_truncated && !relay->is_stream) {
        switch_to_stream(relay);
        return;
    }
    if (answer.is_truncated || !is_useful(relay, &answer)) {
        try_next(relay);
        return;
    }
    note_favourite(relay);
    finish(relay, message, &answer);
}

static void datagram_ready(struct watch *watch)
{
    struct relay *relay = (struct relay *)watch;
    ssize_t length =
        recv(watch->descriptor, datagram, sizeof(datagram), MSG_DONTWAIT);

    if (length < 0) {
        if (errno != EAGAIN && errno != EINTR)
            try_next(relay); /* refused, unreachable */
        return;
    }
    take_answer(relay, datagram, (size_t)length);
}

/* ---- over a stream ------------------------------------------------------- */

static size_t expected(const struct relay *relay)
{
    if (relay->received < PREFIX)
        return PREFIX;
    return PREFIX + ((size_t)relay->answer[0] << 8 | relay->answer[1]);
}

static void read_stream(struct relay *relay)
{
    if (relay->answer == NULL)
        relay->answer = malloc(PREFIX + DNS_MESSAGE_SIZE);
    if (relay->answer == NULL) {
        try_next(relay);
        return;
    }
    for (;;) {
        size_t want = expected(relay) - relay->received;
        ssize_t length;

        if (want == 0) {
            take_answer(relay, relay->answer + PREFIX,
                        relay->received - PREFIX);
            return;
        }
        length = recv(relay->watch.descriptor, relay->answer + relay->received,
                      want, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (length <= 0) {
            try_next(relay);
            return;
        }
        relay->received += (size_t)length;
    }
}

static void stream_ready(struct watch *watch)
{
    struct relay *relay = (struct relay *)watch;

    if (relay->is_asked) {
        read_stream(relay);
        return;
    }
    if (!send_question(relay)) {
        try_next(relay);
        return;
    }
    relay->is_asked = true;
    loop_change(watch, LOOP_READ);
}

/* ---- the door ------------------------------------------------------------ */

static bool join(const struct dns_question *question, struct dns_waiter *waiter,
                 bool *is_found)
{
    for (size_t i = 0; i < RELAYS_MAX; i++) {
        struct relay *relay = &relays[i];

        if (!relay->is_used || !dns_question_equal(&relay->question, question))
            continue;
        *is_found = true;
        if (relay->waiter_count == WAITERS_MAX)
            return false;
        relay->waiter_count++;
        waiter->next = relay->waiters;
        relay->waiters = waiter;
        dns_relay_counters.shared++;
        return true;
    }
    *is_found = false;
    return false;
}

static struct relay *find_unused(void)
{
    for (size_t i = 0; i < RELAYS_MAX; i++) {
        if (!relays[i].is_used)
            return &relays[i];
    }
    return NULL;
}

bool dns_relay_ask(const struct dns_question *question,
                   const struct config_server *servers, size_t count,
                   struct dns_waiter *waiter)
{
    bool is_under_way = false;
    bool is_joined = join(question, waiter, &is_under_way);
    struct relay *relay = find_unused();

    if (is_under_way)
        return is_joined;
    if (relay == NULL || count == 0) {
        dns_relay_counters.refused++;
        return false;
    }
    memset(relay, 0, sizeof(*relay));
    relay->watch.descriptor = -1;
    relay->is_used = true;
    relay->question = *question;
    relay->end_ms = clock_ms() + QUESTION_MS;
    relay->server_count = count < SERVERS_MAX ? count : SERVERS_MAX;
    memcpy(relay->servers, servers,
           relay->server_count * sizeof(relay->servers[0]));
    relay->waiters = waiter;
    relay->waiter_count = 1;
    waiter->next = NULL;
    dns_relay_counters.asked++;
    if (!attempt(relay))
        relay->deadline_ms = 0; /* the next one from dns_relay_expire */
    return true;
}

int dns_relay_timeout_ms(void)
{
    uint64_t now_ms = clock_ms();
    int timeout_ms = -1;

    for (size_t i = 0; i < RELAYS_MAX; i++) {
        uint64_t deadline_ms = relays[i].deadline_ms;
        int left_ms;

        if (!relays[i].is_used)
            continue;
        left_ms = deadline_ms > now_ms ? (int)(deadline_ms - now_ms) : 0;
        if (timeout_ms < 0 || left_ms < timeout_ms)
            timeout_ms = left_ms;
    }
    return timeout_ms;
}

void dns_relay_expire(void)
{
    uint64_t now_ms = clock_ms();

    for (size_t i = 0; i < RELAYS_MAX; i++) {
        if (relays[i].is_used && now_ms >= relays[i].deadline_ms)
            try_next(&relays[i]);
    }
}
