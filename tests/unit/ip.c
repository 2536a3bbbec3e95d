/* SPDX-License-Identifier: MIT */
/*
 * IP: routes, addresses, what is taken and what is sent.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/output.h"
#include "net/ip/route.h"
#include "net/link/loopback.h"
#include "net/udp/udp.h"

static struct test_frame frame;

TestSuite(ip, .init = net_world, .timeout = 60);

static struct ip_route route;

static int look_up(uint32_t destination, uint32_t source)
{
    struct ip_address to = mapped(destination);
    struct ip_address from = mapped(source);

    return ip_route_lookup(&to, &from, &route);
}

static uint32_t gateway(void)
{
    return be32_get(ip_address_ipv4(&route.gateway));
}

static uint32_t source(void)
{
    return be32_get(ip_address_ipv4(&route.source));
}

Test(ip, neighbours_are_reached_directly_others_by_the_gateway)
{
    cr_assert_eq(look_up(PEER_ADDRESS, 0), 0);
    cr_assert_eq(gateway(), PEER_ADDRESS);
    cr_assert_eq(source(), OUR_ADDRESS);
    cr_assert_eq(route.netif, &device->netif);
    cr_assert_eq(route.mtu, 1500);
    cr_assert_not(route.is_local || route.is_broadcast);
    cr_assert_eq(look_up(FAR_ADDRESS, 0), 0);
    cr_assert_eq(gateway(), GATEWAY_ADDRESS);
}

Test(ip, own_addresses_are_local)
{
    cr_assert_eq(look_up(OUR_ADDRESS, 0), 0);
    cr_assert(route.is_local);
    cr_assert_eq(route.netif, loopback_netif());
    cr_assert_eq(source(), OUR_ADDRESS);
    cr_assert_eq(look_up(0x7f000005, 0), 0);
    cr_assert(route.is_local);
}

Test(ip, broadcasts_are_known_as_such)
{
    cr_assert_eq(look_up(0x0a0000ff, 0), 0);
    cr_assert(route.is_broadcast);
    cr_assert_eq(look_up(0xffffffff, 0), 0);
    cr_assert(route.is_broadcast);
    cr_assert_eq(route.netif, &device->netif);
}

Test(ip, addresses_of_no_host_have_no_way)
{
    cr_assert_eq(look_up(0, 0), -ENETUNREACH);
    cr_assert_eq(look_up(0x00000001, 0), -ENETUNREACH);
    cr_assert_eq(look_up(0xf0000001, 0), -ENETUNREACH);
}

Test(ip, longest_prefix_wins_whatever_the_order)
{
    static const uint32_t gateways[] = {0x0a000010, 0x0a000011, 0x0a000012};
    static const unsigned prefixes[] = {16, 32, 24};

    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(ip_route_add(be32_from(FAR_ADDRESS), prefixes[i],
                                  be32_from(gateways[i]), &device->netif),
                     0);
    cr_assert_eq(look_up(FAR_ADDRESS, 0), 0);
    cr_assert_eq(gateway(), gateways[1]);
    cr_assert_eq(look_up(FAR_ADDRESS + 1, 0), 0);
    cr_assert_eq(gateway(), gateways[2]);
    cr_assert_eq(look_up(FAR_ADDRESS + 0x100, 0), 0);
    cr_assert_eq(gateway(), gateways[0]);
    cr_assert_eq(look_up(FAR_ADDRESS + 0x10000, 0), 0);
    cr_assert_eq(gateway(), GATEWAY_ADDRESS);
}

Test(ip, random_routes_match_a_plain_search)
{
    struct {
        uint32_t destination;
        unsigned prefix;
        uint32_t gateway;
    } plain[40];
    size_t count = 0;

    while (count < ARRAY_COUNT(plain)) {
        unsigned prefix = 1 + (unsigned)(world_random() % 32);
        uint32_t to = 0xc0000000 | ((uint32_t)world_random() & 0x0fffffff);

        to &= UINT32_MAX << (32 - prefix);
        if (ip_route_add(be32_from(to), prefix,
                         be32_from(0x0a000010 + (uint32_t)count),
                         &device->netif) == 0) {
            plain[count].destination = to;
            plain[count].prefix = prefix;
            plain[count].gateway = 0x0a000010 + (uint32_t)count;
            count++;
        }
    }
    for (int round = 0; round < 5000; round++) {
        uint32_t to = 0xc0000000 | ((uint32_t)world_random() & 0x0fffffff);
        uint32_t expected = GATEWAY_ADDRESS;
        unsigned best = 0;

        if (round % 2 == 0) /* near one of them */
            to = plain[world_random() % count].destination |
                 ((uint32_t)world_random() & 0xff);
        for (size_t i = 0; i < count; i++) {
            if (plain[i].prefix > best &&
                ((to ^ plain[i].destination) >> (32 - plain[i].prefix)) == 0) {
                best = plain[i].prefix;
                expected = plain[i].gateway;
            }
        }
        if (to >= 0xe0000000)
            continue;
        cr_assert_eq(look_up(to, 0), 0);
        cr_assert_eq(gateway(), expected);
    }
}

