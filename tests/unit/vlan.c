/* SPDX-License-Identifier: MIT */
/*
 * VLAN interfaces: eth0.10 beside eth0, in a frame's bytes and in a card's
 * descriptor.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 */
#include "tests/unit/support_router.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/route.h"
#include "net/link/vlan.h"

#define VLAN_ADDRESS 0x0a0a0001 /* 10.10.0.1 */
#define VLAN_PEER    0x0a0a0002

static struct test_frame frame;

static void start(void)
{
    router_world();
    (void)world_enter(stack);
    cr_assert_eq(vlan_create("eth0.10"), 0);
    ip_configure(netif_by_name("eth0.10"), be32_from(VLAN_ADDRESS), 24,
                 world_now());
    world_leave(stack);
    world_run_for(5 * NS_PER_S);
    forget_received();
}

TestSuite(vlan, .init = start, .timeout = 60);
TestSuite(hostile, .init = start, .timeout = 60);

static void insert_tag(uint16_t type, uint16_t tag)
{
    uint8_t *at = frame.bytes + 12;

    memmove(at + 4, at, frame.length - 12);
    at[0] = (uint8_t)(type >> 8);
    at[1] = (uint8_t)type;
    at[2] = (uint8_t)(tag >> 8);
    at[3] = (uint8_t)tag;
    frame.length += 4;
}

static void ping(uint16_t tag)
{
    make_icmp(&frame, VLAN_PEER, VLAN_ADDRESS, 8, 0, 1, "abc", 3);
    insert_tag(0x8100, tag);
    inject(&frame);
}

/* The n-th frame that came back with this tag, behind it; or NULL. */
static const uint8_t *received_tagged(uint16_t tag, uint16_t type, size_t n)
{
    for (size_t i = 0; i < peer.count; i++) {
        const uint8_t *at = peer.received[i]->bytes + 12;

        if (at[0] == 0x81 && at[1] == 0 && at[2] == tag >> 8 &&
            at[3] == (uint8_t)tag && at[4] == type >> 8 &&
            at[5] == (uint8_t)type && n-- == 0)
            return at + 6;
    }
    return NULL;
}

/* The peer's hardware address, as an exchange of ARP would make it known. */
static void learn_tagged_peer(void)
{
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, VLAN_PEER, 0, VLAN_ADDRESS);
    insert_tag(0x8100, 10);
    inject(&frame);
}

Test(vlan, a_tagged_ping_is_answered_with_the_tag)
{
    learn_tagged_peer();
    cr_assert_not_null(received_tagged(10, 0x0806, 0));
    ping(10);
    cr_assert_not_null(received_tagged(10, 0x0800, 0));
    cr_assert_eq(received_tagged(10, 0x0800, 0)[20], ICMP_ECHO_REPLY);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(netif_by_name("eth0.10")->counters.rx_packets, 2);
}

Test(vlan, priorities_do_not_matter)
{
    learn_tagged_peer();
    ping(0xe00a);
    cr_assert_not_null(received_tagged(10, 0x0800, 0));
}

Test(vlan, full_packets_fit)
{
    static uint8_t payload[1472];

    learn_tagged_peer();
    make_icmp(&frame, VLAN_PEER, VLAN_ADDRESS, 8, 0, 1, payload,
              sizeof(payload));
    insert_tag(0x8100, 10);
    inject(&frame);
    cr_assert_not_null(received_tagged(10, 0x0800, 0));
    cr_assert_eq(drop_count(DROP_TRANSMIT_TOO_LONG), 0);
}

Test(vlan, a_router_routes_between_vlans_and_cards)
{
    make_udp(&frame, VLAN_PEER, 1, INSIDE_ADDRESS, 2, "x", 1);
    insert_tag(0x8100, 10);
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
    learn_tagged_peer();
    forget_received();
    make_udp(&frame, INSIDE_ADDRESS, 1, VLAN_PEER, 2, "x", 1);
    inject_inside(&frame);
    settle();
    cr_assert_not_null(received_tagged(10, 0x0800, 0));
}

Test(vlan, what_was_tagged_leaves_another_card_without)
{
    make_udp(&frame, PEER_ADDRESS, 1, INSIDE_ADDRESS, 2, "x", 1);
    insert_tag(0x8100, 0xa000); /* a priority alone */
    inject(&frame);
    cr_assert_not_null(inside_ip(0));
}

