/* SPDX-License-Identifier: MIT */
/*
 * Neighbours and address conflicts in virtual time.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/ip/route.h"
#include "net/link/acd.h"
#include "net/link/neighbour.h"
#include "net/udp/udp.h"

static struct test_frame frame;

TestSuite(arp, .init = net_world, .timeout = 60);

static enum neighbour_state state(void)
{
    return neighbour_state(&device->netif, be32_from(PEER_ADDRESS));
}

static void send_one(void)
{
    static struct udp_socket *socket;
    struct udp_endpoint remote = {mapped(PEER_ADDRESS), 9};

    if (socket == NULL)
        cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    (void)world_enter(stack);
    cr_assert_eq(udp_send(socket, &remote, "x", 1, world_now()), 1);
    world_leave(stack);
    settle();
}

static void answer(uint8_t number)
{
    make_arp(&frame, ARP_REPLY, number, PEER_ADDRESS, OUR_NUMBER, OUR_ADDRESS);
    inject(&frame);
}

Test(arp, request_for_us_is_answered)
{
    const struct arp_message *reply;

    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    inject(&frame);
    reply = received_arp(0);
    cr_assert_not_null(reply);
    cr_assert_eq(be16_get(reply->operation), ARP_REPLY);
    cr_assert_eq(be32_get(reply->sender_protocol), OUR_ADDRESS);
    cr_assert_eq(be32_get(reply->target_protocol), PEER_ADDRESS);
    cr_assert_eq(reply->sender_hardware.octet[5], OUR_NUMBER);
    cr_assert_eq(reply->target_hardware.octet[5], PEER_NUMBER);
    cr_assert_eq(peer.received[0]->bytes[5], PEER_NUMBER);
    /* It is about to talk to us: no need to ask it back. */
    cr_assert_eq(state(), NEIGHBOUR_STALE);
}

Test(arp, request_for_another_is_not_answered)
{
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OTHER_ADDRESS);
    inject(&frame);
    cr_assert_eq(received_count(), 0);
    cr_assert_eq(state(), NEIGHBOUR_FREE);
}

Test(arp, packets_wait_for_the_answer_and_keep_their_order)
{
    send_one();
    send_one();
    cr_assert_eq(state(), NEIGHBOUR_INCOMPLETE);
    cr_assert_null(received_udp(0));
    cr_assert_not_null(received_arp(0));
    cr_assert_null(received_arp(1), "asked once a second");
    answer(PEER_NUMBER);
    cr_assert_eq(state(), NEIGHBOUR_REACHABLE);
    cr_assert_not_null(received_udp(1));
    cr_assert_eq(missing_packets(), 0);
}

Test(arp, unanswered_question_is_asked_three_times)
{
    send_one();
    world_run_for(10 * NS_PER_S);
    cr_assert_not_null(received_arp(2));
    cr_assert_null(received_arp(3));
    cr_assert_eq(drop_count(DROP_NEIGHBOUR_FAILED), 1);
    cr_assert_eq(state(), NEIGHBOUR_FREE);
}

Test(arp, failed_neighbour_is_asked_again_after_a_while)
{
    send_one();
    world_run_for(3 * NS_PER_S + NS_PER_S / 2);
    cr_assert_eq(state(), NEIGHBOUR_FAILED);
    forget_received();
    send_one();
    cr_assert_eq(received_count(), 0, "not at once");
    world_run_for(2 * NS_PER_S);
    send_one();
    cr_assert_not_null(received_arp(0));
}

/* What all may hear says nothing of whether it can hear us. */
Test(arp, an_answer_to_all_confirms_nobody)
{
    send_one();
    answer(PEER_NUMBER);
    world_run_for(NEIGHBOUR_REACHABLE_NS + NS_PER_S);
    send_one();
    cr_assert_eq(state(), NEIGHBOUR_DELAY);
    make_arp(&frame, ARP_REPLY, PEER_NUMBER, PEER_ADDRESS, OUR_NUMBER,
             OUR_ADDRESS);
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    inject(&frame);
    cr_assert_eq(state(), NEIGHBOUR_DELAY);
    answer(PEER_NUMBER);
    cr_assert_eq(state(), NEIGHBOUR_REACHABLE);
}

Test(arp, nobody_is_confirmed_from_above_who_was_never_heard)
{
    send_one();
    cr_assert_eq(state(), NEIGHBOUR_INCOMPLETE);
    neighbour_confirm(&device->netif, be32_from(PEER_ADDRESS), world_now());
    cr_assert_eq(state(), NEIGHBOUR_INCOMPLETE);
}

/* What waits is bounded; what has left waits no more. */
Test(arp, any_number_may_wait_one_after_another)
{
    for (unsigned i = 0; i < 2 * NEIGHBOUR_QUEUED_TOTAL_MAX; i++) {
        send_one();
        cr_assert_eq(state(), NEIGHBOUR_INCOMPLETE);
        forget_received();
        answer(PEER_NUMBER);
        cr_assert_not_null(received_ip(17, 0), "%u", i);
        neighbour_flush(&device->netif);
    }
    cr_assert_eq(missing_packets(), 0);
}

Test(arp, whoever_is_forgotten_is_not_asked_for_any_more)
{
    send_one();
    neighbour_flush(&device->netif);
    forget_received();
    world_run_for(5 * NS_PER_S);
    cr_assert_null(received_arp(0));
    cr_assert_eq(missing_packets(), 0);
}

