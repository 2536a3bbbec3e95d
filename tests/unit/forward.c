/* SPDX-License-Identifier: MIT */
/*
 * Forwarding: what is sent on and how, what is refused and who is told.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/filter/filter.h"
#include "net/ip/input.h"
#include "net/ip/route.h"
#include "net/wire/checksum.h"

static struct test_frame frame;

static void start(void)
{
    router_world();
}

TestSuite(forward, .init = start, .timeout = 60);
TestSuite(hostile, .init = start, .timeout = 60);

Test(forward, packets_for_others_are_sent_on_with_one_hop_less)
{
    const struct ipv4_header *sent;

    make_transit(&frame, 100);
    ip_of(&frame)->tos = 0xb8;
    fix_ip(&frame);
    inject(&frame);
    sent = inside_ip(0);
    cr_assert_not_null(sent);
    cr_assert_eq(sent->ttl, ip_of(&frame)->ttl - 1);
    cr_assert(is_header_sound(sent));
    cr_assert_eq(sent->tos, 0xb8);
    cr_assert(be16_equal(sent->identification, ip_of(&frame)->identification));
    cr_assert_arr_eq((const uint8_t *)sent + 12,
                     (const uint8_t *)ip_of(&frame) + 12, 8 + 8 + 100);
    cr_assert_eq(ip_counters.out_forwarded, 1);
    cr_assert_eq(missing_packets(), 0);
}

Test(forward, every_ttl_and_checksum_comes_out_right)
{
    for (unsigned ttl = 2; ttl < 256; ttl++) {
        make_transit(&frame, 8);
        ip_of(&frame)->ttl = (uint8_t)ttl;
        ip_of(&frame)->identification = be16_from((uint16_t)world_random());
        fix_ip(&frame);
        inject(&frame);
        cr_assert_not_null(inside_ip(0));
        cr_assert_eq(inside_ip(0)->ttl, ttl - 1);
        cr_assert(is_header_sound(inside_ip(0)));
        forget_inside();
    }
}

Test(forward, a_host_does_not)
{
    cr_assert_eq(stack->call->net_set("ipv4.ip_forward", "0"), 0);
    make_transit(&frame, 100);
    assert_transit_dropped(&frame, DROP_IP_NOT_FORWARDED);
    cr_assert_eq(received_count(), 0);
    cr_assert_eq(stack->call->net_set("ipv4.ip_forward", "1"), 0);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    cr_assert_eq(stack->call->net_set("ipv4.ip_forward", "2"), -EINVAL);
}

Test(forward, both_ways)
{
    make_udp(&frame, INSIDE_ADDRESS, 7, PEER_ADDRESS, 8, "abc", 3);
    inject_inside(&frame);
    settle();
    cr_assert_not_null(received_udp(0));
    cr_assert_null(inside_ip(0));
}

Test(forward, options_are_carried_along)
{
    static const uint8_t record_route[] = {7, 7, 4, 0, 0, 0, 0, 1};

    make_transit(&frame, 100);
    add_ip_options(&frame, record_route, sizeof(record_route));
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    cr_assert_eq(ipv4_header_length(inside_ip(0)), 28);
    cr_assert_arr_eq(inside_ip(0) + 1, record_route, sizeof(record_route));
}

Test(hostile, I15_unknown_protocols_are_forwarded_blindly)
{
    static const uint8_t few[3] = {1, 2, 3};

    for (unsigned protocol = 0; protocol < 256; protocol++) {
        make_ip(&frame, (uint8_t)protocol, PEER_ADDRESS, INSIDE_ADDRESS, few,
                sizeof(few));
        inject(&frame);
        cr_assert_not_null(inside_ip(0), "%u", protocol);
        cr_assert_arr_eq(inside_ip(0) + 1, few, sizeof(few));
        forget_inside();
    }
    cr_assert_eq(received_count(), 0);
}

Test(hostile, I16_time_exceeded_is_told)
{
    for (uint8_t ttl = 0; ttl < 2; ttl++) {
        make_transit(&frame, 100);
        ip_of(&frame)->ttl = ttl;
        fix_ip(&frame);
        assert_transit_dropped(&frame, DROP_IP_TTL);
        cr_assert_eq(received_icmp(ttl)->type, ICMP_TIME_EXCEEDED);
        cr_assert_eq(received_icmp(ttl)->code, ICMP_TTL_EXCEEDED);
        /* RFC 1812 4.3.2.4: from the interface it leaves by. */
        cr_assert_eq(be32_get(received_ip(1, ttl)->source), OUR_ADDRESS);
        cr_assert_arr_eq(received_icmp(ttl) + 1, ip_of(&frame), 28);
    }
}

