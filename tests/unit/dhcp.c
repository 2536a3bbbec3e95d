/* SPDX-License-Identifier: MIT */
/*
 * The DHCP client against a server in virtual time.
 * test-links: tests/unit/support_net.c tests/unit/support_dhcp.c
 */
#include "tests/unit/support_dhcp.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/ip/ip.h"
#include "net/ip/route.h"
#include "net/service/dhcp.h"
#include "net/service/dns.h"

TestSuite(dhcp, .init = dhcp_world, .timeout = 60);

static enum dhcp_state state(void)
{
    return dhcp_state(&device->netif);
}

/* The gateway to elsewhere; 0: there is none. */
static uint32_t gateway(void)
{
    struct ip_address far = mapped(FAR_ADDRESS);
    struct ip_address any = mapped(0);
    struct ip_route route;

    return ip_route_lookup(&far, &any, &route) == 0
               ? be32_get(ip_address_ipv4(&route.gateway))
               : 0;
}

static uint32_t name_server(void)
{
    struct ip_address servers[DNS_SERVERS_MAX];

    cr_assert_eq(dns_servers(servers), 1);
    return be32_get(ip_address_ipv4(&servers[0]));
}

Test(dhcp, gives_address_route_and_name_server)
{
    char text[64];

    world_run_for(NS_PER_S);
    cr_assert_eq(state(), DHCP_BOUND);
    cr_assert(has_address(OUR_ADDRESS));
    cr_assert_eq(be32_get(device->netif.ip.netmask), 0xffffff00);
    cr_assert_eq(gateway(), PEER_ADDRESS);
    cr_assert_eq(name_server(), PEER_ADDRESS);
    cr_assert(net_is_configured(text, sizeof(text)));
    cr_assert_str_eq(text, "10.0.0.1");
    cr_assert_not_null(strstr(world_log_text(), "address 10.0.0.1/24 from "
                                                "10.0.0.2, lease 3600 s"));
    cr_assert_eq(server.heard[DHCP_DISCOVER], 1);
    cr_assert_eq(server.heard[DHCP_REQUEST], 1);
}

Test(dhcp, address_is_there_within_100_ms)
{
    world_run_for(NS_PER_S / 10);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, unicast_offer_is_heard_before_there_is_an_address)
{
    server.unicasts = true;
    world_run_for(NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, request_names_server_and_address)
{
    world_run_for(NS_PER_S);
    cr_assert_eq(be32_get(server.last.requested_address), OUR_ADDRESS);
    cr_assert_eq(be32_get(server.last.server), PEER_ADDRESS);
    cr_assert_eq(be32_get(server.last.client_address), 0);
    cr_assert_eq(server.last_source, 0);
    cr_assert_eq(server.last_destination, 0xffffffff);
}

Test(dhcp, silence_is_met_with_patience)
{
    server.is = SERVER_SILENT;
    world_run_for(600 * NS_PER_S);
    /* 2, 4, 8, 16, 32, then every 64 s, each give or take a quarter. */
    cr_assert_geq(server.heard[DHCP_DISCOVER], 10);
    cr_assert_leq(server.heard[DHCP_DISCOVER], 20);
    server.is = SERVER_HONEST;
    world_run_for(100 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, broadcast_is_asked_for_every_other_time)
{
    bool first;

    server.is = SERVER_SILENT;
    world_run_for(NS_PER_MS);
    first = server.last.wants_broadcast;
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_DISCOVER], 2);
    cr_assert_neq(server.last.wants_broadcast, first);
}

Test(dhcp, lease_is_renewed_at_half_by_unicast)
{
    world_run_for(1799 * NS_PER_S);
    peer.answers_arp = true;
    cr_assert_eq(server.heard[DHCP_REQUEST], 1);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_REQUEST], 2);
    cr_assert_eq(be32_get(server.last.client_address), OUR_ADDRESS);
    cr_assert_eq(be32_get(server.last.requested_address), 0);
    cr_assert_eq(be32_get(server.last.server), 0);
    cr_assert_eq(server.last_source, OUR_ADDRESS);
    cr_assert_eq(server.last_destination, PEER_ADDRESS);
    cr_assert_eq(state(), DHCP_BOUND);
    /* And so for ever. */
    world_run_for(36000 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    cr_assert_geq(server.heard[DHCP_REQUEST], 20);
    cr_assert_eq(server.heard[DHCP_DISCOVER], 1);
}

