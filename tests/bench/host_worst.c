/* SPDX-License-Identifier: MIT */
/*
 * What one frame can cost at worst: queues are filled as far as their limits
 * let a peer fill them, and then comes the frame that touches all of it. Each
 * scene marks that one frame; run by hand:
 *   valgrind --tool=callgrind --instr-atstart=no build/cost/host_worst
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "tests/bench/host_world.h"

enum {
    PORT = 80,
    HEADERS = 14 + 20 + 20,
    MSS = 1460,
    EARLY = 1000, /* segments that come too early */
    /* As the driver says of the card. */
    CARD = NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS | NETIF_TX_SEGMENT |
           NETIF_RX_CHECKSUM,
    FIN = 1,
    SYN = 2,
    RST = 4,
    ACK = 16,
};

static struct tcp_listener *listener;
static struct tcp_connection *connection;
static uint8_t frame_bytes[END_FRAME];
static size_t frame_length;
static uint8_t options[40];
static size_t options_length;
static uint32_t their_seq; /* the victim's first byte */
static uint32_t our_seq;
static uint16_t window = 65535;

static void put(size_t at, uint32_t value, size_t length)
{
    for (size_t i = length; i > 0; i--, value >>= 8)
        frame_bytes[at + i - 1] = (uint8_t)value;
}

static size_t give_frame(struct end *end, uint8_t *frame)
{
    size_t length = frame_length;

    (void)end;
    for (size_t i = 0; i < length; i++)
        frame[i] = frame_bytes[i];
    frame_length = 0;
    return length;
}

static void build_ip(uint8_t protocol, uint32_t fragment, size_t length)
{
    static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2,
                                         0, 0, 0, 0, 2, 8, 0};
    uint32_t sum = 0;

    for (size_t i = 0; i < sizeof(ethernet); i++)
        frame_bytes[i] = ethernet[i];
    put(14, 0x4500, 2);
    put(16, (uint32_t)length - 14, 2);
    put(18, 7, 2);
    put(20, fragment, 2);
    put(22, 0x4000U | protocol, 2);
    put(24, 0, 2);
    put(26, 0x0a000002, 4);
    put(30, 0x0a000001, 4);
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)frame_bytes[i] << 8 | frame_bytes[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put(24, ~((sum & 0xffff) + (sum >> 16)), 2);
    frame_length = length;
}

/* A segment for the next poll. `seq` and `ack` count from the first bytes. */
static void build(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    size_t header = 20 + options_length;

    build_ip(IP_PROTOCOL_TCP, 0x4000, 34 + header + payload);
    put(34, 1234, 2);
    put(36, PORT, 2);
    put(38, our_seq + seq, 4);
    put(42, their_seq + ack, 4);
    put(46, (uint32_t)(header / 4) << 4, 1);
    put(47, flags, 1);
    put(48, window, 2);
    put(50, 0, 4);
    for (size_t i = 0; i < options_length; i++)
        frame_bytes[54 + i] = options[i];
}

/* What the victim sends goes nowhere, but is seen. */
static void send_now(void)
{
    (void)end_poll(&ends[0]);
    ends[0].sent_first = ends[0].sent_end;
}

static void segment(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    build(flags, seq, ack, payload);
    send_now();
}

static void start(void)
{
    struct tcp_endpoint local = {.port = PORT};
    static const uint8_t syn_options[12] = {2, 4, 5, 0xb4, 4, 2,
                                            1, 1, 1, 3,    3, 14};

    ends_start(512 << 20, CARD, 1);
    ends[0].other = &ends[1];
    if (ends[0].call->net_set("ipv4.tcp_rmem", "4194304") != 0 ||
        ends[0].call->net_set("ipv4.tcp_wmem", "4194304") != 0 ||
        ends[0].call->tcp_listen(&local, 10, true, &listener, &listener) != 0)
        fail("tcp_listen");
    ends[1].other = NULL;
    ends[0].generate = give_frame;
    for (size_t i = 0; i < sizeof(syn_options); i++)
        options[i] = syn_options[i];
    options_length = sizeof(syn_options);
    our_seq = 1000;
    build(SYN, 0, 0, 0);
    (void)end_poll(&ends[0]); /* its ARP request, perhaps */
    ends[1].other = &ends[0];
    ends_settle();
    ends[1].other = NULL;
    options_length = 0;
}

