/* SPDX-License-Identifier: MIT */
/*
 * A router's world with masquerade: bulk transfers both ways through tracking
 * and translation, joined by GRO although they are for our own address; and
 * datagrams in pieces.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 * test-links: tests/unit/support_trains.c
 */
#include "tests/unit/support_trains.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/filter/firewall.h"
#include "net/ip/input.h"
#include "net/link/gro.h"
#include "net/net.h"
#include "net/tcp/tcp.h"

enum {
    SEGMENTS = 30,
    CLIENT_PORT = 4000,
    SERVER_PORT = 80,
    ISS = 1000000,
};

static const char rules[] =
    "table inet filter {\n"
    "  chain forward { type filter hook forward priority filter; policy drop;\n"
    "    ct state established,related accept\n"
    "    ct state invalid drop\n"
    "    iifname \"eth1\" accept }\n"
    "}\n"
    "table ip nat {\n"
    "  chain post { type nat hook postrouting priority srcnat;\n"
    "    oifname \"eth0\" masquerade }\n"
    "}\n";

static struct test_frame sent[SEGMENTS];
static struct test_frame frame;

/* From the client to the server as the client sends it. */
static void address(struct test_frame *f, bool is_upload, uint32_t server_side)
{
    struct tcp_header *tcp = tcp_of(f);

    ip_of(f)->source = be32_from(is_upload ? INSIDE_ADDRESS : PEER_ADDRESS);
    ip_of(f)->destination = be32_from(is_upload ? PEER_ADDRESS : server_side);
    tcp->source_port = be16_from(is_upload ? CLIENT_PORT : SERVER_PORT);
    tcp->destination_port = be16_from(is_upload ? SERVER_PORT : CLIENT_PORT);
    fix_ip(f);
    fix_transport(f);
}

static void number(struct test_frame *f, uint32_t sequence, uint32_t ack,
                   uint8_t flags)
{
    struct tcp_header *tcp = tcp_of(f);

    tcp->sequence = be32_from(sequence);
    tcp->acknowledgement = be32_from(ack);
    tcp->flags = flags;
    tcp->window = be16_from(65535);
    fix_transport(f);
}

/* SYN, SYN+ACK, ACK: both begin with ISS. */
static void open_flow(void)
{
    make_segment(&frame, PEER_ADDRESS, 0, 0);
    address(&frame, true, 0);
    number(&frame, ISS - 1, 0, TCP_SYN);
    inject_inside(&frame);
    make_segment(&frame, OUR_ADDRESS, 0, 0);
    address(&frame, false, OUR_ADDRESS);
    number(&frame, ISS - 1, ISS, TCP_SYN | TCP_ACK);
    inject(&frame);
    make_segment(&frame, PEER_ADDRESS, 0, 0);
    address(&frame, true, 0);
    number(&frame, ISS, ISS, TCP_ACK);
    inject_inside(&frame);
    forget_inside();
    forget_received();
    gro_counters = (struct gro_counters){0};
    ip_counters.out_forwarded = 0;
}

static void start(void)
{
    router_world_with_rules(rules);
    open_flow();
}

TestSuite(forward_nat, .init = start, .timeout = 60);
TestSuite(hostile_nat, .init = start, .timeout = 60);

static void put_on(struct device *card, const struct test_frame *f)
{
    struct packet *packet = packet_alloc(PACKET_RECEIVE_HEADROOM);
    struct ethernet_header *header;

    memcpy(packet_append(packet, f->length), f->bytes, f->length);
    header = (void *)packet->data;
    header->destination = card->netif.address;
    packet->time_ns = world_now();
    netif_receive(&card->netif, packet);
}

static void put_burst(bool is_upload)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        make_segment(&sent[i], PEER_ADDRESS, i, TEXT);
        address(&sent[i], is_upload, OUR_ADDRESS);
        number(&sent[i], ISS + i * TEXT, ISS, TCP_ACK);
        put_on(is_upload ? inside_device : device, &sent[i]);
    }
    end_turn();
}

/* What comes out at the client, at the server. */
static void assert_download_came(void)
{
    for (size_t i = 0; i < SEGMENTS; i++) {
        address(&sent[i], false, INSIDE_ADDRESS);
        assert_same_but_for_a_hop(inside_ip(i), &sent[i]);
    }
    cr_assert_null(inside_ip(SEGMENTS));
}

static void assert_upload_came(void)
{
    for (size_t i = 0; i < SEGMENTS; i++) {
        ip_of(&sent[i])->source = be32_from(OUR_ADDRESS);
        fix_ip(&sent[i]);
        fix_transport(&sent[i]);
        assert_same_but_for_a_hop(received_ip(IP_PROTOCOL_TCP, i), &sent[i]);
    }
}