/* The server's name becomes an option that nobody knows. */
static size_t without_server(uint8_t *bytes, size_t length, enum dhcp_type type)
{
    (void)type;
    for (size_t at = 240; at + 1 < length && bytes[at] != 255;
         at += 2U + bytes[at + 1])
        if (bytes[at] == 54)
            bytes[at] = 224;
    return length;
}

Test(dhcp, an_offer_by_nobody_is_none)
{
    server.bend = without_server;
    world_run_for(10 * NS_PER_S);
    cr_assert_geq(server.heard[DHCP_DISCOVER], 2);
    cr_assert_eq(server.heard[DHCP_REQUEST], 0);
}

/* RFC 2131 table 3: whom should we ask the next time? */
Test(dhcp, a_renewal_by_nobody_is_none)
{
    peer.answers_arp = true;
    world_run_for(NS_PER_S);
    server.bend = without_server;
    world_run_for(1900 * NS_PER_S);
    cr_assert_geq(server.heard[DHCP_REQUEST], 2);
    cr_assert_eq(state(), DHCP_RENEWING);
    server.bend = NULL;
    world_run_for(1000 * NS_PER_S);
    cr_assert_eq(state(), DHCP_BOUND);
}

Test(dhcp, what_a_renewal_changes_is_taken_over)
{
    static const struct be32 farther = {{10, 1, 2, 0}};
    size_t routes;

    peer.answers_arp = true;
    world_run_for(NS_PER_S);
    (void)world_enter(stack);
    cr_assert_eq(
        ip_route_add(farther, 24, be32_from(PEER_ADDRESS), &device->netif), 0);
    world_leave(stack);
    routes = ip_route_count();
    server.router = OTHER_ADDRESS;
    server.name_server = FAR_ADDRESS;
    world_run_for(1900 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_REQUEST], 2);
    cr_assert_eq(gateway(), OTHER_ADDRESS);
    cr_assert_eq(name_server(), FAR_ADDRESS);
    cr_assert_eq(ip_route_count(), routes, "others have stayed");
    server.netmask = 0xffff0000;
    world_run_for(1900 * NS_PER_S);
    cr_assert_eq(be32_get(device->netif.ip.netmask), 0xffff0000);
    cr_assert_eq(gateway(), OTHER_ADDRESS);
    server.router = 0;
    world_run_for(1900 * NS_PER_S);
    cr_assert_eq(gateway(), 0);
    server.router = PEER_ADDRESS;
    world_run_for(1900 * NS_PER_S);
    cr_assert_eq(gateway(), PEER_ADDRESS);
}

Test(dhcp, times_of_the_server_are_kept)
{
    peer.answers_arp = true;
    server.t1_s = 100;
    server.t2_s = 200;
    world_run_for(99 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_REQUEST], 1);
    world_run_for(3 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_REQUEST], 2);
}

