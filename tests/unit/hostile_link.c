/* SPDX-License-Identifier: MIT */
/*
 * Hostile frames: Ethernet, VLAN and ARP. The names carry the line of the
 * checklist.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <string.h>

#include "net/link/neighbour.h"

static struct test_frame frame;

TestSuite(hostile, .init = net_world, .timeout = 60);

static void make_echo(void)
{
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1,
              "0123456789abcdef", 16);
}

static void assert_dropped(enum drop_reason reason)
{
    uint64_t before = drop_count(reason);

    inject(&frame);
    cr_assert_eq(drop_count(reason), before + 1, "not dropped as %s",
                 drop_reason_name(reason));
    cr_assert_null(received_icmp(0));
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile, E1_runt_frame_is_dropped)
{
    make_echo();
    for (size_t length = 0; length < ETHERNET_HEADER_LENGTH; length++) {
        frame.length = length;
        assert_dropped(DROP_ETHERNET_SHORT);
    }
}

Test(hostile, E2_frame_too_short_for_ip_is_dropped)
{
    learn_peer();
    make_echo();
    for (size_t length = 14; length < 34; length++) {
        frame.length = length;
        assert_dropped(DROP_IP_SHORT);
    }
}

static void insert_tag(size_t at, uint16_t type, uint16_t tag)
{
    uint8_t bytes[4] = {(uint8_t)(type >> 8), (uint8_t)type,
                        (uint8_t)(tag >> 8), (uint8_t)tag};

    memmove(frame.bytes + at + 4, frame.bytes + at, frame.length - at);
    memcpy(frame.bytes + at, bytes, 4);
    frame.length += 4;
}

Test(hostile, E4_vlan_tag_cut_short_is_dropped)
{
    make_echo();
    insert_tag(12, ETHERNET_TYPE_VLAN, 0);
    for (size_t length = 14; length < 18; length++) {
        frame.length = length;
        assert_dropped(DROP_VLAN_SHORT);
    }
}

Test(hostile, E4_priority_tag_is_accepted)
{
    learn_peer();
    make_echo();
    insert_tag(12, ETHERNET_TYPE_VLAN, 0xe000);
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
}

Test(hostile, E4_arp_behind_a_priority_tag_is_answered)
{
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    insert_tag(12, ETHERNET_TYPE_VLAN, 0);
    inject(&frame);
    cr_assert_not_null(received_arp(0));
}

Test(hostile, E4_other_vlans_and_two_tags_are_dropped)
{
    learn_peer();
    make_echo();
    insert_tag(12, ETHERNET_TYPE_VLAN, 5);
    assert_dropped(DROP_VLAN_UNKNOWN);
    make_echo();
    insert_tag(12, ETHERNET_TYPE_VLAN, 0);
    insert_tag(12, ETHERNET_TYPE_VLAN, 0);
    assert_dropped(DROP_VLAN_UNKNOWN);
    make_echo();
    insert_tag(12, ETHERNET_TYPE_QINQ, 0);
    assert_dropped(DROP_VLAN_UNKNOWN);
}

Test(hostile, E5_group_source_is_dropped_and_never_learnt)
{
    size_t neighbours = neighbour_count();

    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    ethernet_of(&frame)->source.octet[0] |= 1;
    assert_dropped(DROP_ETHERNET_SOURCE);
    memset(&ethernet_of(&frame)->source, 0xff, 6);
    assert_dropped(DROP_ETHERNET_SOURCE);
    cr_assert_eq(neighbour_count(), neighbours);
}

Test(hostile, E6_padding_never_reaches_the_transport)
{
    const struct ipv4_header *reply;

    learn_peer();
    make_echo();
    memset(frame.bytes + frame.length, 0xaa, 20);
    frame.length += 20;
    inject(&frame);
    reply = received_ip(1, 0);
    cr_assert_not_null(reply);
    cr_assert_eq(be16_get(reply->total_length), 20 + 8 + 16);
}

Test(hostile, E7_short_frames_are_padded_with_zeros)
{
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    /* What was in the buffer before must not leave. */
    memset(frame.bytes + frame.length, 0xaa, 200);
    frame.length += 200;
    inject(&frame);
    cr_assert_eq(received_count(), 1);
    cr_assert_eq(peer.received[0]->length, ETHERNET_MINIMUM_LENGTH);
    for (size_t i = 42; i < ETHERNET_MINIMUM_LENGTH; i++)
        cr_assert_eq(peer.received[0]->bytes[i], 0);
}

Test(hostile, E8_broadcast_frame_with_unicast_packet_is_dropped)
{
    learn_peer();
    make_echo();
    memset(&ethernet_of(&frame)->destination, 0xff, 6);
    assert_dropped(DROP_IP_BROADCAST_FRAME);
    ethernet_of(&frame)->destination = (struct ethernet_address){{1, 0, 0x5e}};
    assert_dropped(DROP_IP_BROADCAST_FRAME);
}