Test(hostile, I16_errors_and_later_fragments_are_not_answered)
{
    make_icmp(&frame, PEER_ADDRESS, INSIDE_ADDRESS, 11, 0, 0, "0123456789", 10);
    ip_of(&frame)->ttl = 1;
    fix_ip(&frame);
    assert_transit_dropped(&frame, DROP_IP_TTL);
    make_transit(&frame, 100);
    ip_of(&frame)->ttl = 1;
    ip_of(&frame)->fragment = be16_from(10);
    fix_ip(&frame);
    assert_transit_dropped(&frame, DROP_IP_TTL);
    cr_assert_eq(received_count(), 0);
}

Test(hostile, I16_a_flood_of_the_dying_is_answered_within_limits)
{
    for (unsigned i = 0; i < 500; i++) {
        make_transit(&frame, 100);
        ip_of(&frame)->ttl = 1;
        fix_ip(&frame);
        inject(&frame);
    }
    cr_assert_not_null(received_icmp(0));
    cr_assert_leq(received_count(), 10);
}

Test(hostile, I17_what_is_too_long_and_may_not_be_cut_is_told_the_mtu)
{
    inside_device->netif.mtu = 1280;
    make_transit(&frame, 1300);
    ip_of(&frame)->fragment = be16_from(IPV4_DONT_FRAGMENT);
    fix_ip(&frame);
    assert_transit_dropped(&frame, DROP_IP_TOO_BIG);
    cr_assert_eq(received_icmp(0)->type, ICMP_DESTINATION_UNREACHABLE);
    cr_assert_eq(received_icmp(0)->code, ICMP_FRAGMENTATION_NEEDED);
    cr_assert_eq(received_icmp(0)->rest[2] << 8 | received_icmp(0)->rest[3],
                 1280);
}

Test(hostile, I17_a_flood_of_what_is_too_long_is_told_within_limits)
{
    inside_device->netif.mtu = 1280;
    for (unsigned i = 0; i < 500; i++) {
        make_transit(&frame, 1300);
        ip_of(&frame)->fragment = be16_from(IPV4_DONT_FRAGMENT);
        fix_ip(&frame);
        inject(&frame);
    }
    cr_assert_not_null(received_icmp(0));
    cr_assert_leq(received_count(), 10);
    cr_assert_eq(drop_count(DROP_IP_TOO_BIG), 500);
}

Test(forward, what_is_too_long_is_cut)
{
    uint8_t got[1308] = {0};
    size_t total = 0;

    inside_device->netif.mtu = 576;
    make_transit(&frame, 1300);
    inject(&frame);
    for (size_t i = 0; inside_ip(i) != NULL; i++) {
        const struct ipv4_header *piece = inside_ip(i);
        uint16_t field = be16_get(piece->fragment);
        size_t length = be16_get(piece->total_length) - sizeof(*piece);

        cr_assert_leq(be16_get(piece->total_length), 576);
        cr_assert(is_header_sound(piece));
        cr_assert_eq(piece->ttl, ip_of(&frame)->ttl - 1);
        memcpy(got + (field & 0x1fff) * 8, piece + 1, length);
        total += length;
    }
    cr_assert_eq(total, sizeof(got));
    cr_assert_arr_eq(got, ip_payload_of(&frame), sizeof(got));
    cr_assert_eq(missing_packets(), 0);
}

Test(forward, a_piece_that_is_too_long_is_cut_again)
{
    const struct ipv4_header *last = NULL;

    inside_device->netif.mtu = 576;
    make_transit(&frame, 1200);
    ip_of(&frame)->fragment = be16_from(IPV4_MORE_FRAGMENTS | 100);
    fix_ip(&frame);
    inject(&frame);
    for (size_t i = 0; inside_ip(i) != NULL; i++) {
        uint16_t field = be16_get(inside_ip(i)->fragment);

        cr_assert((field & IPV4_MORE_FRAGMENTS) != 0);
        cr_assert_geq(field & IPV4_FRAGMENT_OFFSET, 100);
        last = inside_ip(i);
    }
    cr_assert_not_null(last);
    cr_assert_eq((be16_get(last->fragment) & IPV4_FRAGMENT_OFFSET) * 8 +
                     be16_get(last->total_length) - 20,
                 800 + 1208);
}

Test(forward, options_that_are_to_be_copied_are_in_every_piece)
{
    /* A stream id (copied) and a record of routes (not). */
    static const uint8_t options[] = {136, 4, 1, 2, 7, 7, 4, 0, 0, 0, 0, 0};

    inside_device->netif.mtu = 576;
    make_transit(&frame, 1200);
    add_ip_options(&frame, options, sizeof(options));
    inject(&frame);
    cr_assert_not_null(inside_ip(2));
    cr_assert_eq(ipv4_header_length(inside_ip(0)), 32);
    cr_assert_arr_eq(inside_ip(0) + 1, options, sizeof(options));
    for (size_t i = 1; inside_ip(i) != NULL; i++) {
        cr_assert_eq(ipv4_header_length(inside_ip(i)), 24);
        cr_assert_arr_eq(inside_ip(i) + 1, options, 4);
        cr_assert(is_header_sound(inside_ip(i)));
        cr_assert_leq(be16_get(inside_ip(i)->total_length), 576);
    }
}