Test(arp, stale_neighbour_is_used_and_then_asked_by_unicast)
{
    learn_peer();
    world_run_for(31 * NS_PER_S);
    send_one();
    cr_assert_not_null(received_udp(0), "sent at once");
    cr_assert_eq(state(), NEIGHBOUR_DELAY);
    world_run_for(4 * NS_PER_S);
    cr_assert_null(received_arp(0));
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(state(), NEIGHBOUR_PROBE);
    cr_assert_not_null(received_arp(0));
    cr_assert_eq(peer.received[1]->bytes[0], 2, "by unicast");
    answer(PEER_NUMBER);
    cr_assert_eq(state(), NEIGHBOUR_REACHABLE);
}

Test(arp, neighbour_that_is_confirmed_from_above_is_not_asked)
{
    learn_peer();
    for (int i = 0; i < 20; i++) {
        world_run_for(10 * NS_PER_S);
        neighbour_confirm(&device->netif, be32_from(PEER_ADDRESS), world_now());
        send_one();
    }
    cr_assert_null(received_arp(0));
}

Test(arp, neighbour_that_is_gone_is_found_elsewhere_by_broadcast)
{
    learn_peer();
    world_run_for(31 * NS_PER_S);
    send_one();
    world_run_for(9 * NS_PER_S);
    /* Three by unicast, then to everybody. */
    cr_assert_not_null(received_arp(3));
    cr_assert_eq(peer.received[4]->bytes[0], 0xff);
    answer(9);
    forget_received();
    send_one();
    cr_assert_eq(peer.received[0]->bytes[5], 9);
}

Test(arp, neighbour_that_is_gone_for_good_fails)
{
    learn_peer();
    world_run_for(31 * NS_PER_S);
    send_one();
    world_run_for(12 * NS_PER_S);
    cr_assert_eq(counter_value("neighbour_failed_total"), 1);
}

Test(arp, changed_address_is_not_believed_at_once)
{
    learn_peer();
    answer(9);
    send_one();
    cr_assert_eq(peer.received[0]->bytes[5], PEER_NUMBER);
    world_run_for(2 * NS_PER_S);
    forget_received();
    answer(9);
    send_one();
    cr_assert_eq(peer.received[0]->bytes[5], 9);
    cr_assert_eq(counter_value("neighbour_changed_total"), 1);
}

Test(arp, link_that_returns_is_announced)
{
    learn_peer();
    device_set_link(device, false);
    cr_assert_eq(state(), NEIGHBOUR_FREE);
    device_set_link(device, true);
    world_run_for(3 * NS_PER_S);
    cr_assert_not_null(received_arp(0));
    cr_assert_eq(be32_get(received_arp(0)->sender_protocol), OUR_ADDRESS);
    cr_assert_eq(be32_get(received_arp(0)->target_protocol), OUR_ADDRESS);
}

Test(arp, link_that_goes_takes_waiting_packets_along)
{
    send_one();
    cr_assert_eq(missing_packets(), 1);
    device_set_link(device, false);
    cr_assert_eq(missing_packets(), 0);
}

Test(arp, address_is_announced_twice, .init = NULL)
{
    net_world_with("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none",
                   16 * 1024 * 1024, 0);
    cr_assert_eq(counter_value("arp_tx_announcements_total"),
                 ACD_ANNOUNCEMENTS);
}

static unsigned probed;
static bool was_free;

static void probe_done(struct netif *netif, struct be32 address, bool is_free,
                       uint64_t now_ns)
{
    cr_assert_eq(netif, &device->netif);
    cr_assert_eq(be32_get(address), OTHER_ADDRESS);
    (void)now_ns;
    probed++;
    was_free = is_free;
}

static void probe(bool in_haste)
{
    (void)world_enter(stack);
    acd_probe(&device->netif, be32_from(OTHER_ADDRESS), in_haste, probe_done,
              world_now());
    world_leave(stack);
}

Test(arp, free_address_is_found_free)
{
    probe(false);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(probed, 1);
    cr_assert(was_free);
    cr_assert_not_null(received_arp(2));
    cr_assert_null(received_arp(3));
    cr_assert_eq(be32_get(received_arp(0)->sender_protocol), 0);
    cr_assert_eq(be32_get(received_arp(0)->target_protocol), OTHER_ADDRESS);
}

Test(arp, taken_address_is_found_taken)
{
    probe(false);
    world_run_for(NS_PER_S);
    make_arp(&frame, ARP_REPLY, 3, OTHER_ADDRESS, OUR_NUMBER, 0);
    inject(&frame);
    cr_assert_eq(probed, 1);
    cr_assert_not(was_free);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(probed, 1);
}

Test(arp, address_another_probes_for_is_taken)
{
    probe(false);
    world_run_for(NS_PER_S);
    make_arp(&frame, ARP_REQUEST, 3, 0, 0, OTHER_ADDRESS);
    inject(&frame);
    cr_assert_eq(probed, 1);
    cr_assert_not(was_free);
}

Test(arp, haste_takes_a_twentieth_of_a_second)
{
    probe(true);
    world_run_for(NS_PER_S / 20 + NS_PER_MS);
    cr_assert_eq(probed, 1);
    cr_assert(was_free);
}