Test(hostile, E9_frame_for_another_host_is_dropped)
{
    learn_peer();
    make_echo();
    ethernet_of(&frame)->destination = hardware(77);
    assert_dropped(DROP_ETHERNET_NOT_OURS);
}

Test(hostile, E9_our_own_frame_come_back_is_dropped)
{
    make_echo();
    ethernet_of(&frame)->source = hardware(OUR_NUMBER);
    assert_dropped(DROP_ETHERNET_SOURCE);
}

static struct arp_message *arp(void)
{
    return (void *)(frame.bytes + ETHERNET_HEADER_LENGTH);
}

static void make_request(void)
{
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
}

/* Nothing is answered and nothing is learnt. */
static void assert_arp_dropped(enum drop_reason reason)
{
    size_t neighbours = neighbour_count();

    assert_dropped(reason);
    cr_assert_null(received_arp(0));
    cr_assert_eq(neighbour_count(), neighbours);
}

Test(hostile, A1_arp_of_another_kind_is_dropped)
{
    make_request();
    arp()->hardware_type = be16_from(6);
    assert_arp_dropped(DROP_ARP_MALFORMED);
    make_request();
    arp()->protocol_type = be16_from(ETHERNET_TYPE_ARP);
    assert_arp_dropped(DROP_ARP_MALFORMED);
    make_request();
    arp()->hardware_length = 5;
    assert_arp_dropped(DROP_ARP_MALFORMED);
    make_request();
    arp()->protocol_length = 16;
    assert_arp_dropped(DROP_ARP_MALFORMED);
    make_request();
    for (size_t length = 14; length < 14 + ARP_LENGTH; length++) {
        frame.length = length;
        assert_arp_dropped(DROP_ARP_MALFORMED);
    }
}

Test(hostile, A2_sender_that_is_not_the_frames_is_dropped)
{
    make_request();
    arp()->sender_hardware = hardware(3);
    assert_arp_dropped(DROP_ARP_SENDER);
    make_request();
    arp()->sender_hardware.octet[0] |= 1;
    assert_arp_dropped(DROP_ARP_SENDER);
    make_request();
    memset(&arp()->sender_hardware, 0, 6);
    memset(&ethernet_of(&frame)->source, 0, 6);
    assert_arp_dropped(DROP_ARP_SENDER);
}

Test(hostile, A3_probe_is_answered_and_not_learnt)
{
    size_t neighbours = neighbour_count();

    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, 0, 0, OUR_ADDRESS);
    inject(&frame);
    cr_assert_not_null(received_arp(0));
    cr_assert_eq(be16_get(received_arp(0)->operation), ARP_REPLY);
    cr_assert_eq(neighbour_count(), neighbours);
}

Test(hostile, A4_claim_of_our_address_is_defended_once_in_ten_seconds)
{
    size_t announcements = 0;

    for (int i = 0; i < 50; i++) {
        make_arp(&frame, ARP_REQUEST, PEER_NUMBER, OUR_ADDRESS, 0, OUR_ADDRESS);
        inject(&frame);
        world_run_for(NS_PER_S / 10);
    }
    for (size_t n = 0; received_arp(n) != NULL; n++) {
        cr_assert_eq(be32_get(received_arp(n)->sender_protocol), OUR_ADDRESS);
        announcements++;
    }
    cr_assert_eq(announcements, 1);
    cr_assert_eq(neighbour_state(&device->netif, be32_from(OUR_ADDRESS)),
                 NEIGHBOUR_FREE);
    cr_assert_eq(be32_get(device->netif.ip.address), OUR_ADDRESS);
    world_run_for(10 * NS_PER_S);
    forget_received();
    inject(&frame);
    cr_assert_not_null(received_arp(0));
}

Test(hostile, A5_sender_address_that_cannot_be_a_neighbour_is_dropped)
{
    static const uint32_t addresses[] = {
        0xffffffff, 0xe0000001, 0x7f000001, 0x0a0000ff, FAR_ADDRESS, 0xf0000001,
    };

    for (size_t i = 0; i < ARRAY_COUNT(addresses); i++) {
        make_arp(&frame, ARP_REQUEST, PEER_NUMBER, addresses[i], 0,
                 OUR_ADDRESS);
        assert_arp_dropped(DROP_ARP_SENDER);
    }
}

Test(hostile, A6_unsolicited_reply_makes_no_entry)
{
    size_t neighbours = neighbour_count();

    make_arp(&frame, ARP_REPLY, PEER_NUMBER, OTHER_ADDRESS, OUR_NUMBER,
             OUR_ADDRESS);
    inject(&frame);
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, OTHER_ADDRESS, 0, OTHER_ADDRESS);
    inject(&frame);
    cr_assert_eq(neighbour_count(), neighbours);
}