/* A router alert behind two that are not, and of odd lengths. */
Test(forward, options_behind_others_are_copied_and_padded)
{
    static const uint8_t options[] = {1, 7, 3, 4, 148, 3, 9, 1, 0, 0, 0, 0};

    inside_device->netif.mtu = 576;
    make_transit(&frame, 1200);
    add_ip_options(&frame, options, sizeof(options));
    inject(&frame);
    for (size_t i = 1; i < 3; i++) {
        cr_assert_not_null(inside_ip(i));
        cr_assert_eq(ipv4_header_length(inside_ip(i)), 24);
        cr_assert_arr_eq(inside_ip(i) + 1, "\x94\x03\x09\0", 4);
        cr_assert(is_header_sound(inside_ip(i)));
    }
}

Test(forward, there_is_no_way)
{
    make_udp(&frame, INSIDE_ADDRESS, 1, FAR_ADDRESS, 2, "x", 1);
    ip_deconfigure(&device->netif);
    inject_inside(&frame);
    settle();
    cr_assert_eq(drop_count(DROP_IP_NO_ROUTE), 1);
    cr_assert_eq(inside_ip(0)->protocol, 1);
    cr_assert_eq(((const struct icmp_header *)(inside_ip(0) + 1))->code,
                 ICMP_NET_UNREACHABLE);
}

static void add_special(enum ip_path_kind kind)
{
    struct ip_prefix prefix = {FAR_ADDRESS, 24};
    struct ip_path path = {.kind = (uint8_t)kind};

    cr_assert_eq(ip_route_add_path(prefix, &path, 0), 0);
    make_udp(&frame, INSIDE_ADDRESS, 1, FAR_ADDRESS, 2, "x", 1);
    inject_inside(&frame);
    cr_assert_eq(drop_count(DROP_IP_NO_ROUTE), 1);
}

Test(forward, a_black_hole_is_silent)
{
    struct ip_address to = mapped(FAR_ADDRESS);
    struct ip_address any = mapped(0);
    struct ip_route route;

    add_special(IP_PATH_BLACKHOLE);
    cr_assert_null(inside_ip(0));
    cr_assert_eq(ip_route_lookup(&to, &any, &route), -EINVAL);
}

Test(forward, a_source_that_no_way_leads_to_is_not_taken)
{
    add_special(IP_PATH_BLACKHOLE);
    make_udp(&frame, FAR_ADDRESS, 1, INSIDE_ADDRESS, 2, "x", 1);
    assert_transit_dropped(&frame, DROP_IP_SOURCE);
}

Test(forward, an_unreachable_network_says_so)
{
    struct ip_address to = mapped(FAR_ADDRESS);
    struct ip_address any = mapped(0);
    struct ip_route route;

    add_special(IP_PATH_UNREACHABLE);
    cr_assert_eq(((const struct icmp_header *)(inside_ip(0) + 1))->code,
                 ICMP_HOST_UNREACHABLE);
    cr_assert_eq(ip_route_lookup(&to, &any, &route), -EHOSTUNREACH);
}

Test(forward, a_next_hop_that_does_not_answer_is_told)
{
    inside.is_deaf = true;
    make_transit(&frame, 100);
    inject(&frame);
    world_run_for(4 * NS_PER_S);
    cr_assert_eq(received_icmp(0)->type, ICMP_DESTINATION_UNREACHABLE);
    cr_assert_eq(received_icmp(0)->code, ICMP_HOST_UNREACHABLE);
    cr_assert_eq(missing_packets(), 0);
}

Test(hostile, E8_link_broadcasts_are_not_forwarded)
{
    make_transit(&frame, 100);
    memset(ethernet_of(&frame)->destination.octet, 0xff, 6);
    assert_transit_dropped(&frame, DROP_IP_BROADCAST_FRAME);
    cr_assert_eq(received_count(), 0);
}

Test(hostile, E8_broadcasts_and_groups_are_not_forwarded)
{
    static const uint32_t addresses[] = {
        0xffffffff, 0xe0000001, 0xe1020304, 0x7f000001, 0x00000001, 0xf0000001,
    };

    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
        make_udp(&frame, PEER_ADDRESS, 1, addresses[i], 2, "x", 1);
        inject(&frame);
        cr_assert_null(inside_ip(0), "%08x", addresses[i]);
    }
    make_udp(&frame, PEER_ADDRESS, 1, 0xc0a801ff, 2, "x", 1); /* directed */
    assert_transit_dropped(&frame, DROP_IP_DESTINATION);
}