Test(ip, route_that_is_there_or_does_not_fit_is_refused)
{
    struct be32 via = be32_from(0x0a000010);
    int status = 0;

    cr_assert_eq(ip_route_add(be32_from(FAR_ADDRESS), 33, via, &device->netif),
                 -EINVAL);
    cr_assert_eq(ip_route_add(be32_from(FAR_ADDRESS), 24, via, &device->netif),
                 0);
    cr_assert_eq(ip_route_add(be32_from(FAR_ADDRESS), 24, via, &device->netif),
                 -EEXIST);
    for (uint32_t i = 0; i < IP_ROUTES_MAX && status == 0; i++)
        status = ip_route_add(be32_from(0xc0000000 + (i << 8)), 24, via,
                              &device->netif);
    cr_assert_eq(status, -ENOSPC);
    cr_assert_eq(ip_route_count(), IP_ROUTES_MAX);
}

Test(ip, caches_become_stale_when_anything_changes)
{
    uint32_t before = ip_route_generation();

    cr_assert_eq(
        ip_route_add(be32_from(FAR_ADDRESS), 24, be32_from(0), &device->netif),
        0);
    cr_assert_neq(ip_route_generation(), before);
    before = ip_route_generation();
    ip_deconfigure(&device->netif);
    cr_assert_neq(ip_route_generation(), before);
    cr_assert_eq(look_up(PEER_ADDRESS, 0), -ENETUNREACH);
    cr_assert_not(ip_is_local(be32_from(OUR_ADDRESS)));
    cr_assert_eq(counter_value("ip_out_no_routes_total"), 1);
}

Test(ip, source_of_the_caller_is_kept)
{
    cr_assert_eq(look_up(FAR_ADDRESS, OUR_ADDRESS), 0);
    cr_assert_eq(source(), OUR_ADDRESS);
}

Test(ip, way_out_of_one_interface_needs_no_address)
{
    struct ip_address broadcast = mapped(0xffffffff);

    ip_deconfigure(&device->netif);
    ip_route_on_netif(&device->netif, &broadcast, &route);
    cr_assert(route.is_broadcast);
    cr_assert_eq(route.netif, &device->netif);
    cr_assert_eq(source(), 0);
}

/* A gateway of another interface is none of this one. */
Test(ip, way_out_of_one_interface_has_its_own_gateway_or_none)
{
    struct ip_address far = mapped(FAR_ADDRESS);

    ip_route_on_netif(&device->netif, &far, &route);
    cr_assert_eq(gateway(), GATEWAY_ADDRESS);
    ip_route_on_netif(loopback_netif(), &far, &route);
    cr_assert_eq(route.netif, loopback_netif());
    cr_assert_eq(gateway(), FAR_ADDRESS);
}

