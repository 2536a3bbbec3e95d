/* SPDX-License-Identifier: MIT */
/*
 * Interfaces: polling, transmitting into full rings, loopback, links.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/link/loopback.h"
#include "net/udp/udp.h"
#include "net/wire/checksum.h"

static struct test_frame frame;

TestSuite(link, .init = net_world, .timeout = 60);

/* A card that counts, and takes what it is told to. */
struct card {
    struct netif netif;
    size_t room;    /* of its ring */
    size_t waiting; /* frames to be received */
    size_t polls;
    size_t kicks;
    size_t sent;
    struct packet_queue ring;
};

static void card_transmit(struct netif *netif, struct packet *packet)
{
    struct card *card = container_of(netif, struct card, netif);

    card->sent++;
    packet_queue_append(&card->ring, packet);
    if (card->ring.count == card->room)
        netif->transmit_stopped = true;
}

static void card_kick(struct netif *netif)
{
    container_of(netif, struct card, netif)->kicks++;
}

static size_t card_poll(struct netif *netif, size_t budget)
{
    struct card *card = container_of(netif, struct card, netif);
    size_t received = card->waiting < budget ? card->waiting : budget;

    card->polls++;
    card->waiting -= received;
    return received;
}

static const struct netif_operations operations = {
    .transmit = card_transmit,
    .kick = card_kick,
    .poll = card_poll,
};

static struct card cards[20];

static struct card *add_card(uint32_t features)
{
    static size_t count;
    struct card *card = &cards[count++];

    card->netif.operations = &operations;
    card->netif.address = hardware((uint8_t)(10 + count));
    card->netif.mtu = ETHERNET_MTU;
    card->netif.features = features;
    card->netif.link_up = true;
    card->room = 4;
    cr_assert_eq(netif_register(&card->netif), 0);
    return card;
}

Test(link, interfaces_are_named_in_order)
{
    struct card *one = add_card(0);
    struct card *two = add_card(0);

    cr_assert_str_eq(device->netif.name, "eth0");
    cr_assert_str_eq(one->netif.name, "eth1");
    cr_assert_str_eq(two->netif.name, "eth2");
    cr_assert_eq(netif_by_name("eth2"), &two->netif);
    cr_assert_eq(netif_by_name("lo"), loopback_netif());
    cr_assert_null(netif_by_name("eth3"));
    cr_assert_eq(netif_count(), 4);
}

Test(link, more_than_the_most_are_refused)
{
    struct card card = {.netif = {.operations = &operations, .mtu = 1500}};

    while (netif_count() < NETIF_MAX)
        add_card(0);
    cr_assert_eq(netif_register(&card.netif), -ENOSPC);
    cr_assert_str_eq(netif_by_index(NETIF_MAX - 1)->name, "eth14");
}

Test(link, poll_takes_no_more_than_its_budget)
{
    struct card *card = add_card(0);

    card->waiting = 1000;
    netif_schedule(&card->netif);
    cr_assert(netif_poll(1));
    cr_assert_eq(card->waiting, 1000 - NETIF_POLL_BUDGET);
    cr_assert_eq(card->polls, 1);
    while (netif_poll(1))
        continue;
    cr_assert_eq(card->waiting, 0);
}

Test(link, busy_card_does_not_starve_another)
{
    struct card *busy = add_card(0);
    struct card *quiet = add_card(0);

    busy->waiting = SIZE_MAX;
    for (int i = 0; i < 10; i++) {
        quiet->waiting = 1;
        netif_schedule(&busy->netif);
        netif_schedule(&quiet->netif);
        netif_poll(1); /* one of them */
        netif_poll(1); /* and then the other */
        cr_assert_eq(quiet->waiting, 0);
    }
}

Test(link, card_that_is_not_scheduled_is_left_alone)
{
    struct card *card = add_card(0);

    netif_poll(1);
    cr_assert_eq(card->polls, 0);
}

/* An interrupt that comes while the ring is found empty. */
static size_t interrupted_poll(struct netif *netif, size_t budget)
{
    struct card *card = container_of(netif, struct card, netif);

    (void)budget;
    if (card->polls++ == 0)
        netif_schedule(netif);
    return 0;
}

Test(link, wake_up_during_the_poll_is_not_lost)
{
    static const struct netif_operations interrupted = {
        .transmit = card_transmit,
        .kick = card_kick,
        .poll = interrupted_poll,
    };
    struct card *card = add_card(0);

    card->netif.operations = &interrupted;
    netif_schedule(&card->netif);
    netif_poll(1);
    cr_assert_eq(card->polls, 2);
}

