/* SPDX-License-Identifier: MIT */
/*
 * Making segments for support_trains.h.
 */
#include "tests/unit/support_trains.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/ip/input.h"
#include "net/link/gro.h"

void trains_start(void)
{
    static struct test_frame hello;

    router_world();
    learn_peer();
    make_udp(&hello, PEER_ADDRESS, 1, INSIDE_ADDRESS, 2, "", 0);
    inject(&hello);
    forget_inside();
    ip_counters.out_forwarded = 0;
    gro_counters = (struct gro_counters){0};
}

void make_segment(struct test_frame *frame, uint32_t destination,
                  uint32_t number, size_t length)
{
    static const uint8_t options[TCP_OPTIONS] = {1, 1, 8, 10, 0, 0,
                                                 0, 7, 0, 0,  0, 9};
    uint8_t bytes[TCP_HEADER_LENGTH + TCP_OPTIONS + TEXT];
    struct tcp_header *header = (void *)bytes;
    uint32_t seq = number * TEXT;

    *header = (struct tcp_header){
        .source_port = be16_from(4000),
        .destination_port = be16_from(80),
        .sequence = be32_from(seq),
        .acknowledgement = be32_from(77777),
        .data_offset = (TCP_HEADER_LENGTH + TCP_OPTIONS) / 4 << 4,
        .flags = TCP_ACK,
        .window = be16_from(500),
    };
    memcpy(header + 1, options, TCP_OPTIONS);
    for (size_t i = 0; i < length; i++)
        bytes[TCP_HEADER_LENGTH + TCP_OPTIONS + i] =
            (uint8_t)((seq + i) * 7 >> 3);
    make_ip(frame, IP_PROTOCOL_TCP, PEER_ADDRESS, destination, bytes,
            TCP_HEADER_LENGTH + TCP_OPTIONS + length);
    ip_of(frame)->identification = be16_from((uint16_t)(65530 + number));
    ip_of(frame)->fragment = be16_from(IPV4_DONT_FRAGMENT);
    fix_ip(frame);
    fix_transport(frame);
}

struct tcp_header *tcp_of(struct test_frame *frame)
{
    return (void *)ip_payload_of(frame);
}

void set_source_port(struct test_frame *frame, uint16_t port)
{
    tcp_of(frame)->source_port = be16_from(port);
    fix_transport(frame);
}

uint16_t source_port_of(const struct ipv4_header *header)
{
    const struct tcp_header *tcp = (const void *)(header + 1);

    return be16_get(tcp->source_port);
}

void put(const struct test_frame *frame)
{
    struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);

    memcpy(packet_append(packet, frame->length), frame->bytes, frame->length);
    packet->time_ns = world_now();
    netif_receive(&device->netif, packet);
}

void end_turn(void)
{
    gro_flush();
    netif_flush();
    settle();
}

void assert_same_but_for_a_hop(const struct ipv4_header *got,
                               struct test_frame *frame)
{
    struct ipv4_header *wanted = ip_of(frame);

    cr_assert_not_null(got);
    wanted->ttl--;
    fix_ip(frame);
    cr_assert_eq(be16_get(got->total_length), be16_get(wanted->total_length));
    cr_assert_eq(memcmp(got, wanted, be16_get(wanted->total_length)), 0);
}

/* ---- differences ----------------------------------------------------------
 */

void differ_in_ttl(struct test_frame *frame)
{
    ip_of(frame)->ttl--;
    fix_ip(frame);
}

void differ_in_tos(struct test_frame *frame)
{
    ip_of(frame)->tos ^= 1; /* ECT(1), say */
    fix_ip(frame);
}

void differ_in_identification(struct test_frame *frame)
{
    ip_of(frame)->identification = be16_from(7);
    fix_ip(frame);
}

void differ_in_fragment(struct test_frame *frame)
{
    ip_of(frame)->fragment = be16_from(0);
    fix_ip(frame);
}

void differ_in_window(struct test_frame *frame)
{
    tcp_of(frame)->window = be16_from(501);
    fix_transport(frame);
}

void differ_in_ack(struct test_frame *frame)
{
    tcp_of(frame)->acknowledgement = be32_from(77776);
    fix_transport(frame);
}

void differ_in_option(struct test_frame *frame)
{
    ((uint8_t *)(tcp_of(frame) + 1))[TCP_OPTIONS - 1]++;
    fix_transport(frame);
}

void differ_in_data_offset(struct test_frame *frame)
{
    tcp_of(frame)->data_offset = TCP_HEADER_LENGTH / 4 << 4;
    fix_transport(frame);
}

static void set_flags(struct test_frame *frame, uint8_t flags)
{
    tcp_of(frame)->flags |= flags;
    fix_transport(frame);
}

void be_fin(struct test_frame *frame)
{
    set_flags(frame, TCP_FIN);
}

void be_urgent(struct test_frame *frame)
{
    set_flags(frame, TCP_URG);
}

void be_cwr(struct test_frame *frame)
{
    set_flags(frame, TCP_CWR);
}

void be_ece(struct test_frame *frame)
{
    set_flags(frame, TCP_ECE);
}

void be_reset(struct test_frame *frame)
{
    set_flags(frame, TCP_RST);
}

void be_syn(struct test_frame *frame)
{
    set_flags(frame, TCP_SYN);
}

static void move(struct test_frame *frame, uint32_t by)
{
    struct tcp_header *tcp = tcp_of(frame);

    tcp->sequence = be32_from(be32_get(tcp->sequence) + by);
    fix_transport(frame);
}

void overlap_by_one(struct test_frame *frame)
{
    move(frame, UINT32_MAX);
}

void leave_a_hole(struct test_frame *frame)
{
    move(frame, 1);
}

void repeat_the_first(struct test_frame *frame)
{
    move(frame, (uint32_t)-TEXT);
}
