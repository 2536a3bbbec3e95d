/* SPDX-License-Identifier: MIT */
/*
 * GRO and forwarding: what is joined never leaves, what leaves was never
 * joined. A burst of one flow is taken from the ring in one turn, while a train
 * of another one, to ourselves, is being put together.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/ip/input.h"
#include "net/link/gro.h"
#include "net/wire/checksum.h"
#include "net/wire/tcp.h"

enum { SEGMENTS = 24, TEXT = 1448, OPTIONS = 12 };

static struct test_frame sent[SEGMENTS];
static struct test_frame own;

/* Both cables' neighbours are known. */
static void start(void)
{
    router_world();
    learn_peer();
    make_udp(&own, PEER_ADDRESS, 1, INSIDE_ADDRESS, 2, "", 0);
    inject(&own);
    forget_inside();
    ip_counters.out_forwarded = 0;
}

TestSuite(forward_trains, .init = start, .timeout = 60);

/* A segment with timestamps, as bulk transfers have them. */
static void make_segment(struct test_frame *frame, uint32_t destination,
                         uint32_t seq, size_t length)
{
    static const uint8_t options[OPTIONS] = {1, 1, 8, 10, 0, 0,
                                             0, 7, 0, 0,  0, 9};
    uint8_t bytes[TCP_HEADER_LENGTH + OPTIONS + TEXT];
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
        bytes[TCP_HEADER_LENGTH + OPTIONS + i] = (uint8_t)((seq + i) * 7 >> 3);
    make_ip(frame, IP_PROTOCOL_TCP, PEER_ADDRESS, destination, bytes,
            TCP_HEADER_LENGTH + OPTIONS + length);
    ip_of(frame)->identification = be16_from((uint16_t)(seq / TEXT));
    ip_of(frame)->fragment = be16_from(IPV4_DONT_FRAGMENT);
    fix_ip(frame);
    fix_transport(frame);
}

/* One more frame of the device's turn. */
static void put(const struct test_frame *frame)
{
    struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);

    memcpy(packet_append(packet, frame->length), frame->bytes, frame->length);
    packet->time_ns = world_now();
    netif_receive(&device->netif, packet);
}

static void end_turn(void)
{
    gro_flush();
    netif_flush();
    settle();
}

static void assert_same_but_for_a_hop(const struct ipv4_header *got,
                                      struct test_frame *frame)
{
    struct ipv4_header *wanted = ip_of(frame);

    cr_assert_not_null(got);
    wanted->ttl--;
    fix_ip(frame);
    cr_assert_eq(be16_get(got->total_length), be16_get(wanted->total_length));
    cr_assert_eq(memcmp(got, wanted, be16_get(wanted->total_length)), 0);
}

Test(forward_trains, a_burst_in_one_turn_leaves_as_its_own_segments)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        /* The last one is short, as at the end of what was written. */
        make_segment(&sent[i], INSIDE_ADDRESS, i * TEXT,
                     i == SEGMENTS - 1 ? 700 : TEXT);
        put(&sent[i]);
        make_segment(&own, OUR_ADDRESS, i * TEXT, TEXT);
        put(&own);
    }
    end_turn();
    cr_assert_geq(gro_counters.segments, SEGMENTS / 2, "nothing was joined");
    cr_assert_eq(ip_counters.out_forwarded, SEGMENTS);
    for (size_t i = 0; i < SEGMENTS; i++)
        assert_same_but_for_a_hop(inside_ip(i), &sent[i]);
    cr_assert_null(inside_ip(SEGMENTS));
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(forward_trains, a_segment_with_a_wrong_checksum_is_not_mended)
{
    for (uint32_t i = 0; i < 3; i++) {
        make_segment(&sent[i], INSIDE_ADDRESS, i * TEXT, TEXT);
        if (i == 1)
            ip_payload_of(&sent[i])[100] ^= 1;
        put(&sent[i]);
    }
    end_turn();
    for (size_t i = 0; i < 3; i++)
        assert_same_but_for_a_hop(inside_ip(i), &sent[i]);
}
