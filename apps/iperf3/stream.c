/* SPDX-License-Identifier: MIT */
/*
 * See stream.h. Of streams that go both ways, those come first on which the
 * client sends. Jitter is RFC 3550 6.4.1's; a datagram that comes late is no
 * longer lost.
 */
#define _GNU_SOURCE 1 /* sendmmsg */

#include "stream.h"

#include "limits.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

enum {
    HEADER_SHORT = 12, /* seconds, microseconds, number: 32 bits each */
    HEADER_LONG = 16,  /* the number in 64 */
    JITTER_SHARE = 16,
};

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

static struct stream streams[STREAMS_MAX];
static unsigned stream_count;
static const struct parameters *asked;
static struct in_addr client;
static struct watch datagrams = {.descriptor = -1};
static bool is_running;
static uint64_t activity;
static unsigned char chunk[CHUNK_SIZE];
/* What is sent, by streams from where it lies (MSG_ZEROCOPY): never written
 * to. */
static unsigned char block[CHUNK_SIZE];

static bool may_try_again(void)
{
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

static void count_bytes(struct stream *stream, size_t length)
{
    stream->bytes += length;
    activity += length;
}

/* ---- TCP ---------------------------------------------------------------- */

static void break_off(struct stream *stream)
{
    stream->is_broken = true;
    loop_change(&stream->watch, 0);
}

static void receive_bytes(struct stream *stream)
{
    for (unsigned i = 0; i < CHUNKS_PER_TURN; i++) {
        size_t room = asked->block < CHUNK_SIZE ? asked->block : CHUNK_SIZE;
        ssize_t length = recv(stream->watch.descriptor, chunk, room, 0);

        if (length > 0)
            count_bytes(stream, (size_t)length);
        else if (length == 0 || !may_try_again())
            break_off(stream);
        if (length <= 0)
            return;
    }
}

static bool is_paced(void)
{
    return asked->bits_per_second != 0;
}

/* So many bytes have gone; the next ones go when their time has come. */
static void pace(struct stream *stream, size_t length, uint64_t now_ns)
{
    uint64_t burst_ns = PACE_BURST_MS * NS_PER_MS;

    if (!is_paced())
        return;
    if (stream->pace_ns + burst_ns < now_ns)
        stream->pace_ns = now_ns - burst_ns;
    stream->pace_ns += length * 8 * NS_PER_S / asked->bits_per_second;
}

static bool may_send(const struct stream *stream, uint64_t now_ns)
{
    return !is_paced() || stream->pace_ns <= now_ns;
}

/* Each notice lets a further send leave its bytes where they are. */
static void take_notices(const struct stream *stream)
{
    struct msghdr notice = {0};

    while (recvmsg(stream->watch.descriptor, &notice, MSG_ERRQUEUE) >= 0)
        continue;
}

static ssize_t send_block(const struct stream *stream, size_t size)
{
    int descriptor = stream->watch.descriptor;
    ssize_t length = send(descriptor, block, size, MSG_ZEROCOPY);

    return length >= 0 || errno != ENOBUFS ? length
                                           : send(descriptor, block, size, 0);
}

static void send_bytes(struct stream *stream, uint64_t now_ns)
{
    for (unsigned i = 0; i < CHUNKS_PER_TURN && may_send(stream, now_ns); i++) {
        size_t size = asked->block < CHUNK_SIZE ? asked->block : CHUNK_SIZE;
        ssize_t length = send_block(stream, size);

        if (length < 0) {
            if (!may_try_again())
                break_off(stream);
            return;
        }
        count_bytes(stream, (size_t)length);
        pace(stream, (size_t)length, now_ns);
    }
}

static void stream_ready(struct watch *watch, unsigned events)
{
    struct stream *stream = (struct stream *)(void *)watch;

    if (stream->is_sender && (events & LOOP_READ) != 0)
        take_notices(stream);
    if (stream->is_broken)
        loop_close(watch);
    else if (stream->is_sender)
        send_bytes(stream, loop_now_ns());
    else
        receive_bytes(stream);
}

static void set_option(int descriptor, int level, int name, unsigned value)
{
    int number = (int)value;

    if (value != 0)
        (void)setsockopt(descriptor, level, name, &number, sizeof(number));
}

/* What the system does not grant is done without, and seen in the figures. */
static void set_options(int descriptor)
{
    set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, asked->is_nodelay);
    set_option(descriptor, IPPROTO_TCP, TCP_MAXSEG, asked->maximum_segment);
    set_option(descriptor, SOL_SOCKET, SO_ZEROCOPY, true);
    set_option(descriptor, SOL_SOCKET, SO_SNDBUF, asked->buffer);
    set_option(descriptor, SOL_SOCKET, SO_RCVBUF, asked->buffer);
    set_option(descriptor, IPPROTO_IP, IP_TOS, asked->type_of_service);
    if (asked->congestion[0] != '\0')
        (void)setsockopt(descriptor, IPPROTO_TCP, TCP_CONGESTION,
                         asked->congestion,
                         (socklen_t)strlen(asked->congestion));
}