Test(dhcp, lease_survives_its_server_until_it_returns)
{
    peer.answers_arp = true;
    world_run_for(NS_PER_S);
    server.is = SERVER_SILENT;
    world_run_for(2000 * NS_PER_S);
    cr_assert_eq(state(), DHCP_RENEWING);
    cr_assert(has_address(OUR_ADDRESS));
    world_run_for(1300 * NS_PER_S);
    cr_assert_eq(state(), DHCP_REBINDING);
    cr_assert_eq(server.last_destination, 0xffffffff);
    cr_assert_eq(be32_get(server.last.client_address), OUR_ADDRESS);
    cr_assert(has_address(OUR_ADDRESS));
    server.is = SERVER_HONEST;
    world_run_for(200 * NS_PER_S);
    cr_assert_eq(state(), DHCP_BOUND);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, expired_lease_is_given_up_and_asked_for_anew)
{
    struct ip_address servers[DNS_SERVERS_MAX];

    world_run_for(NS_PER_S);
    server.is = SERVER_SILENT;
    world_run_for(3601 * NS_PER_S);
    cr_assert(has_address(0));
    cr_assert_eq(dns_servers(servers), 0);
    cr_assert_not_null(strstr(world_log_text(), "the lease has expired"));
    server.is = SERVER_HONEST;
    world_run_for(100 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, refusal_of_a_renewal_gives_the_address_up)
{
    peer.answers_arp = true;
    world_run_for(NS_PER_S);
    server.is = SERVER_REFUSES;
    world_run_for(1800 * NS_PER_S);
    cr_assert(has_address(0));
    server.is = SERVER_HONEST;
    server.offers = OTHER_ADDRESS;
    world_run_for(100 * NS_PER_S);
    cr_assert(has_address(OTHER_ADDRESS));
}

Test(dhcp, refusal_of_a_request_begins_anew)
{
    server.is = SERVER_REFUSES;
    world_run_for(10 * NS_PER_S);
    cr_assert(has_address(0));
    cr_assert_geq(server.heard[DHCP_DISCOVER], 2);
    cr_assert_leq(server.heard[DHCP_DISCOVER], 20);
}

static void claim_everything(const struct frame *frame)
{
    const struct arp_message *probe =
        (const void *)(frame->bytes + ETHERNET_HEADER_LENGTH);
    static struct test_frame answer;

    (void)probe;
    if (frame->bytes[12] != 8 || frame->bytes[13] != 6)
        return;
    if (be32_get(probe->target_protocol) != OUR_ADDRESS)
        return;
    make_arp(&answer, ARP_REPLY, 9, OUR_ADDRESS, OUR_NUMBER, 0);
    world_port_send(&peer.port, frame_new(answer.bytes, answer.length));
}

static void (*serve)(const struct frame *frame);

static void serve_and_claim(const struct frame *frame)
{
    serve(frame);
    claim_everything(frame);
}

Test(dhcp, address_in_use_is_declined)
{
    serve = peer.react;
    peer.react = serve_and_claim;
    world_run_for(NS_PER_S);
    cr_assert(has_address(0));
    cr_assert_eq(server.heard[DHCP_DECLINE], 1);
    cr_assert_eq(be32_get(server.last.requested_address), OUR_ADDRESS);
    cr_assert_eq(be32_get(server.last.server), PEER_ADDRESS);
    world_run_for(8 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_DISCOVER], 1);
    server.offers = OTHER_ADDRESS;
    world_run_for(5 * NS_PER_S);
    cr_assert(has_address(OTHER_ADDRESS));
}