Test(hostile, A6_known_neighbour_may_move)
{
    learn_peer();
    world_run_for(2 * NS_PER_S);
    make_arp(&frame, ARP_REQUEST, 9, PEER_ADDRESS, 0, PEER_ADDRESS);
    inject(&frame);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    inject(&frame);
    cr_assert_eq(received_count(), 1);
    cr_assert_eq(peer.received[0]->bytes[5], 9);
}

/* It asks for us, and pings: it is answered. */
static void hear_stranger(uint32_t address)
{
    make_arp(&frame, ARP_REQUEST, 3, address, 0, OUR_ADDRESS);
    inject(&frame);
    forget_received();
    make_icmp(&frame, address, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x", 1);
    ethernet_of(&frame)->source.octet[5] = 3;
    inject(&frame);
}

static void hear_peer(void)
{
    forget_received();
    make_echo();
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
}

Test(hostile, A7_flood_of_senders_spares_those_in_use)
{
    /* The network is large enough for many. */
    net_world_with("10.0.0.1::10.0.0.254:255.0.0.0::eth0:none",
                   16 * 1024 * 1024, 0);
    learn_peer();
    make_echo();
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
    for (uint32_t i = 0; i < 100000; i++) {
        make_arp(&frame, ARP_REQUEST, 3, 0x0a010000 + i, 0, OUR_ADDRESS);
        inject(&frame);
        forget_received();
    }
    cr_assert_leq(neighbour_count(), NEIGHBOUR_MAX);
    cr_assert_neq(neighbour_state(&device->netif, be32_from(PEER_ADDRESS)),
                  NEIGHBOUR_FREE);
    make_echo();
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
    /* Nor do they keep others out. */
    forget_received();
    hear_stranger(0x0a020000);
    cr_assert_not_null(received_icmp(0));
}

/* Who is answered counts as in use for a while, and so is the table full of
 * such; afterwards they go, and not who was there before them and still is. */
Test(hostile, A7_neighbours_that_fall_idle_go_and_the_busy_one_stays)
{
    net_world_with("10.0.0.1::10.0.0.254:255.0.0.0::eth0:none",
                   16 * 1024 * 1024, 0);
    peer.answers_arp = true;
    learn_peer();
    hear_peer();
    for (uint32_t i = 0; i < NEIGHBOUR_MAX; i++)
        hear_stranger(0x0a010000 + i);
    cr_assert_eq(neighbour_count(), NEIGHBOUR_MAX);
    for (int i = 0; i < 4; i++) {
        world_run_for(20 * NS_PER_S);
        hear_peer();
    }
    for (uint32_t i = 0; i < 2 * NEIGHBOUR_MAX; i++)
        hear_stranger(0x0a030000 + i);
    cr_assert_eq(neighbour_state(&device->netif, be32_from(0x0a010000)),
                 NEIGHBOUR_FREE);
    cr_assert_neq(neighbour_state(&device->netif, be32_from(PEER_ADDRESS)),
                  NEIGHBOUR_FREE);
}

Test(hostile, A8_reverse_arp_is_dropped)
{
    for (uint16_t operation = 0; operation < 20; operation++) {
        if (operation == ARP_REQUEST || operation == ARP_REPLY)
            continue;
        make_arp(&frame, operation, PEER_NUMBER, PEER_ADDRESS, OUR_NUMBER,
                 OUR_ADDRESS);
        assert_arp_dropped(DROP_ARP_MALFORMED);
    }
}

Test(hostile, A9_packets_for_an_unresolved_neighbour_are_bounded)
{
    for (uint32_t i = 0; i < 1000; i++) {
        make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, i,
                  NULL, 0);
        inject(&frame);
    }
    cr_assert_leq(missing_packets(), NEIGHBOUR_QUEUE_MAX);
    cr_assert_eq(drop_count(DROP_NEIGHBOUR_QUEUE_FULL),
                 1000 - NEIGHBOUR_QUEUE_MAX);
    /* The newest are kept. */
    peer.answers_arp = true;
    world_run_for(2 * NS_PER_S);
    cr_assert_not_null(received_icmp(NEIGHBOUR_QUEUE_MAX - 1));
    cr_assert_eq(received_icmp(NEIGHBOUR_QUEUE_MAX - 1)->rest[2], 999 >> 8);
    cr_assert_eq(missing_packets(), 0);
}

Test(hostile, A9_packets_for_many_unresolved_neighbours_are_bounded)
{
    for (uint32_t i = 2; i < 250; i++) {
        for (uint32_t n = 0; n < 20; n++) {
            make_icmp(&frame, 0x0a000000 + i, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0,
                      n, NULL, 0);
            inject(&frame);
        }
    }
    cr_assert_leq(missing_packets(), NEIGHBOUR_QUEUED_TOTAL_MAX);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}
