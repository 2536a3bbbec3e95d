/* SPDX-License-Identifier: MIT */
/*
 * What a router itself says of packets that it translates: resets and ICMP
 * errors must bear the addresses that their receiver knows, and belong to the
 * flow (RFC 5508 4.2, RFC 5382 8), although that flow is not in the table yet.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/filter/firewall.h"
#include "net/filter/flow.h"
#include "net/filter/rules.h"
#include "net/ip/forward.h"
#include "net/net.h"
#include "net/wire/checksum.h"
#include "net/wire/tcp.h"

enum {
    PORT = 4000,
    OUTSIDE_PORT = 8080,
    FORWARDED_PORT = 80,
    REFUSED_PORT = 81,
};

/* The outer port is forwarded and then refused. */
static const char rules[] =
    "table ip nat {\n"
    "  chain pre { type nat hook prerouting priority dstnat;\n"
    "    iifname eth0 tcp dport 8080 dnat to 192.168.1.2:81\n"
    "    iifname eth0 udp dport 8080 dnat to 192.168.1.2:81 }\n"
    "  chain post { type nat hook postrouting priority srcnat;\n"
    "    oifname eth0 masquerade }\n"
    "}\n"
    "table inet filter {\n"
    "  chain forward { type filter hook forward priority filter;\n"
    "    tcp dport 81 reject with tcp reset\n"
    "    udp dport 81 reject }\n"
    "  chain output { type filter hook output priority filter;\n"
    "    ct state invalid drop }\n"
    "}\n";

static struct test_frame frame;

static void start(void)
{
    router_world_with_rules(rules);
}

TestSuite(forward_answers, .init = start, .timeout = 60);

static void make_syn(uint32_t from, uint32_t to, uint16_t port)
{
    uint8_t segment[20] = {0, 0, 0, 0, 0,      0,       0, 100,
                           0, 0, 0, 0, 5 << 4, TCP_SYN, 1};
    struct tcp_header *tcp = (void *)segment;

    tcp->source_port = be16_from(PORT);
    tcp->destination_port = be16_from(port);
    make_ip(&frame, IP_PROTOCOL_TCP, from, to, segment, sizeof(segment));
    fix_transport(&frame);
}

static void assert_sound(const struct ipv4_header *ip, uint32_t from,
                         uint32_t to)
{
    cr_assert_not_null(ip, "nothing came");
    cr_assert(is_header_sound(ip));
    cr_assert_eq(be32_get(ip->source), from);
    cr_assert_eq(be32_get(ip->destination), to);
}

static void assert_reset(const struct ipv4_header *ip, uint16_t from_port)
{
    const struct tcp_header *tcp = (const void *)(ip + 1);
    uint32_t sum = checksum_add(0, tcp, sizeof(*tcp));

    sum = checksum_add_32(sum, be32_get(ip->source));
    sum = checksum_add_32(sum, be32_get(ip->destination));
    sum = checksum_add_32(sum, sizeof(*tcp) + IP_PROTOCOL_TCP);
    cr_assert(checksum_is_valid(sum));
    cr_assert_eq(tcp->flags, TCP_RST | TCP_ACK);
    cr_assert_eq(be16_get(tcp->source_port), from_port);
    cr_assert_eq(be16_get(tcp->destination_port), PORT);
    cr_assert_eq(be32_get(tcp->acknowledgement), 101);
}

/* An error that quotes a packet as its sender sent it. */
static const struct icmp_header *assert_error(const struct ipv4_header *ip,
                                              uint32_t from, uint32_t to,
                                              uint16_t port)
{
    const struct icmp_header *icmp = (const void *)(ip + 1);
    const struct ipv4_header *quoted = (const void *)(icmp + 1);
    const struct udp_header *ports = (const void *)(quoted + 1);

    cr_assert(checksum_is_valid(checksum_add(
        0, icmp, be16_get(ip->total_length) - IPV4_HEADER_LENGTH)));
    cr_assert(is_header_sound(quoted));
    cr_assert_eq(be32_get(quoted->source), from);
    cr_assert_eq(be32_get(quoted->destination), to);
    cr_assert_eq(be16_get(ports->destination_port), port);
    return icmp;
}

Test(forward_answers, a_reset_comes_from_the_port_that_was_asked)
{
    make_syn(PEER_ADDRESS, OUR_ADDRESS, OUTSIDE_PORT);
    inject(&frame);
    assert_sound(received_ip(IP_PROTOCOL_TCP, 0), OUR_ADDRESS, PEER_ADDRESS);
    assert_reset(received_ip(IP_PROTOCOL_TCP, 0), OUTSIDE_PORT);
    cr_assert_eq(flow_count(), 0);
}