static struct packet *make_packet(size_t length)
{
    struct packet *packet = packet_alloc(PACKET_HEADROOM);

    memset(packet_append(packet, length), 0x55, length);
    return packet;
}

Test(link, frames_wait_while_the_ring_is_full_and_keep_their_order)
{
    struct card *card = add_card(0);
    uint8_t next = 0;
    struct packet *packet;

    for (uint8_t i = 0; i < 10; i++) {
        packet = make_packet(100);
        packet->data[0] = i;
        netif_transmit(&card->netif, packet);
    }
    cr_assert_eq(card->sent, 4);
    cr_assert_eq(card->netif.queue.count, 6);
    while ((packet = packet_queue_take(&card->ring)) != NULL) {
        cr_assert_eq(packet->data[0], next++);
        packet_free(packet);
        if (card->ring.count < 2 && card->netif.transmit_stopped)
            netif_transmit_resume(&card->netif);
    }
    cr_assert_eq(next, 10);
    cr_assert_eq(card->netif.queue.count, 0);
    cr_assert_eq(missing_packets(), 0);
}

Test(link, queue_behind_a_full_ring_is_bounded)
{
    struct card *card = add_card(0);
    size_t most = NETIF_QUEUE_MAX;

    if (most > netif_queue_share())
        most = netif_queue_share();
    for (size_t i = 0; i < 4 + most + 10; i++)
        netif_transmit(&card->netif, make_packet(100));
    cr_assert_eq(card->netif.queue.count, most);
    cr_assert_eq(drop_count(DROP_TRANSMIT_FULL), 10);
    cr_assert_eq(card->netif.counters.tx_dropped, 10);
    netif_link_changed(&card->netif, false);
    cr_assert_eq(card->netif.queue.count, 0);
    cr_assert_eq(drop_count(DROP_LINK_DOWN), most);
}

Test(link, kick_comes_once_for_a_burst)
{
    struct card *card = add_card(0);

    for (int i = 0; i < 3; i++)
        netif_transmit(&card->netif, make_packet(100));
    cr_assert_eq(card->kicks, 0);
    netif_flush();
    netif_flush();
    cr_assert_eq(card->kicks, 1);
}

Test(link, nothing_is_sent_without_carrier)
{
    struct card *card = add_card(0);

    netif_link_changed(&card->netif, false);
    netif_transmit(&card->netif, make_packet(100));
    cr_assert_eq(card->sent, 0);
    cr_assert_eq(drop_count(DROP_LINK_DOWN), 1);
    cr_assert_not_null(strstr(world_log_text(), "eth1: link down"));
}

Test(link, frame_longer_than_the_mtu_is_dropped)
{
    struct card *card = add_card(0);

    netif_transmit(&card->netif, make_packet(1514));
    netif_transmit(&card->netif, make_packet(1515));
    cr_assert_eq(card->sent, 1);
    cr_assert_eq(drop_count(DROP_TRANSMIT_TOO_LONG), 1);
}

/* A frame of 60 linear bytes and 700 of fragments, its checksum from byte 20
 * on still to be completed in the field at 30. */
static struct packet *make_partial(void)
{
    static uint8_t payload[700];
    struct packet *packet = make_packet(60);

    memset(payload, 0x77, sizeof(payload));
    packet->data[30] = 0x12;
    packet->data[31] = 0x34;
    packet_add_fragment(packet, payload, 333, LOAN_NONE);
    packet_add_fragment(packet, payload, 367, LOAN_NONE);
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = (uint16_t)(packet_headroom(packet) + 20);
    packet->checksum_offset = 10;
    return packet;
}

