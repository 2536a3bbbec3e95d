/* SPDX-License-Identifier: MIT */
/*
 * Trains of segments: what is joined, what never is, and in which order all
 * of it goes up.
 * test-links: tests/unit/support_net.c
 * test-flags: -Wl,--wrap=ethernet_receive
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/link/gro.h"
#include "net/packet.h"
#include "net/wire/tcp.h"

enum { UP_MAX = 64, TEXT = 1000, OPTIONS = 12 };

static struct test_frame frame;
static struct packet *up[UP_MAX];
static size_t up_count;

void __wrap_ethernet_receive(struct netif *netif, struct packet *packet);

void __wrap_ethernet_receive(struct netif *netif, struct packet *packet)
{
    (void)netif;
    cr_assert_lt(up_count, UP_MAX);
    up[up_count++] = packet;
}

TestSuite(gro, .init = net_world, .timeout = 20);
TestSuite(hostile_gro, .init = net_world, .timeout = 20);

static struct tcp_header *tcp_of(struct test_frame *of)
{
    return (struct tcp_header *)ip_payload_of(of);
}

/* A segment of `length` bytes with timestamps, from `seq` on. */
static void make(uint32_t seq, size_t length)
{
    static const uint8_t options[OPTIONS] = {1, 1, 8, 10, 0, 0,
                                             0, 7, 0, 0,  0, 9};
    uint8_t bytes[TCP_HEADER_LENGTH + OPTIONS + 1500];
    struct tcp_header *header = (void *)bytes;

    *header = (struct tcp_header){
        .source_port = be16_from(4000),
        .destination_port = be16_from(80),
        .sequence = be32_from(seq),
        .acknowledgement = be32_from(77777),
        .data_offset = (TCP_HEADER_LENGTH + OPTIONS) / 4 << 4,
        .flags = TCP_ACK,
        .window = be16_from(500),
    };
    memcpy(header + 1, options, OPTIONS);
    for (size_t i = 0; i < length; i++)
        bytes[TCP_HEADER_LENGTH + OPTIONS + i] = (uint8_t)(seq + i);
    make_ip(&frame, IP_PROTOCOL_TCP, PEER_ADDRESS, OUR_ADDRESS, bytes,
            TCP_HEADER_LENGTH + OPTIONS + length);
    fix_transport(&frame);
}

static void give(void)
{
    struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);

    packet->netif = &device->netif;
    memcpy(packet_append(packet, frame.length), frame.bytes, frame.length);
    gro_receive(&device->netif, packet);
}

static void give_segment(uint32_t seq, size_t length)
{
    make(seq, length);
    give();
}