Test(vlan, links_go_down_together)
{
    device_set_link(device, false);
    world_run_for(NS_PER_MS);
    cr_assert_not(netif_by_name("eth0.10")->link_up);
    device_set_link(device, true);
    world_run_for(NS_PER_S);
    cr_assert(netif_by_name("eth0.10")->link_up);
}

Test(vlan, the_same_addresses_apart)
{
    /* An untagged frame for the VLAN's address: still ours (weak host), but
     * the neighbour of eth0 is not that of eth0.10. */
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, VLAN_PEER, 0, VLAN_ADDRESS);
    inject(&frame);
    cr_assert_null(received_arp(0));
}

Test(hostile, E4_other_vlans_are_dropped)
{
    uint64_t before = drop_count(DROP_VLAN_UNKNOWN);

    ping(11);
    ping(4095);
    make_icmp(&frame, VLAN_PEER, VLAN_ADDRESS, 8, 0, 1, "abc", 3);
    insert_tag(0x8100, 10);
    insert_tag(0x8100, 10);
    inject(&frame);
    make_icmp(&frame, VLAN_PEER, VLAN_ADDRESS, 8, 0, 1, "abc", 3);
    insert_tag(0x8100, 10);
    insert_tag(0x88a8, 10);
    inject(&frame);
    cr_assert_eq(drop_count(DROP_VLAN_UNKNOWN), before + 4);
    cr_assert_eq(received_count(), 0);
    cr_assert_eq(missing_packets(), 0);
}

Test(vlan, names_are_checked)
{
    (void)world_enter(stack);
    cr_assert_eq(vlan_create("eth0"), -EINVAL);
    cr_assert_eq(vlan_create("eth0."), -EINVAL);
    cr_assert_eq(vlan_create("eth0.0"), -EINVAL);
    cr_assert_eq(vlan_create("eth0.4095"), -EINVAL);
    cr_assert_eq(vlan_create("eth0.1x"), -EINVAL);
    cr_assert_eq(vlan_create("eth0.99999"), -EINVAL);
    cr_assert_eq(vlan_create("eth7.1"), -ENODEV);
    cr_assert_eq(vlan_create("lo.1"), -ENODEV);
    cr_assert_eq(vlan_create("eth0.10.20"), -EINVAL);
    cr_assert_eq(vlan_create("eth0.4094"), 0);
    cr_assert_eq(vlan_create("eth0.4094"), 0); /* is there */
    world_leave(stack);
}

/* A card that takes and gives tags beside the frame. */
static uint16_t sent_tag;
static bool was_sent;

static void card_transmit(struct netif *netif, struct packet *packet)
{
    (void)netif;
    was_sent = packet->has_vlan_tag;
    sent_tag = packet->vlan_tag;
    packet_free(packet);
}

static void card_kick(struct netif *netif)
{
    (void)netif;
}

static size_t card_poll(struct netif *netif, size_t budget)
{
    (void)netif;
    (void)budget;
    return 0;
}

Test(vlan, cards_insert_and_strip_tags)
{
    static const struct netif_operations operations = {
        .transmit = card_transmit, .kick = card_kick, .poll = card_poll};
    static struct netif card = {
        .operations = &operations,
        .address = {{2, 0, 0, 0, 0, 1}},
        .features = NETIF_VLAN_INSERT | NETIF_VLAN_STRIP,
        .mtu = 1500,
        .link_up = true,
    };
    struct packet *packet;

    (void)world_enter(stack);
    cr_assert_eq(netif_register(&card), 0);
    cr_assert_eq(vlan_create("eth2.7"), 0);
    ip_configure(netif_by_name("eth2.7"), be32_from(0x0a070001), 24,
                 world_now());
    cr_assert(was_sent);
    cr_assert_eq(sent_tag, 7);
    was_sent = false;
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, 0x0a070002, 0, 0x0a070001);
    packet = packet_alloc(PACKET_RECEIVE_HEADROOM);
    memcpy(packet_append(packet, frame.length), frame.bytes, frame.length);
    packet->has_vlan_tag = true;
    packet->vlan_tag = 0x6007;
    netif_receive(&card, packet);
    cr_assert(was_sent);
    cr_assert_eq(sent_tag, 7);
    world_leave(stack);
}