Test(forward_answers, a_refusal_quotes_the_port_that_was_asked)
{
    make_udp(&frame, PEER_ADDRESS, PORT, OUR_ADDRESS, OUTSIDE_PORT, "x", 1);
    inject(&frame);
    assert_sound(received_ip(IP_PROTOCOL_ICMP, 0), OUR_ADDRESS, PEER_ADDRESS);
    assert_error(received_ip(IP_PROTOCOL_ICMP, 0), PEER_ADDRESS, OUR_ADDRESS,
                 OUTSIDE_PORT);
    cr_assert_eq(flow_count(), 0);
}

Test(forward_answers, a_refused_connection_from_inside_is_told)
{
    make_syn(INSIDE_ADDRESS, PEER_ADDRESS, REFUSED_PORT);
    inject_inside(&frame);
    assert_sound(inside_ip(0), PEER_ADDRESS, INSIDE_ADDRESS);
    assert_reset(inside_ip(0), REFUSED_PORT);
    cr_assert_eq(flow_count(), 0);
}

static void load(const char *text)
{
    struct rules_error error;

    cr_assert_eq(rules_load("f", text, strlen(text), &error), 0, "%s",
                 error.text);
}

static size_t told_inside(void)
{
    size_t count = 0;

    while (inside_ip(count) != NULL)
        count++;
    return count;
}

/* As on Linux: both hooks, one behind the other, with their limits. */
Test(forward_answers, a_refusal_meets_the_rules_of_its_own_way_out)
{
    load("table ip t {\n"
         "chain f { type filter hook forward priority 0; reject; }\n"
         "chain o { type filter hook output priority 0\n"
         "tcp flags rst drop\n"
         "icmp type 3 limit rate over 1/day burst 5 packets drop; }\n"
         "chain p { type filter hook postrouting priority 0\n"
         "iifname != eth0 limit rate over 1/day burst 3 packets drop; }\n"
         "}\n");
    for (uint16_t i = 0; i < 10; i++) {
        make_udp(&frame, INSIDE_ADDRESS, PORT, PEER_ADDRESS, REFUSED_PORT, "x",
                 1);
        inject_inside(&frame);
    }
    cr_assert_eq(told_inside(), 3);
    load("table ip t {\n"
         "chain f { type filter hook forward priority 0\n"
         "reject with tcp reset; }\n"
         "chain p { type filter hook postrouting priority 0\n"
         "ct state related tcp flags & rst != 0 drop; }\n"
         "}\n");
    make_syn(INSIDE_ADDRESS, PEER_ADDRESS, REFUSED_PORT);
    inject_inside(&frame);
    cr_assert_eq(told_inside(), 3);
}

static void assert_hop_is_told(void)
{
    const struct icmp_header *icmp;

    forget_inside();
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    inject_inside(&frame);
    assert_sound(inside_ip(0), INSIDE_ROUTER, INSIDE_ADDRESS);
    icmp = assert_error(inside_ip(0), INSIDE_ADDRESS, PEER_ADDRESS,
                        FORWARDED_PORT);
    cr_assert_eq(icmp->type, ICMP_TIME_EXCEEDED);
}

Test(forward_answers, a_hop_is_told_though_what_is_invalid_may_not_leave)
{
    make_syn(INSIDE_ADDRESS, PEER_ADDRESS, FORWARDED_PORT);
    assert_hop_is_told();
    cr_assert_eq(flow_count(), 0);
}

Test(forward_answers, a_hop_of_a_flow_behind_masquerade_is_told)
{
    make_syn(INSIDE_ADDRESS, PEER_ADDRESS, FORWARDED_PORT);
    inject_inside(&frame);
    cr_assert_eq(flow_count(), 1);
    assert_hop_is_told();
}

/* The quoted packet was translated before its next hop was found silent. */
Test(forward_answers, a_next_hop_that_is_silent_is_told_to_whom_it_concerns)
{
    const struct icmp_header *icmp;

    peer.answers_arp = false;
    make_syn(INSIDE_ADDRESS, OTHER_ADDRESS, FORWARDED_PORT);
    inject_inside(&frame);
    world_run_for(5 * NS_PER_S);
    cr_assert_not_null(inside_ip(0), "nothing came");
    cr_assert(is_header_sound(inside_ip(0)));
    cr_assert_eq(be32_get(inside_ip(0)->destination), INSIDE_ADDRESS);
    icmp = assert_error(inside_ip(0), INSIDE_ADDRESS, OTHER_ADDRESS,
                        FORWARDED_PORT);
    cr_assert_eq(icmp->type, ICMP_DESTINATION_UNREACHABLE);
    cr_assert_eq(icmp->code, ICMP_HOST_UNREACHABLE);
}
