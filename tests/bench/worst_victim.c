/* SPDX-License-Identifier: MIT */
/*
 * See worst_victim.h.
 */
#include "tests/bench/worst_victim.h"

#include <string.h>

#include "tests/bench/worst_around.h"

enum {
    /* As the driver says of the card. */
    CARD = NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS | NETIF_TX_SEGMENT |
           NETIF_RX_CHECKSUM,
};

struct victim victim;
static struct tcp_listener *listener;

void build_bytes(size_t at, uint32_t value, size_t length)
{
    for (size_t i = length; i > 0; i--, value >>= 8)
        victim.frame[at + i - 1] = (uint8_t)value;
}

static size_t give_frame(struct end *end, uint8_t *frame)
{
    size_t length = victim.frame_length;

    (void)end;
    memcpy(frame, victim.frame, length); /* not the stack's cost */
    victim.frame_length = 0;
    return length;
}

void build_ip(uint8_t protocol, uint32_t fragment, size_t length)
{
    static const uint8_t ethernet[14] = {2, 0, 0, 0, 0, 1, 2,
                                         0, 0, 0, 0, 2, 8, 0};
    uint32_t sum = 0;

    for (size_t i = 0; i < sizeof(ethernet); i++)
        victim.frame[i] = ethernet[i];
    build_bytes(14, 0x4500, 2);
    build_bytes(16, (uint32_t)length - 14, 2);
    build_bytes(18, 7, 2);
    build_bytes(20, fragment, 2);
    build_bytes(22, 0x4000U | protocol, 2);
    build_bytes(24, 0, 2);
    build_bytes(26, 0x0a000002, 4);
    build_bytes(30, 0x0a000001, 4);
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)victim.frame[i] << 8 | victim.frame[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    build_bytes(24, ~((sum & 0xffff) + (sum >> 16)), 2);
    victim.frame_length = length;
}

/* A segment for the next poll. `seq` and `ack` count from the first bytes. */
void build(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    size_t header = 20 + victim.options_length;

    build_ip(IP_PROTOCOL_TCP, 0x4000, 34 + header + payload);
    build_bytes(34, 1234, 2);
    build_bytes(36, PORT, 2);
    build_bytes(38, victim.our_seq + seq, 4);
    build_bytes(42, victim.their_seq + ack, 4);
    build_bytes(46, (uint32_t)(header / 4) << 4, 1);
    build_bytes(47, flags, 1);
    build_bytes(48, victim.window, 2);
    build_bytes(50, 0, 4);
    for (size_t i = 0; i < victim.options_length; i++)
        victim.frame[54 + i] = victim.options[i];
}

/* How far the victim's text reached, while its packets are there. */
void victim_note(void)
{
    static uint32_t seen;
    const struct end *end = &ends[0];

    if (end->sent_end - seen > end->sent_end - end->sent_free)
        seen = end->sent_free;
    for (; seen != end->sent_end; seen++) {
        const struct packet *packet = end->sent[seen % END_RING];
        const uint8_t *tcp = packet->data + 34;
        uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
                       (uint32_t)tcp[6] << 8 | tcp[7];
        uint32_t reach = seq - victim.their_seq + packet->fragments_length;
        around_sent(packet->data, packet->length);
        if (packet->data[23] == IP_PROTOCOL_TCP &&
            (int32_t)(reach - victim.sent) > 0)
            victim.sent = reach;
    }
}

/* What the victim sends goes nowhere, but is seen. */
void victim_poll(void)
{
    victim_note();
    (void)end_poll(&ends[0]);
    victim_note();
    ends[0].sent_first = ends[0].sent_end;
}

void segment(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload)
{
    build(flags, seq, ack, payload);
    victim_poll();
}

static void start(void)
{
    victim.window = 65535;
    struct tcp_endpoint local = {.port = PORT};
    static const uint8_t offer[12] = {2, 4, 5, 0xb4, 4, 2, 1, 1, 1, 3, 3, 14};

    ends_start(512 << 20, CARD, 1);
    ends[0].other = &ends[1];
    if (ends[0].call->net_set("ipv4.tcp_rmem", "4194304") != 0 ||
        ends[0].call->net_set("ipv4.tcp_wmem", "4194304") != 0 ||
        ends[0].call->tcp_listen(&local, 10, true, &listener, &listener) != 0)
        fail("tcp_listen");
    ends[1].other = NULL;
    ends[0].generate = give_frame;
    for (size_t i = 0; i < sizeof(offer); i++)
        victim.options[i] = offer[i];
    victim.options_length = sizeof(offer);
    victim.our_seq = 1000;
    build(SYN, 0, 0, 0);
    (void)end_poll(&ends[0]); /* its ARP request, perhaps */
    ends[1].other = &ends[0];
    ends_settle();
    ends[1].other = NULL;
    victim.options_length = 0;
}

/* Our end of the handshake: the SYN-ACK is read from the ring. */
void victim_connect(void)
{
    struct end *end = &ends[0];

    start();
    victim.our_seq = 5000;
    victim.options_length = 12;
    build(SYN, 0, 0, 0);
    build_bytes(34, 1234, 2);
    uint32_t from = end->sent_end;
    (void)end_poll(end);
    if (end->sent_end == from)
        fail("no SYN-ACK");
    const struct packet *answer = end->sent[(end->sent_end - 1) % END_RING];
    const uint8_t *tcp = answer->data + 34;
    victim.their_seq = ((uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
                        (uint32_t)tcp[6] << 8 | tcp[7]) +
                       1;
    end->sent_first = end->sent_end;
    victim.options_length = 0;
    victim.our_seq++;
    segment(ACK, 0, 0, 0);
    victim.connection = end->call->tcp_accept(listener, &listener);
    if (victim.connection == NULL)
        fail("not accepted");
    end_leave(end);
}

void sack(uint32_t left, uint32_t right, size_t block)
{
    uint32_t values[2] = {victim.their_seq + left, victim.their_seq + right};

    victim.options[0] = 1;
    victim.options[1] = 1;
    victim.options[2] = 5;
    victim.options[3] = (uint8_t)(2 + 8 * (block + 1));
    for (size_t i = 0; i < 8; i++)
        victim.options[4 + 8 * block + i] =
            (uint8_t)(values[i / 4] >> (8 * (3 - i % 4)));
    victim.options_length = 4 + 8 * (block + 1);
}

void victim_rest(void)
{
    size_t length = victim.frame_length;

    victim.frame_length = 0;
    do {
        victim_poll();
    } while (ends[0].is_raised || ends[0].sent_free != ends[0].sent_end);
    victim.frame_length = length;
}