Test(dhcp, lost_messages_are_repeated)
{
    peer.port.path.is_cut = true; /* the offer */
    world_run_for(NS_PER_S);
    cr_assert_eq(server.heard[DHCP_REQUEST], 0);
    peer.port.path.is_cut = false;
    world_run_for(4 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, lease_outlives_the_link)
{
    world_run_for(NS_PER_S);
    device_set_link(device, false);
    world_run_for(60 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    forget_received();
    device_set_link(device, true);
    world_run_for(NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    /* Switches and neighbours are told where we are now. */
    cr_assert_not_null(received_arp(0));
    cr_assert_eq(be32_get(received_arp(0)->sender_protocol), OUR_ADDRESS);
    cr_assert_eq(be32_get(received_arp(0)->target_protocol), OUR_ADDRESS);
}

static void replug(uint64_t without_link_s)
{
    world_run_for(NS_PER_S);
    device_set_link(device, false);
    world_run_for(without_link_s * NS_PER_S);
    device_set_link(device, true);
}

/* RFC 2131 3.7, 4.3.2: it may be another network by now. */
Test(dhcp, lease_is_verified_when_the_link_is_back)
{
    replug(60);
    world_run_for(NS_PER_S);
    cr_assert_eq(server.heard[DHCP_DISCOVER], 1);
    cr_assert_eq(server.heard[DHCP_REQUEST], 2);
    cr_assert_eq(be32_get(server.last.requested_address), OUR_ADDRESS);
    cr_assert_eq(be32_get(server.last.server), 0);
    cr_assert_eq(be32_get(server.last.client_address), 0);
    cr_assert_eq(server.last_destination, 0xffffffff);
    cr_assert_eq(state(), DHCP_BOUND);
    cr_assert(has_address(OUR_ADDRESS));
    /* It counts from now. */
    server.is = SERVER_SILENT;
    world_run_for(3590 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    world_run_for(20 * NS_PER_S);
    cr_assert(has_address(0));
}

Test(dhcp, lease_of_another_network_is_given_up_when_told)
{
    peer.answers_arp = true;
    world_run_for(NS_PER_S);
    server.is = SERVER_REFUSES;
    replug(60);
    world_run_for(NS_PER_S / 10);
    cr_assert(has_address(0));
    server.is = SERVER_HONEST;
    server.offers = OTHER_ADDRESS;
    server.router = FAR_ADDRESS;
    world_run_for(5 * NS_PER_S);
    cr_assert(has_address(OTHER_ADDRESS));
    cr_assert_eq(gateway(), FAR_ADDRESS);
}

Test(dhcp, lease_nobody_speaks_of_is_kept_while_it_lasts)
{
    world_run_for(NS_PER_S);
    server.is = SERVER_SILENT;
    replug(60);
    world_run_for(60 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_REQUEST], 1 + 4);
    cr_assert_eq(state(), DHCP_BOUND);
    world_run_for(1800 * NS_PER_S);
    cr_assert_eq(state(), DHCP_RENEWING);
    world_run_for(1670 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    world_run_for(20 * NS_PER_S);
    cr_assert(has_address(0));
}

/* Whenever the link comes back, the lease ends when it ends. */
Test(dhcp, lease_that_ends_while_it_is_verified_is_given_up)
{
    world_run_for(NS_PER_S);
    server.is = SERVER_SILENT;
    replug(3590);
    world_run_for(7 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    world_run_for(4 * NS_PER_S);
    cr_assert(has_address(0));
    server.is = SERVER_HONEST;
    world_run_for(100 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, another_address_is_no_answer_to_whether_ours_is_good)
{
    world_run_for(NS_PER_S);
    server.offers = OTHER_ADDRESS;
    replug(60);
    world_run_for(10 * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    server.offers = OUR_ADDRESS;
    world_run_for(60 * NS_PER_S);
    cr_assert_eq(state(), DHCP_BOUND);
    cr_assert(has_address(OUR_ADDRESS));
}

/* A probe into a dead link finds everything free. */
Test(dhcp, address_is_asked_for_anew_when_the_link_fails_while_it_is_probed)
{
    while (state() != DHCP_PROBING)
        world_run_for(NS_PER_MS);
    device_set_link(device, false);
    world_run_for(NS_PER_S);
    cr_assert(has_address(0));
    device_set_link(device, true);
    world_run_for(NS_PER_S);
    cr_assert_eq(server.heard[DHCP_DISCOVER], 2);
    cr_assert(has_address(OUR_ADDRESS));
}

Test(dhcp, link_that_comes_late_is_used_at_once)
{
    size_t heard;

    device_set_link(device, false);
    settle();
    heard = server.heard[DHCP_DISCOVER];
    world_run_for(1000 * NS_PER_S);
    cr_assert_eq(server.heard[DHCP_DISCOVER], heard);
    device_set_link(device, true);
    world_run_for(NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
}

static void make_infinite(void)
{
    server.lease_s = UINT32_MAX;
}

Test(dhcp, infinite_lease_is_never_renewed, .init = NULL)
{
    dhcp_world_with(make_infinite);
    world_run_for(UINT64_C(1000000) * NS_PER_S);
    cr_assert(has_address(OUR_ADDRESS));
    cr_assert_eq(server.heard[DHCP_REQUEST], 1);
}

Test(dhcp, nothing_is_held_in_the_end)
{
    world_run_for(10000 * NS_PER_S);
    cr_assert_eq(packet_count_free(), packet_count_total());
    cr_assert_eq(buffer_count_free(), buffer_count_total());
}