static int retransmits_of(const struct stream *stream)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    if (!stream->is_sender || stream->watch.descriptor < 0 ||
        getsockopt(stream->watch.descriptor, IPPROTO_TCP, TCP_INFO, &info,
                   &size) != 0)
        return -1;
    return (int)info.tcpi_total_retrans;
}

/* ---- streams ------------------------------------------------------------ */

static unsigned wanted(void)
{
    return asked->streams * (asked->is_bidirectional ? 2 : 1);
}

bool streams_are_complete(void)
{
    return stream_count == wanted();
}

static struct stream *add(void)
{
    struct stream *stream = &streams[stream_count];

    *stream = (struct stream){
        .watch = {.ready = stream_ready, .descriptor = -1},
        .retransmits = -1,
    };
    stream->is_sender = asked->is_bidirectional ? stream_count >= asked->streams
                                                : asked->is_reverse;
    stream_count++;
    return stream;
}

void streams_begin(const struct parameters *parameters, struct in_addr peer)
{
    asked = parameters;
    client = peer;
    stream_count = 0;
    is_running = false;
}

void streams_take(struct watch *from)
{
    struct stream *stream;

    if (asked->is_udp || streams_are_complete()) {
        loop_close(from);
        return;
    }
    stream = add();
    loop_move(&stream->watch, from);
    loop_change(&stream->watch, 0);
    set_options(stream->watch.descriptor);
}

void streams_start(uint64_t now_ns)
{
    is_running = true;
    for (unsigned i = 0; i < stream_count; i++) {
        struct stream *stream = &streams[i];

        stream->pace_ns = now_ns;
        if (asked->is_udp)
            continue;
        if (!stream->is_sender)
            loop_change(&stream->watch, LOOP_READ);
        else if (!is_paced())
            loop_change(&stream->watch, LOOP_WRITE);
    }
}

void streams_omit(void)
{
    for (unsigned i = 0; i < stream_count; i++) {
        struct stream *stream = &streams[i];

        stream->bytes = 0;
        stream->omitted_packets = stream->packets;
        stream->omitted_lost = stream->lost;
        stream->omitted_retransmits = retransmits_of(stream);
        stream->jitter_s = 0;
    }
}

/* What has come and was not read yet counts, too. */
static void drain(struct stream *stream)
{
    uint64_t before;

    do {
        before = activity;
        receive_bytes(stream);
    } while (activity != before && !stream->is_broken);
}

void streams_end(void)
{
    for (unsigned i = 0; i < stream_count; i++) {
        struct stream *stream = &streams[i];

        if (is_running && stream->watch.descriptor >= 0 && !stream->is_sender)
            drain(stream);
        stream->retransmits = retransmits_of(stream);
        if (stream->retransmits > 0)
            stream->retransmits -= stream->omitted_retransmits;
        loop_close(&stream->watch);
    }
    is_running = false;
    asked = NULL;
}

/* ---- UDP ---------------------------------------------------------------- */

static uint32_t word_at(size_t offset)
{
    uint32_t word;

    memcpy(&word, chunk + offset, sizeof(word));
    return ntohl(word);
}

static void put_word(uint8_t *header, size_t offset, uint64_t value)
{
    uint32_t word = htonl((uint32_t)value);

    memcpy(header + offset, &word, sizeof(word));
}

static struct stream *find(const struct sockaddr_in *peer)
{
    for (unsigned i = 0; i < stream_count; i++) {
        if (streams[i].peer.sin_port == peer->sin_port &&
            streams[i].peer.sin_addr.s_addr == peer->sin_addr.s_addr)
            return &streams[i];
    }
    return NULL;
}

static void count_datagram(struct stream *stream, size_t length,
                           uint64_t now_ns)
{
    size_t header = asked->has_long_counters ? HEADER_LONG : HEADER_SHORT;
    uint64_t sent_ns = word_at(0) * NS_PER_S + word_at(4) * UINT64_C(1000);
    int64_t transit_ns = (int64_t)(now_ns - sent_ns);
    uint64_t number = word_at(8);
    double difference_s;

    if (length < header)
        return;
    if (asked->has_long_counters)
        number = number << 32 | word_at(12);
    count_bytes(stream, length);
    if (number > stream->packets) {
        stream->lost += number - stream->packets - 1;
        stream->packets = number;
    } else if (stream->lost > 0) {
        stream->lost--;
    }
    difference_s = (double)(transit_ns - stream->transit_ns) / 1e9;
    if (stream->transit_ns != 0)
        stream->jitter_s += ((difference_s < 0 ? -difference_s : difference_s) -
                             stream->jitter_s) /
                            JITTER_SHARE;
    stream->transit_ns = transit_ns;
}