Test(hostile, I4_martian_sources_are_not_forwarded)
{
    static const uint32_t sources[] = {
        0,          0x7f000001,  0xe0000001,    0xffffffff,
        0xf0000001, OUR_ADDRESS, INSIDE_ROUTER, 0x0a0000ff,
    };

    for (size_t i = 0; i < ARRAY_COUNT(sources); i++) {
        make_udp(&frame, sources[i], 1, INSIDE_ADDRESS, 2, "x", 1);
        assert_transit_dropped(&frame, DROP_IP_SOURCE);
    }
    cr_assert_eq(received_count(), 0);
}

Test(forward, sources_must_come_in_where_answers_would_leave)
{
    make_udp(&frame, 0xc0a80105, 1, INSIDE_ADDRESS, 2, "x", 1);
    assert_transit_dropped(&frame, DROP_IP_SOURCE);
    make_udp(&frame, FAR_ADDRESS, 1, INSIDE_ADDRESS, 2, "x", 1);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    forget_inside();
    make_udp(&frame, FAR_ADDRESS, 1, PEER_ADDRESS, 2, "x", 1);
    inject_inside(&frame);
    cr_assert_eq(drop_count(DROP_IP_SOURCE), 2);
}

Test(forward, source_validation_can_be_loose_or_off)
{
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.rp_filter", "2"), 0);
    make_udp(&frame, 0xc0a80105, 1, INSIDE_ADDRESS, 2, "x", 1);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.rp_filter", "0"), 0);
    inject(&frame);
    cr_assert_not_null(inside_ip(1));
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.rp_filter", "3"), -EINVAL);
}

static void ask_for(uint32_t asker, uint32_t address)
{
    forget_received();
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, asker, 0, address);
    inject(&frame);
}

/* RFC 1027: we answer for whom we would forward to, if asked to. */
Test(forward, proxy_arp_is_off_unless_switched_on)
{
    ask_for(PEER_ADDRESS, INSIDE_ADDRESS);
    cr_assert_null(received_arp(0));
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.proxy_arp", "2"), -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.proxy_arp", "1"), 0);
    ask_for(PEER_ADDRESS, INSIDE_ADDRESS);
    cr_assert_not_null(received_arp(0));
    cr_assert_eq(be16_get(received_arp(0)->operation), ARP_REPLY);
    cr_assert_eq(be32_get(received_arp(0)->sender_protocol), INSIDE_ADDRESS);
    cr_assert_eq(received_arp(0)->sender_hardware.octet[5], OUR_NUMBER);
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.proxy_arp", "0"), 0);
    ask_for(PEER_ADDRESS, INSIDE_ADDRESS);
    cr_assert_null(received_arp(0));
}

Test(forward, proxy_arp_answers_for_nobody_who_is_not_behind_another_interface)
{
    cr_assert_eq(stack->call->net_set("ipv4.conf.all.proxy_arp", "1"), 0);
    ask_for(PEER_ADDRESS, OTHER_ADDRESS); /* he hears it himself */
    cr_assert_null(received_arp(0));
    ask_for(PEER_ADDRESS, FAR_ADDRESS); /* by the same interface */
    cr_assert_null(received_arp(0));
    ask_for(PEER_ADDRESS, 0x7f000001);
    cr_assert_null(received_arp(0));
    ip_route_remove_default(&device->netif);
    ask_for(PEER_ADDRESS, FAR_ADDRESS); /* nowhere */
    cr_assert_null(received_arp(0));
    ask_for(0, INSIDE_ADDRESS); /* a probe: nobody here has it */
    cr_assert_null(received_arp(0));
    cr_assert_eq(stack->call->net_set("ipv4.ip_forward", "0"), 0);
    ask_for(PEER_ADDRESS, INSIDE_ADDRESS);
    cr_assert_null(received_arp(0));
}

/* Whoever gives an address to an interface is not known before. */
Test(forward, an_interface_without_address_hears_dhcp_and_nothing_else)
{
    struct netif *netif = netif_by_name("eth0");
    uint64_t before = ip_counters.in_delivers;

    cr_assert_not_null(netif);
    netif->ip = (struct netif_ip){0};
    make_udp(&frame, 0xc0a80109, 67, 0xffffffff, 68, "x", 1);
    inject(&frame);
    cr_assert_eq(ip_counters.in_delivers, before + 1);
    make_udp(&frame, 0xc0a80109, 67, 0xffffffff, 69, "x", 1);
    assert_transit_dropped(&frame, DROP_IP_SOURCE);
    make_udp(&frame, 0xc0a80109, 1, INSIDE_ADDRESS, 2, "x", 1);
    assert_transit_dropped(&frame, DROP_IP_SOURCE);
}