Test(forward_nat, flows_are_told_among_the_counters)
{
    open_flow();
    cr_assert_eq(counter_value("filter_flows"), 1);
    cr_assert_eq(counter_value("filter_flows_created_total"), 1);
    cr_assert_gt(counter_value("filter_flows_max"), 1);
    cr_assert_eq(counter_value("filter_invalid_total"), 0);
}

/* Beside the one that is open. */
Test(forward_nat, a_flow_whose_time_is_over_makes_room_by_itself)
{
    make_udp(&frame, INSIDE_ADDRESS, 1, PEER_ADDRESS, 2, "x", 1);
    for (int i = 0; i < 2; i++) {
        inject_inside(&frame);
        cr_assert_eq(counter_value("filter_flows"), 2);
        world_run_for(100 * NS_PER_S);
        cr_assert_eq(counter_value("filter_flows"), 1);
    }
}

Test(forward_nat, a_download_is_translated_once_and_leaves_as_its_segments)
{
    put_burst(false);
    cr_assert_eq(gro_counters.trains, 1);
    cr_assert_eq(ip_counters.out_forwarded, 1);
    assert_download_came();
    cr_assert_eq(missing_buffers(), 0);
}

Test(forward_nat, an_upload_too)
{
    put_burst(true);
    cr_assert_eq(gro_counters.trains, 1);
    cr_assert_eq(ip_counters.out_forwarded, 1);
    assert_upload_came();
    cr_assert_eq(missing_buffers(), 0);
}

Test(forward_nat, switched_off_the_same_comes_out)
{
    cr_assert_eq(net_set("ipv4.ip_forward_gro", "0"), 0);
    put_burst(false);
    assert_download_came();
    put_burst(true);
    assert_upload_came();
    cr_assert_eq(gro_counters.trains, 0);
    cr_assert_eq(ip_counters.out_forwarded, 2 * SEGMENTS);
}

static void find_flow(void *context, const struct filter_flow_view *flow)
{
    *(struct filter_flow_view *)context = *flow;
}

Test(forward_nat, the_window_goes_on_behind_a_train)
{
    struct filter_flow_view flow = {0};

    put_burst(false);
    make_segment(&frame, PEER_ADDRESS, 0, 0);
    address(&frame, true, 0);
    number(&frame, ISS, ISS + SEGMENTS * TEXT, TCP_ACK);
    forget_received();
    inject_inside(&frame);
    cr_assert_not_null(received_ip(IP_PROTOCOL_TCP, 0));
    number(&frame, ISS, ISS + (SEGMENTS + 100) * TEXT, TCP_ACK);
    forget_received();
    inject_inside(&frame);
    cr_assert_null(received_ip(IP_PROTOCOL_TCP, 0), "of what never was sent");
    (void)filter_visit_flows(0, 1 << 20, world_now(), find_flow, &flow);
    cr_assert_geq(flow.direction[1].bytes, SEGMENTS * TEXT);
}

/* Beyond the client's window, as tracking knows it: the train is invalid as its
 * segments would be, and for nobody but ourselves, who have no such
 * connection. */
Test(hostile_nat, N3_a_train_outside_of_the_window_is_not_translated)
{
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        make_segment(&sent[i], PEER_ADDRESS, i, TEXT);
        address(&sent[i], false, OUR_ADDRESS);
        number(&sent[i], ISS + 0x40000000 + i * TEXT, ISS, TCP_ACK);
        put_on(device, &sent[i]);
    }
    end_turn();
    tcp_run_pending(world_now());
    end_turn();
    cr_assert_null(inside_ip(0));
    cr_assert_eq(missing_buffers(), 0);
    put_burst(false);
    assert_download_came();
}

/* ---- pieces -------------------------------------------------------------- */

enum { WHOLE = 2000, FIRST_PIECE = 1200 };

/* IPV4_DONT_FRAGMENT, in the pieces of a path whose MTU is looked for. */
static uint16_t flags_of_pieces;

/* Of the UDP datagram (header included) from `at` to `end`. */
static void inject_piece(const uint8_t *datagram, size_t at, size_t end)
{
    uint16_t more = flags_of_pieces | (end < WHOLE ? IPV4_MORE_FRAGMENTS : 0);

    make_ip(&frame, IP_PROTOCOL_UDP, INSIDE_ADDRESS, PEER_ADDRESS,
            datagram + at, end - at);
    ip_of(&frame)->identification = be16_from(77);
    ip_of(&frame)->fragment = be16_from((uint16_t)(at / 8 | more));
    fix_ip(&frame);
    inject_inside(&frame);
}

static void make_datagram(uint8_t *datagram)
{
    static struct test_frame whole;

    make_udp(&whole, INSIDE_ADDRESS, CLIENT_PORT, PEER_ADDRESS, 53,
             datagram + 8, WHOLE - 8);
    memcpy(datagram, ip_payload_of(&whole), WHOLE);
}