static void send_length(size_t length, bool dont_fragment, uint8_t ttl)
{
    struct ip_send_options options = {
        .source = mapped(OUR_ADDRESS),
        .destination = mapped(PEER_ADDRESS),
        .protocol = 99,
        .ttl = ttl,
        .dont_fragment = dont_fragment,
    };
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    cr_assert_eq(look_up(PEER_ADDRESS, 0), 0);
    memset(packet_append(packet, length), 0x42, length);
    (void)world_enter(stack);
    ip_send(packet, &options, &route, world_now());
    world_leave(stack);
    settle();
}

Test(ip, header_is_as_it_should_be)
{
    const struct ipv4_header *ip;

    learn_peer();
    send_length(100, true, 0);
    ip = received_ip(99, 0);
    cr_assert_not_null(ip);
    cr_assert_eq(ip->ttl, 64);
    cr_assert_eq(be16_get(ip->total_length), 120);
    cr_assert_eq(be16_get(ip->fragment), IPV4_DONT_FRAGMENT);
    cr_assert_eq(be16_get(ip->identification), 0, "RFC 6864: atomic");
    make_ip(&frame, 99, OUR_ADDRESS, PEER_ADDRESS, ip + 1, 100);
    ip_of(&frame)->fragment = ip->fragment;
    ip_of(&frame)->identification = ip->identification;
    fix_ip(&frame);
    cr_assert_eq(memcmp(ip, ip_of(&frame), 20), 0);
}

Test(ip, default_ttl_is_a_setting)
{
    learn_peer();
    cr_assert_eq(stack->call->net_set("ipv4.ip_default_ttl", "17"), 0);
    cr_assert_eq(stack->call->net_set("ipv4.ip_default_ttl", "0"), -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.ip_default_ttl", "256"), -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.ip_default_ttl", "x"), -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.ip_default_ttl", ""), -EINVAL);
    cr_assert_eq(stack->call->net_set("ipv4.no_such", "1"), -ENOENT);
    send_length(10, true, 0);
    send_length(10, true, 3);
    cr_assert_eq(received_ip(99, 0)->ttl, 17);
    cr_assert_eq(received_ip(99, 1)->ttl, 3);
}

Test(ip, too_long_is_fragmented_or_dropped)
{
    learn_peer();
    send_length(1480, true, 0);
    send_length(1481, true, 0);
    cr_assert_not_null(received_ip(99, 0));
    cr_assert_null(received_ip(99, 1));
    cr_assert_eq(drop_count(DROP_IP_TOO_BIG), 1);
    forget_received();
    send_length(1481, false, 0);
    cr_assert_eq(be16_get(received_ip(99, 0)->total_length), 1500);
    cr_assert_eq(be16_get(received_ip(99, 0)->fragment), IPV4_MORE_FRAGMENTS);
    cr_assert_eq(be16_get(received_ip(99, 1)->total_length), 21);
    cr_assert_eq(be16_get(received_ip(99, 1)->fragment), 185);
    cr_assert(be16_equal(received_ip(99, 0)->identification,
                         received_ip(99, 1)->identification));
    cr_assert_eq(missing_packets(), 0);
}

Test(ip, empty_pool_while_fragmenting_loses_the_packet_only)
{
    struct packet *packet;
    struct packet *last = NULL;

    learn_peer();
    while ((packet = packet_alloc(0)) != NULL) {
        packet->next = last;
        last = packet;
    }
    packet = last;
    last = last->next;
    packet_free(packet); /* one: for the packet that is to be sent */
    send_length(1481, false, 0);
    cr_assert_eq(drop_count(DROP_NO_MEMORY), 1);
    while (last != NULL) {
        packet = last;
        last = last->next;
        packet_free(packet);
    }
    cr_assert_eq(missing_packets(), 0);
}

Test(ip, second_address_of_ours_is_taken_on_any_interface)
{
    learn_peer();
    ip_configure(loopback_netif(), be32_from(0xc0a80001), 32, world_now());
    make_icmp(&frame, PEER_ADDRESS, 0xc0a80001, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
    cr_assert_eq(be32_get(received_ip(1, 0)->source), 0xc0a80001);
}