/* Our end of the handshake: the SYN-ACK is read from the ring. */
static void connect_victim(void)
{
    struct end *end = &ends[0];

    start();
    our_seq = 5000;
    options_length = 12;
    build(SYN, 0, 0, 0);
    put(34, 1234, 2);
    uint32_t from = end->sent_end;
    (void)end_poll(end);
    if (end->sent_end == from)
        fail("no SYN-ACK");
    const struct packet *answer = end->sent[(end->sent_end - 1) % END_RING];
    const uint8_t *tcp = answer->data + 34;
    their_seq = ((uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
                 (uint32_t)tcp[6] << 8 | tcp[7]) +
                1;
    end->sent_first = end->sent_end;
    options_length = 0;
    our_seq++;
    segment(ACK, 0, 0, 0);
    connection = end->call->tcp_accept(listener, &listener);
    if (connection == NULL)
        fail("not accepted");
    end_leave(end);
}

/* The window must be open for what comes early: data first. */
static void fill_early(uint32_t step, size_t payload)
{
    connect_victim();
    for (uint32_t i = 0; i < 4; i++) {
        segment(ACK, i * MSS, 0, MSS);
        if (ends[0].call->tcp_read(connection, frame_bytes, MSS, 0, world_ns) <=
            0)
            fail("tcp_read");
        end_leave(&ends[0]);
    }
    our_seq += 4 * MSS;
    for (uint32_t i = 1; i <= EARLY; i++)
        segment(ACK, i * step, 0, payload);
}

/* ---- scenes: the last build() is measured ---------------------------------
 */

static void early_in_the_middle(void)
{
    fill_early(4, 1);
    build(ACK, EARLY / 2 * 4 + 2, 0, 1);
}

static void early_over_all(void)
{
    fill_early(2, 1);
    build(ACK, 1, 0, MSS);
}

static void hole_filled(void)
{
    fill_early(1, 1);
    build(ACK, 0, 0, 1);
}

static void hole_filled_by_full_ones(void)
{
    fill_early(MSS, MSS);
    build(ACK, 0, 0, MSS);
}

static void reset_with_early(void)
{
    fill_early(2, 1);
    build(RST, 0, 0, 0);
}

/* The victim has much in flight; SACK blocks cut it to pieces. */
static uint32_t fly(void)
{
    static uint8_t bytes[1 << 16];
    uint32_t acked = 0;
    uint32_t sent = 0;

    connect_victim();
    for (int turn = 0; turn < 200 && sent - acked < 1000 * MSS; turn++) {
        int done;
        while ((done = ends[0].call->tcp_write(connection, bytes, sizeof(bytes),
                                               0, world_ns)) > 0)
            end_leave(&ends[0]);
        end_leave(&ends[0]);
        for (uint32_t i = ends[0].sent_free; i != ends[0].sent_end; i++) {
            const struct packet *packet = ends[0].sent[i % END_RING];
            sent += packet->fragments_length;
        }
        ends[0].sent_first = ends[0].sent_end;
        (void)end_poll(&ends[0]);
        world_ns += NS_PER_MS;
        if (sent - acked < 1000 * MSS && sent > acked + 2 * MSS) {
            acked += 2 * MSS * (uint32_t)(1 + (sent - acked) / (8 * MSS));
            segment(ACK, 0, acked, 0);
        }
    }
    return acked;
}

static void sack(uint32_t left, uint32_t right, size_t block)
{
    uint32_t values[2] = {their_seq + left, their_seq + right};

    options[0] = 1;
    options[1] = 1;
    options[2] = 5;
    options[3] = (uint8_t)(2 + 8 * (block + 1));
    for (size_t i = 0; i < 8; i++)
        options[4 + 8 * block + i] =
            (uint8_t)(values[i / 4] >> (8 * (3 - i % 4)));
    options_length = 4 + 8 * (block + 1);
}

/* Every other segment is said to have arrived. */
static uint32_t cut_to_pieces(void)
{
    uint32_t acked = fly();

    for (uint32_t at = 1; at < 400; at += 2) {
        for (size_t block = 0; block < 3; block++) {
            uint32_t left = acked + (at + 2 * (uint32_t)block) * MSS;
            sack(left, left + MSS, block);
        }
        segment(ACK, 0, acked, 0);
    }
    return acked;
}

static void sack_of_many(void)
{
    uint32_t acked = cut_to_pieces();

    for (size_t block = 0; block < 4; block++)
        sack(acked + (100 + 200 * (uint32_t)block) * MSS + 1,
             acked + (240 + 200 * (uint32_t)block) * MSS - 1, block);
    build(ACK, 0, acked, 0);
}

static void ack_of_pieces(void)
{
    uint32_t acked = cut_to_pieces();

    options_length = 0;
    build(ACK, 0, acked + 800 * MSS, 0);
}

static void ack_of_much(void)
{
    uint32_t acked = fly();

    options_length = 0;
    build(ACK, 0, acked + 900 * MSS, 0);
}

static void reset_with_flight(void)
{
    (void)cut_to_pieces();
    options_length = 0;
    build(RST | ACK, 0, 0, 0);
}

/* The last of the pieces of a datagram of 64 KiB. */
static void last_fragment(void)
{
    connect_victim();
    for (uint32_t i = 1; i < 110; i++) {
        build_ip(IP_PROTOCOL_UDP, 0x2000 | (i * 576 / 8), 34 + 576);
        send_now();
    }
    build_ip(IP_PROTOCOL_UDP, 110 * 576 / 8, 34 + 100);
    send_now();
    build_ip(IP_PROTOCOL_UDP, 0x2000, 34 + 576);
    put(34, 1, 2);
    put(36, 2, 2);
    put(38, 110 * 576 + 100, 2);
    put(40, 0, 2);
}

static const struct {
    const char *name;
    void (*prepare)(void);
} scenes[] = {
    {"early-in-the-middle", early_in_the_middle},
    {"early-over-all", early_over_all},
    {"hole-filled", hole_filled},
    {"hole-filled-full", hole_filled_by_full_ones},
    {"reset-with-early", reset_with_early},
    {"sack-of-many", sack_of_many},
    {"ack-of-pieces", ack_of_pieces},
    {"ack-of-much", ack_of_much},
    {"reset-with-flight", reset_with_flight},
    {"last-fragment", last_fragment},
};

enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* What earlier frames have left to do is not the next one's cost. */
static void rest(void)
{
    size_t length = frame_length;

    frame_length = 0;
    for (size_t i = 0; i < 1000; i++)
        send_now();
    frame_length = length;
}

static void show(void *context, const char *name, uint64_t value,
                 const char *help)
{
    (void)context;
    (void)help;
    if (value != 0 && strncmp(name, "tcp_", 4) == 0)
        printf("%s %lu\n", name, (unsigned long)value);
}

int main(int count, char **words)
{
    for (size_t i = 0; i < SCENES; i++) {
        if (count == 1)
            printf("%s\n", scenes[i].name);
        if (count < 2 || strcmp(words[1], scenes[i].name) != 0)
            continue;
        char mark[64];
        (void)snprintf(mark, sizeof(mark), "%s:1", scenes[i].name);
        scenes[i].prepare();
        rest();
        CALLGRIND_START_INSTRUMENTATION;
        CALLGRIND_ZERO_STATS;
        (void)end_poll(&ends[0]);
        CALLGRIND_DUMP_STATS_AT(mark);
        if (count == 3)
            ends[0].call->tcp_visit_counters(show, NULL);
    }
    return 0;
}
