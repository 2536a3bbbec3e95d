/* SPDX-License-Identifier: MIT */
/*
 * ICMP: echo, the errors we make and those we believe.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/route.h"
#include "net/udp/udp.h"

static struct test_frame frame;

TestSuite(icmp, .init = net_world, .timeout = 60);

Test(icmp, echo_request_is_answered_with_its_data)
{
    const struct icmp_header *reply;

    learn_peer();
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0,
              0x12340001, "abcdefg", 7);
    inject(&frame);
    reply = received_icmp(0);
    cr_assert_not_null(reply);
    cr_assert_eq(reply->type, ICMP_ECHO_REPLY);
    cr_assert_eq(memcmp(reply->rest, "\x12\x34\x00\x01", 4), 0);
    cr_assert_eq(memcmp(reply + 1, "abcdefg", 7), 0);
    cr_assert_null(received_icmp(1));
    cr_assert_eq(missing_packets(), 0);
}

/* The peer's own arithmetic: over the whole message it must come to ffff. */
static bool checksum_is_right(const struct ipv4_header *ip)
{
    const uint8_t *bytes = (const uint8_t *)ip + ipv4_header_length(ip);
    size_t length = be16_get(ip->total_length) - ipv4_header_length(ip);
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

Test(icmp, echo_reply_has_a_right_checksum_for_every_length)
{
    uint8_t payload[64];

    learn_peer();
    for (size_t length = 0; length < sizeof(payload); length++) {
        memset(payload, (int)length * 7, sizeof(payload));
        make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0,
                  (uint32_t)length, payload, length);
        inject(&frame);
        cr_assert_not_null(received_ip(1, length));
        cr_assert(checksum_is_right(received_ip(1, length)), "length %zu",
                  length);
    }
}

Test(icmp, echo_to_an_unknown_neighbour_waits_for_arp)
{
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    cr_assert_null(received_icmp(0));
    cr_assert_not_null(received_arp(0));
    peer.answers_arp = true;
    world_run_for(2 * NS_PER_S);
    cr_assert_not_null(received_icmp(0));
}

Test(icmp, large_echo_is_reassembled_answered_and_fragmented)
{
    static uint8_t payload[8000];
    static struct test_frame whole;
    size_t total = 0;

    learn_peer();
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(i * 13);
    make_icmp(&whole, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 7,
              payload, sizeof(payload));
    for (size_t at = 0; at < sizeof(payload) + 8; at += 1480) {
        size_t left = sizeof(payload) + 8 - at;
        size_t length = left < 1480 ? left : 1480;

        make_ip(&frame, 1, PEER_ADDRESS, OUR_ADDRESS,
                ip_payload_of(&whole) + at, length);
        ip_of(&frame)->fragment = be16_from(
            (uint16_t)(at / 8 | (left > 1480 ? IPV4_MORE_FRAGMENTS : 0)));
        fix_ip(&frame);
        inject(&frame);
    }
    for (size_t n = 0; received_ip(1, n) != NULL; n++) {
        const struct ipv4_header *ip = received_ip(1, n);
        size_t offset =
            (size_t)(be16_get(ip->fragment) & IPV4_FRAGMENT_OFFSET) * 8;
        size_t length = be16_get(ip->total_length) - 20u;
        const uint8_t *bytes = (const uint8_t *)ip + 20;

        for (size_t i = offset == 0 ? 8 : 0; i < length; i++)
            cr_assert_eq(bytes[i], payload[offset + i - 8]);
        total += length;
    }
    cr_assert_eq(total, sizeof(payload) + 8);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(icmp, port_unreachable_quotes_the_datagram)
{
    const struct icmp_header *error;

    learn_peer();
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 9999, "hello", 5);
    inject(&frame);
    error = received_icmp(0);
    cr_assert_not_null(error);
    cr_assert_eq(error->type, ICMP_DESTINATION_UNREACHABLE);
    cr_assert_eq(error->code, ICMP_PORT_UNREACHABLE);
    cr_assert_eq(memcmp(error + 1, ip_of(&frame), 20 + 8 + 5), 0);
    cr_assert(checksum_is_right(received_ip(1, 0)));
}

Test(icmp, unknown_protocol_is_told)
{
    const struct icmp_header *error;

    learn_peer();
    make_ip(&frame, 132, PEER_ADDRESS, OUR_ADDRESS, "12345678", 8);
    inject(&frame);
    error = received_icmp(0);
    cr_assert_not_null(error);
    cr_assert_eq(error->code, ICMP_PROTOCOL_UNREACHABLE);
}

static struct udp_socket *connected_socket(void)
{
    struct udp_endpoint remote = {mapped(PEER_ADDRESS), 4000};
    struct udp_endpoint local = {mapped(0), 5000};
    struct udp_socket *socket;

    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &local), 0);
    cr_assert_eq(udp_connect(socket, &remote), 0);
    return socket;
}

/* An error about a datagram from our port 5000 to the peer's 4000. */
static void make_error(uint8_t type, uint8_t code, uint32_t rest)
{
    static struct test_frame inner;

    make_udp(&inner, OUR_ADDRESS, 5000, PEER_ADDRESS, 4000, "x", 1);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, type, code, rest,
              ip_of(&inner), 28);
}