/* A first datagram asks for a stream and is answered; so is the same again,
 * for the answer may have been lost. */
static void greet(const struct sockaddr_in *peer)
{
    static const char answer[] = {'6', '7', '8', '9'};

    if (asked == NULL || !asked->is_udp || is_running ||
        peer->sin_addr.s_addr != client.s_addr)
        return;
    if (find(peer) == NULL) {
        if (streams_are_complete())
            return;
        add()->peer = *peer;
    }
    (void)sendto(datagrams.descriptor, answer, sizeof(answer), 0,
                 (const struct sockaddr *)peer, sizeof(*peer));
}

static void datagrams_ready(struct watch *watch, unsigned events)
{
    (void)events;
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
        struct sockaddr_in peer = {0};
        socklen_t size = sizeof(peer);
        ssize_t length = recvfrom(watch->descriptor, chunk, sizeof(chunk), 0,
                                  (struct sockaddr *)&peer, &size);
        struct stream *stream;

        if (length < 0)
            return;
        stream = is_running ? find(&peer) : NULL;
        if (stream != NULL && !stream->is_sender && length >= HEADER_SHORT)
            count_datagram(stream, (size_t)length, loop_now_ns());
        else
            greet(&peer);
    }
}

/* How many datagrams are due, at most a turn's. */
static unsigned count_due(struct stream stream, uint64_t now_ns)
{
    unsigned count = 0;

    while (count < DATAGRAMS_PER_TURN && may_send(&stream, now_ns)) {
        pace(&stream, asked->block, now_ns);
        count++;
    }
    return count;
}

static void put_header(uint8_t *header, uint64_t number, uint64_t now_ns)
{
    put_word(header, 0, now_ns / NS_PER_S);
    put_word(header, 4, now_ns % NS_PER_S / 1000);
    put_word(header, 8, asked->has_long_counters ? number >> 32 : number);
    if (asked->has_long_counters)
        put_word(header, 12, number);
}

static void send_datagrams(struct stream *stream, uint64_t now_ns)
{
    static uint8_t headers[DATAGRAMS_PER_TURN][HEADER_LONG];
    static struct iovec pieces[DATAGRAMS_PER_TURN][2];
    static struct mmsghdr messages[DATAGRAMS_PER_TURN];
    unsigned due = count_due(*stream, now_ns);
    int sent;

    for (unsigned i = 0; i < due; i++) {
        put_header(headers[i], stream->packets + 1 + i, now_ns);
        pieces[i][0] = (struct iovec){headers[i], HEADER_LONG};
        pieces[i][1] = (struct iovec){block, asked->block - HEADER_LONG};
        messages[i].msg_hdr =
            (struct msghdr){.msg_name = &stream->peer,
                            .msg_namelen = sizeof(stream->peer),
                            .msg_iov = pieces[i],
                            .msg_iovlen = 2};
    }
    sent = sendmmsg(datagrams.descriptor, messages, due, 0);
    for (int i = 0; i < sent; i++) {
        stream->packets++;
        count_bytes(stream, asked->block);
        pace(stream, asked->block, now_ns);
    }
}

bool streams_init(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    datagrams.ready = datagrams_ready;
    return descriptor >= 0 &&
           bind(descriptor, (struct sockaddr *)&address, sizeof(address)) ==
               0 &&
           loop_open(&datagrams, descriptor, LOOP_READ);
}

/* ---- both --------------------------------------------------------------- */

int streams_run(uint64_t now_ns)
{
    int wait_ms = -1;

    for (unsigned i = 0; is_running && i < stream_count; i++) {
        struct stream *stream = &streams[i];

        if (!stream->is_sender || stream->is_broken ||
            (!asked->is_udp && !is_paced()))
            continue;
        if (asked->is_udp)
            send_datagrams(stream, now_ns);
        else
            send_bytes(stream, now_ns);
        if (may_send(stream, now_ns))
            wait_ms = 0;
        else if (wait_ms < 0)
            wait_ms = 1;
    }
    return wait_ms;
}

unsigned streams_count(void)
{
    return stream_count;
}

const struct stream *streams_at(unsigned index)
{
    return &streams[index];
}

uint64_t streams_activity(void)
{
    return activity;
}