static void free_all(void)
{
    for (size_t i = 0; i < up_count; i++)
        packet_free(up[i]);
    up_count = 0;
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(gro, segments_that_follow_each_other_go_up_as_one)
{
    for (uint32_t i = 0; i < 40; i++)
        give_segment(i * TEXT, TEXT);
    cr_assert_eq(up_count, 0, "nothing before the end of the batch");
    gro_flush();
    cr_assert_eq(up_count, 1);
    cr_assert_eq(up[0]->segment_count, 40);
    cr_assert_eq(up[0]->train_length, 39 * TEXT);
    cr_assert_eq(up[0]->checksum, PACKET_CHECKSUM_VERIFIED);
    uint32_t seq = TEXT;
    for (struct packet *at = up[0]->train; at != NULL; at = at->next) {
        cr_assert_eq(at->length, TEXT);
        if (at->next == NULL)
            cr_assert_eq(packet_train_last(up[0]), at);
        for (uint32_t i = 0; i < TEXT; i++)
            cr_assert_eq(at->data[i], (uint8_t)(seq + i));
        seq += TEXT;
    }
    cr_assert_eq(seq, 40 * TEXT);
    free_all();
}

Test(gro, sequence_numbers_may_wrap)
{
    give_segment(UINT32_MAX - TEXT + 1, TEXT);
    give_segment(0, TEXT);
    gro_flush();
    cr_assert_eq(up_count, 1);
    free_all();
}

Test(gro, a_short_or_a_pushed_segment_ends_a_train)
{
    give_segment(0, TEXT);
    give_segment(TEXT, TEXT - 1);
    cr_assert_eq(up_count, 1);
    give_segment(5000, TEXT);
    make(5000 + TEXT, TEXT);
    tcp_of(&frame)->flags |= TCP_PSH;
    fix_transport(&frame);
    give();
    cr_assert_eq(up_count, 2);
    cr_assert_eq(up[1]->segment_count, 2);
    free_all();
}

Test(gro, a_train_never_outgrows_what_ip_could_describe)
{
    for (uint32_t i = 0; i < 64; i++)
        give_segment(i * 1448, 1448);
    gro_flush();
    cr_assert_eq(up_count, 2);
    cr_assert_leq(up[0]->train_length + 1448, 65535);
    free_all();
}

Test(gro, flows_do_not_disturb_each_other)
{
    for (uint32_t i = 0; i < 60; i++) {
        make(i / 6 * TEXT, TEXT);
        tcp_of(&frame)->source_port = be16_from((uint16_t)(1000 + i % 6));
        fix_transport(&frame);
        give();
    }
    gro_flush();
    cr_assert_eq(up_count, 6);
    free_all();
}

Test(gro, more_flows_than_it_can_hold_lose_nothing)
{
    for (uint32_t i = 0; i < 60; i++) {
        make(i / 20 * TEXT, TEXT);
        tcp_of(&frame)->source_port = be16_from((uint16_t)(1000 + i % 20));
        fix_transport(&frame);
        give();
    }
    gro_flush();
    size_t segments = 0;
    for (size_t i = 0; i < up_count; i++)
        segments += up[i]->segment_count;
    cr_assert_eq(segments, 60);
    free_all();
}

Test(gro, small_segments_and_other_packets_pass_at_once)
{
    uint8_t text[600] = {0};

    give_segment(0, 100);
    make_udp(&frame, PEER_ADDRESS, 1, OUR_ADDRESS, 2, text, sizeof(text));
    give();
    make(0, TEXT);
    ip_of(&frame)->destination = be32_from(OTHER_ADDRESS);
    fix_ip(&frame);
    fix_transport(&frame);
    give();
    cr_assert_eq(up_count, 3);
    free_all();
}

Test(gro, a_fin_behind_a_train_comes_after_it)
{
    give_segment(0, TEXT);
    give_segment(TEXT, TEXT);
    make(2 * TEXT, TEXT);
    tcp_of(&frame)->flags |= TCP_FIN;
    fix_transport(&frame);
    give();
    cr_assert_eq(up_count, 2);
    cr_assert_eq(up[0]->segment_count, 2);
    cr_assert_null(up[1]->train);
    free_all();
}

Test(gro, switched_off_or_with_hooks_it_joins_nothing)
{
    gro_set_enabled(false);
    give_segment(0, TEXT);
    give_segment(TEXT, TEXT);
    cr_assert_eq(up_count, 2);
    gro_set_enabled(true);
    gro_set_hooked(true);
    give_segment(0, TEXT);
    give_segment(TEXT, TEXT);
    cr_assert_eq(up_count, 4);
    gro_set_hooked(false);
    free_all();
}

/* One thing about the second segment is not as in the first. */
enum difference {
    TTL,
    ECN,
    FRAGMENT_BIT,
    ECE,
    CWR,
    URG,
    RST,
    WINDOW,
    ACK_BACK,
    ACK_FORTH,
    TIMESTAMP,
    OPTION_KIND,
    GAP,
    OVERLAP,
    SAME,
    URGENT,
    IP_SUM,
    TCP_SUM,
    SOURCE,
    DESTINATION,
    PORT,
    LONGER,
    NO_ACK,
    DIFFERENCES,
};

static void spoil(enum difference what)
{
    struct ipv4_header *ip = ip_of(&frame);
    struct tcp_header *tcp = tcp_of(&frame);
    uint8_t *options = (uint8_t *)(tcp + 1);

    switch (what) {
    case TTL:
        ip->ttl--;
        break;
    case ECN:
        ip->tos ^= 3;
        break;
    case FRAGMENT_BIT:
        ip->fragment.octet[0] ^= 0x40;
        break;
    case ECE:
        tcp->flags |= TCP_ECE;
        break;
    case CWR:
        tcp->flags |= TCP_CWR;
        break;
    case URG:
        tcp->flags |= TCP_URG;
        break;
    case RST:
        tcp->flags |= TCP_RST;
        break;
    case WINDOW:
        tcp->window = be16_from(501);
        break;
    case ACK_BACK:
        tcp->acknowledgement = be32_from(77776);
        break;
    case ACK_FORTH:
        tcp->acknowledgement = be32_from(77778);
        break;
    case TIMESTAMP:
        options[7]++;
        break;
    case OPTION_KIND:
        options[0] = 0;
        break;
    case GAP:
        tcp->sequence = be32_from(TEXT + 1);
        break;
    case OVERLAP:
        tcp->sequence = be32_from(TEXT - 1);
        break;
    case SAME:
        tcp->sequence = be32_from(0);
        break;
    case URGENT:
        tcp->urgent = be16_from(1);
        break;
    case SOURCE:
        ethernet_of(&frame)->source.octet[5] ^= 8;
        break;
    case DESTINATION: /* to all, perhaps */
        ethernet_of(&frame)->destination.octet[0] ^= 1;
        break;
    case PORT:
        tcp->source_port = be16_from(4001);
        break;
    case LONGER:
        make(TEXT, TEXT + 1);
        break;
    case NO_ACK:
        tcp->flags = 0;
        break;
    case IP_SUM:
    case TCP_SUM:
    case DIFFERENCES:
        break;
    }
    fix_ip(&frame);
    fix_transport(&frame);
    if (what == IP_SUM)
        ip->checksum.octet[0] ^= 1;
    if (what == TCP_SUM)
        tcp->checksum.octet[0] ^= 1;
}

Test(hostile_gro, T40_segments_that_differ_in_anything_are_never_joined)
{
    for (enum difference what = TTL; what < DIFFERENCES; what++) {
        give_segment(0, TEXT);
        make(TEXT, TEXT);
        spoil(what);
        give();
        gro_flush();
        cr_assert_eq(up_count, 2, "difference %d", what);
        for (size_t i = 0; i < 2; i++)
            cr_assert_null(up[i]->train, "difference %d", what);
        cr_assert_eq(memcmp(up[1]->data, frame.bytes, frame.length), 0);
        free_all();
    }
}

Test(hostile_gro, T40_a_spoilt_first_segment_takes_no_other_with_it)
{
    make(0, TEXT);
    spoil(TCP_SUM);
    give();
    give_segment(TEXT, TEXT);
    give_segment(2 * TEXT, TEXT);
    gro_flush();
    cr_assert_eq(up_count, 2);
    cr_assert_eq(up[0]->checksum, PACKET_CHECKSUM_NONE);
    cr_assert_eq(up[1]->segment_count, 2);
    free_all();
}

Test(hostile_gro, T40_lengths_that_lie_are_left_to_those_above)
{
    for (size_t lie = 0; lie < 5; lie++) {
        static const uint16_t totals[] = {0, 39, 40, 1600, 65535};
        make(0, TEXT);
        ip_of(&frame)->total_length = be16_from(totals[lie]);
        give();
        cr_assert_eq(up_count, 1);
        free_all();
    }
    for (unsigned offset = 0; offset < 16; offset++) {
        make(0, TEXT);
        tcp_of(&frame)->data_offset = (uint8_t)(offset << 4);
        give();
        gro_flush();
        cr_assert_eq(up_count, 1);
        free_all();
    }
}

/* The card has found the checksum right; what is behind the frame is not its
 * text. */
static void give_with_lie(uint32_t seq, size_t length, uint16_t more)
{
    make(seq, length);
    ip_of(&frame)->total_length =
        be16_from((uint16_t)(be16_get(ip_of(&frame)->total_length) + more));
    fix_ip(&frame);
    struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);
    packet->netif = &device->netif;
    packet->checksum = PACKET_CHECKSUM_VERIFIED;
    memcpy(packet_append(packet, frame.length), frame.bytes, frame.length);
    gro_receive(&device->netif, packet);
}

Test(hostile_gro, T40_a_length_that_lies_joins_nothing)
{
    for (uint16_t more = 1; more < 600; more += 50) {
        give_segment(0, TEXT);
        give_with_lie(TEXT, TEXT - 600, more);
        gro_flush();
        cr_assert_eq(up_count, 2);
        cr_assert_null(up[0]->train);
        free_all();
        give_with_lie(0, TEXT - more, more);
        give_segment(TEXT, TEXT);
        gro_flush();
        cr_assert_eq(up_count, 2);
        cr_assert_null(up[0]->train);
        free_all();
    }
}

Test(hostile_gro, T40_segments_of_two_networks_are_never_joined)
{
    static struct netif other;

    other = device->netif;
    give_segment(0, TEXT);
    make(TEXT, TEXT);
    struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);
    packet->netif = &other;
    memcpy(packet_append(packet, frame.length), frame.bytes, frame.length);
    gro_receive(&other, packet);
    gro_flush();
    cr_assert_eq(up_count, 2);
    cr_assert_null(up[0]->train);
    free_all();
}