Test(icmp, port_unreachable_reaches_the_connected_socket)
{
    struct udp_socket *socket = connected_socket();

    make_error(ICMP_DESTINATION_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
    inject(&frame);
    cr_assert_eq(udp_take_error(socket), ECONNREFUSED);
    cr_assert_eq(udp_take_error(socket), 0);
}

/* What a connected socket hears, as on Linux; RFC 1122 4.1.3.3. */
static const struct {
    uint8_t type;
    uint8_t code;
    int heard;
} errors[] = {
    {ICMP_DESTINATION_UNREACHABLE, ICMP_NET_UNREACHABLE, ENETUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_UNREACHABLE, EHOSTUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_PROTOCOL_UNREACHABLE, ENOPROTOOPT},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_SOURCE_ROUTE_FAILED, 0},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_NET_UNKNOWN, ENETUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_UNKNOWN, EHOSTUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_NET_PROHIBITED, EHOSTUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_PROHIBITED, EHOSTUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_NET_TOS, ENETUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_TOS, EHOSTUNREACH},
    {ICMP_DESTINATION_UNREACHABLE, ICMP_PROHIBITED, EHOSTUNREACH},
    {ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, 0},
    {ICMP_TIME_EXCEEDED, ICMP_REASSEMBLY_EXCEEDED, 0},
    {ICMP_PARAMETER_PROBLEM, 0, 0},
};

Test(icmp, each_error_is_told_as_what_it_is)
{
    struct udp_socket *socket = connected_socket();

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        make_error(errors[i].type, errors[i].code, 0);
        inject(&frame);
        cr_assert_eq(udp_take_error(socket), errors[i].heard, "%u/%u",
                     errors[i].type, errors[i].code);
    }
    cr_assert_eq(counter_value("icmp_in_ignored_total"), 0);
    cr_assert_eq(missing_packets(), 0);
}

Test(icmp, errors_of_no_known_code_are_ignored)
{
    struct udp_socket *socket = connected_socket();

    make_error(ICMP_DESTINATION_UNREACHABLE, 8, 0);
    inject(&frame);
    make_error(ICMP_DESTINATION_UNREACHABLE, 14, 0);
    inject(&frame);
    make_error(ICMP_TIME_EXCEEDED, 2, 0);
    inject(&frame);
    cr_assert_eq(udp_take_error(socket), 0);
    cr_assert_eq(drop_count(DROP_ICMP_IGNORED), 3);
    cr_assert_eq(missing_packets(), 0);
}

Test(icmp, an_asker_whom_no_way_leads_to_is_not_answered)
{
    learn_peer();
    ip_route_remove_default(&device->netif);
    make_icmp(&frame, FAR_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    cr_assert_eq(drop_count(DROP_IP_NO_ROUTE), 1);
    cr_assert_eq(received_count(), 0);
    cr_assert_eq(missing_packets(), 0);
}

/* RFC 1122 3.2.2, RFC 1812 4.3.2.7: of whom nobody may be told. */
static void assert_not_told_of(uint32_t source, uint32_t destination)
{
    make_udp(&frame, source, 4000, destination, 9999, "x", 1);
    inject(&frame);
    cr_assert_eq(received_count(), 0);
    cr_assert_eq(counter_value("icmp_out_messages_total"), 0);
}

Test(icmp, nobody_is_told_of_what_was_sent_to_many)
{
    learn_peer();
    assert_not_told_of(PEER_ADDRESS, 0x0a0000ff);
    assert_not_told_of(PEER_ADDRESS, 0xffffffff);
    assert_not_told_of(PEER_ADDRESS, 0xe0000001);
}

Test(icmp, error_about_another_port_reaches_nobody)
{
    struct udp_socket *socket = connected_socket();

    make_error(ICMP_DESTINATION_UNREACHABLE, ICMP_PORT_UNREACHABLE, 0);
    ip_payload_of(&frame)[8 + 20 + 1]++; /* our port in the quote */
    fix_transport(&frame);
    inject(&frame);
    cr_assert_eq(udp_take_error(socket), 0);
}

Test(icmp, host_that_does_not_answer_arp_is_unreachable)
{
    struct udp_socket *socket = connected_socket();

    (void)world_enter(stack);
    cr_assert_eq(udp_send(socket, NULL, "x", 1, world_now()), 1);
    world_leave(stack);
    world_run_for(2 * NS_PER_S + NS_PER_S / 2);
    cr_assert_eq(udp_take_error(socket), 0);
    world_run_for(NS_PER_S);
    cr_assert_eq(udp_take_error(socket), EHOSTUNREACH);
    cr_assert_eq(missing_packets(), 0);
}

Test(icmp, errors_to_one_peer_are_limited)
{
    learn_peer();
    for (int i = 0; i < 100; i++) {
        make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 9999, "x", 1);
        inject(&frame);
    }
    cr_assert_geq(counter_value("icmp_out_unreachables_total"), 5);
    cr_assert_leq(counter_value("icmp_out_unreachables_total"), 8);
    world_run_for(NS_PER_S);
    inject(&frame);
    cr_assert_leq(counter_value("icmp_out_unreachables_total"), 9);
    cr_assert_geq(counter_value("icmp_out_unreachables_total"), 6);
}

Test(icmp, echo_can_be_switched_off)
{
    learn_peer();
    cr_assert_eq(stack->call->net_set("ipv4.icmp_echo_ignore_all", "2"),
                 -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.icmp_echo_ignore_all", "1"), 0);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    cr_assert_null(received_icmp(0));
}