static uint32_t plain_sum(const struct packet *packet, size_t from)
{
    uint8_t bytes[2048];
    size_t length = packet_total_length(packet) - from;
    uint32_t sum = 0;

    cr_assert(packet_copy_out(packet, from, bytes, length));
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

Test(link, what_a_card_cannot_do_is_done_for_it)
{
    struct card *plain = add_card(0);
    struct packet *sent;

    netif_transmit(&plain->netif, make_partial());
    sent = plain->ring.first;
    cr_assert_eq(sent->fragment_count, 0);
    cr_assert_eq(sent->length, 760);
    cr_assert_neq(sent->checksum, PACKET_CHECKSUM_PARTIAL);
    /* With what stood in the field before, the sum of the pseudo-header. */
    cr_assert_eq(checksum_fold(plain_sum(sent, 20) + 0x1234), 0xffff);
}

Test(link, what_a_card_can_do_is_left_to_it)
{
    struct card *able = add_card(NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS);
    struct packet *sent;

    netif_transmit(&able->netif, make_partial());
    sent = able->ring.first;
    cr_assert_eq(sent->fragment_count, 2);
    cr_assert_eq(sent->checksum, PACKET_CHECKSUM_PARTIAL);
    cr_assert_eq(sent->data[30], 0x12);
}

Test(link, short_frame_with_fragments_is_padded_behind_them)
{
    struct card *able = add_card(NETIF_TX_FRAGMENTS);
    static const uint8_t payload[] = {1, 2, 3};
    struct packet *packet = make_packet(42);
    struct packet *sent;

    packet_add_fragment(packet, payload, sizeof(payload), LOAN_NONE);
    netif_transmit(&able->netif, packet);
    sent = able->ring.first;
    cr_assert_eq(packet_total_length(sent), 60);
    cr_assert_eq(sent->data[44], 3);
    for (size_t i = 45; i < 60; i++)
        cr_assert_eq(sent->data[i], 0);
}

static struct udp_socket *bound_socket(uint32_t address, uint16_t port)
{
    struct udp_endpoint local = {mapped(address), port};
    struct udp_socket *socket;

    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &local), 0);
    return socket;
}

static void send_to(struct udp_socket *socket, uint32_t address, uint16_t port,
                    size_t length)
{
    static uint8_t bytes[65000];
    struct udp_endpoint remote = {mapped(address), port};

    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 3);
    (void)world_enter(stack);
    cr_assert_eq(udp_send(socket, &remote, bytes, length, world_now()),
                 (int)length);
    world_leave(stack);
    settle();
}

Test(link, loopback_brings_back_what_it_is_given)
{
    struct udp_socket *a = bound_socket(0, 1000);
    struct udp_socket *b = bound_socket(0, 2000);
    struct udp_endpoint from;
    static uint8_t bytes[65000];

    send_to(a, 0x7f000001, 2000, 100);
    cr_assert_eq(udp_read(b, bytes, sizeof(bytes), 0, &from, NULL), 100);
    cr_assert_eq(from.port, 1000);
    cr_assert_eq(be32_get(ip_address_ipv4(&from.address)), 0x7f000001);
    /* Our own address is no different, nor is a whole 127/8. */
    send_to(a, OUR_ADDRESS, 2000, 50);
    cr_assert_eq(udp_read(b, bytes, sizeof(bytes), 0, &from, NULL), 50);
    send_to(a, 0x7f010203, 2000, 51);
    cr_assert_eq(udp_read(b, bytes, sizeof(bytes), 0, &from, NULL), 51);
    cr_assert_eq(received_count(), 0, "nothing was on the wire");
}

Test(link, loopback_takes_large_datagrams_in_pieces)
{
    struct udp_socket *a = bound_socket(0, 1000);
    struct udp_socket *b = bound_socket(0, 2000);
    static uint8_t bytes[65000];

    send_to(a, 0x7f000001, 2000, 60000);
    cr_assert_eq(udp_read(b, bytes, sizeof(bytes), 0, NULL, NULL), 60000);
    for (size_t i = 0; i < 60000; i++)
        cr_assert_eq(bytes[i], (uint8_t)(i * 3));
    cr_assert_eq(missing_buffers(), 0);
}

static size_t captured[2];

static void capture(const struct netif *netif, const struct packet *packet,
                    bool is_outgoing)
{
    cr_assert_eq(netif, &device->netif);
    cr_assert_geq(packet->length, ETHERNET_HEADER_LENGTH);
    captured[is_outgoing]++;
}

Test(link, capture_sees_both_directions)
{
    netif_set_capture(capture);
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    inject(&frame);
    netif_set_capture(NULL);
    inject(&frame);
    cr_assert_eq(captured[0], 1);
    cr_assert_eq(captured[1], 1);
}

Test(link, counters_carry_the_interface_as_a_label)
{
    make_arp(&frame, ARP_REQUEST, PEER_NUMBER, PEER_ADDRESS, 0, OUR_ADDRESS);
    inject(&frame);
    cr_assert_eq(counter_value("nic_rx_packets_total{device=\"eth0\"}"), 1);
    cr_assert_eq(counter_value("nic_rx_bytes_total{device=\"eth0\"}"), 42);
    cr_assert_geq(counter_value("nic_tx_packets_total{device=\"eth0\"}"), 1);
    cr_assert_eq(counter_value("nic_link_up{device=\"eth0\"}"), 1);
    cr_assert_eq(counter_value("nic_rx_packets_total{device=\"lo\"}"), 0);
}