Test(hostile_nat, N5_pieces_are_put_together_before_they_are_translated)
{
    static uint8_t datagram[WHOLE], got[WHOLE + 1500];
    struct test_frame *check = &sent[0];
    size_t total = 0;

    for (size_t i = 8; i < WHOLE; i++)
        datagram[i] = (uint8_t)(i * 5);
    make_datagram(datagram);
    inject_piece(datagram, FIRST_PIECE, WHOLE); /* without ports, and first */
    cr_assert_null(received_ip(IP_PROTOCOL_UDP, 0));
    inject_piece(datagram, 0, FIRST_PIECE);
    for (size_t i = 0; received_ip(IP_PROTOCOL_UDP, i) != NULL; i++) {
        const struct ipv4_header *ip = received_ip(IP_PROTOCOL_UDP, i);
        size_t at = (be16_get(ip->fragment) & IPV4_FRAGMENT_OFFSET) * 8U;
        size_t length = be16_get(ip->total_length) - IPV4_HEADER_LENGTH;

        cr_assert_eq(be32_get(ip->source), OUR_ADDRESS);
        cr_assert_leq(at + length, WHOLE);
        memcpy(got + at, ip + 1, length);
        total += length;
    }
    cr_assert_eq(total, WHOLE);
    /* The same but for the checksum, which is right. */
    make_udp(check, OUR_ADDRESS, CLIENT_PORT, PEER_ADDRESS, 53, datagram + 8,
             WHOLE - 8);
    cr_assert_arr_eq(got, ip_payload_of(check), WHOLE);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile_nat, N5_pieces_that_overlap_are_translated_for_nobody)
{
    static uint8_t datagram[WHOLE];

    make_datagram(datagram);
    inject_piece(datagram, FIRST_PIECE, WHOLE);
    inject_piece(datagram, 0, FIRST_PIECE + 8);
    inject_piece(datagram, 0, FIRST_PIECE);
    cr_assert_null(received_ip(IP_PROTOCOL_UDP, 0));
}

/* As on Linux: what came in pieces that must not be cut leaves so, and in none
 * that are larger. */
Test(forward_nat, pieces_that_must_not_be_cut_stay_so)
{
    static uint8_t datagram[WHOLE];
    size_t count = 0;

    flags_of_pieces = IPV4_DONT_FRAGMENT;
    make_datagram(datagram);
    inject_piece(datagram, FIRST_PIECE, WHOLE);
    inject_piece(datagram, 0, FIRST_PIECE);
    for (; received_ip(IP_PROTOCOL_UDP, count) != NULL; count++) {
        const struct ipv4_header *ip = received_ip(IP_PROTOCOL_UDP, count);

        cr_assert((be16_get(ip->fragment) & IPV4_DONT_FRAGMENT) != 0);
        cr_assert_leq(be16_get(ip->total_length), 20 + FIRST_PIECE);
    }
    cr_assert_eq(count, 2);
    cr_assert_eq(missing_buffers(), 0);
}

Test(forward_nat, pieces_that_must_not_be_cut_and_are_too_long_are_told_of)
{
    static uint8_t datagram[WHOLE];

    device->netif.mtu = 1000;
    flags_of_pieces = IPV4_DONT_FRAGMENT;
    make_datagram(datagram);
    inject_piece(datagram, 0, FIRST_PIECE);
    inject_piece(datagram, FIRST_PIECE, WHOLE);
    cr_assert_null(received_ip(IP_PROTOCOL_UDP, 0));
    cr_assert_not_null(inside_ip(0), "the sender is told");
    cr_assert_eq(inside_ip(0)->protocol, IP_PROTOCOL_ICMP);
    cr_assert_eq(((const uint8_t *)(inside_ip(0) + 1))[1],
                 ICMP_FRAGMENTATION_NEEDED);
    cr_assert_eq(missing_buffers(), 0);
}

/* Only the largest pieces decide. */
Test(forward_nat, a_smaller_piece_that_must_not_be_cut_changes_nothing)
{
    static uint8_t datagram[WHOLE];
    size_t count = 0;

    make_datagram(datagram);
    inject_piece(datagram, 0, FIRST_PIECE);
    flags_of_pieces = IPV4_DONT_FRAGMENT;
    inject_piece(datagram, FIRST_PIECE, WHOLE);
    for (; received_ip(IP_PROTOCOL_UDP, count) != NULL; count++)
        cr_assert_eq(be16_get(received_ip(IP_PROTOCOL_UDP, count)->fragment) &
                         IPV4_DONT_FRAGMENT,
                     0);
    cr_assert_eq(count, 2);
}
