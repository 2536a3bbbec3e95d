/* SPDX-License-Identifier: MIT */
/*
 * S5 of the checklist. All places where packets may wait for others are full
 * at once: apps read nothing, datagrams stay unfinished, neighbours are silent,
 * and the card holds back. What comes must still find a buffer (net/limits.h
 * adds up what each place may take).
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>

#include "net/buffer.h"
#include "net/limits.h"
#include "net/link/neighbour.h"
#include "net/packet.h"
#include "net/raw/raw.h"
#include "net/tcp/queues.h"
#include "net/tcp/tcp.h"
#include "net/udp/udp.h"

enum {
    SOCKETS = 40,
    CONNECTIONS = 48,
    SOURCES = 8,
    SILENT = 16,
};

static struct test_frame frame;

static void with_raw_sockets(void)
{
    cr_assert_eq(raw_init(), 0);
}

static void start(void)
{
    net_world_prepare = with_raw_sockets;
    net_world_with("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none", 8 << 20, 0);
    learn_peer();
}

TestSuite(hostile, .init = start, .timeout = 60);

/* The receive rings of all cards hold a fifth of the pool at most. */
static void fill_rings(void)
{
    for (size_t i = 0; i < buffer_count_total() / 5; i++)
        cr_assert_not_null(buffer_alloc());
}

static void fill_udp(void)
{
    flood_udp_sockets(SOCKETS, 100);
}

/* Each has a copy of every datagram. */
static void fill_raw(void)
{
    struct raw_socket *socket;

    for (unsigned i = 0; i < RAW_SOCKETS_MAX; i++)
        cr_assert_eq(raw_open(RAW_IP, 17, &socket), 0);
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 9, "x", 1);
    inject(&frame);
    inject(&frame);
}

/* First pieces of datagrams whose rest never comes. */
static void fill_reassembly(void)
{
    static uint8_t payload[1400];

    for (uint32_t source = 0; source < SOURCES; source++) {
        for (uint16_t piece = 0; piece < 40; piece++) {
            make_ip(&frame, 17, PEER_ADDRESS + 10 + source, OUR_ADDRESS,
                    payload, sizeof(payload));
            ip_of(&frame)->identification = be16_from(7);
            ip_of(&frame)->fragment = be16_from(
                (uint16_t)(piece * sizeof(payload) / 8 | IPV4_MORE_FRAGMENTS));
            fix_ip(&frame);
            inject(&frame);
        }
    }
}

/* To `count` addresses in turn. */
static void send_datagrams(uint16_t from, uint32_t first, unsigned count)
{
    struct udp_endpoint local = {mapped(0), from};
    struct udp_socket *socket;

    cr_assert_eq(udp_open(NULL, NULL, &socket), 0);
    cr_assert_eq(udp_bind(socket, &local), 0);
    for (unsigned i = 0; i < 20 * SILENT; i++) {
        struct udp_endpoint remote = {mapped(first + i % count), 4000};

        (void)world_enter(stack);
        (void)!udp_send(socket, &remote, "x", 1, world_now());
        world_leave(stack);
    }
}

static void fill_neighbours(void)
{
    send_datagrams(5000, OUR_ADDRESS + 100, SILENT);
}

static void fill_interface(void)
{
    device->netif.transmit_stopped = true;
    send_datagrams(5001, PEER_ADDRESS, 1);
}

static void notify_nobody(void *owner, uint32_t ready)
{
    (void)owner;
    (void)ready;
}

/* To ourselves; both ends take what they are given, and nobody reads. */
static void fill_tcp(void)
{
    static struct tcp_connection *clients[CONNECTIONS];
    static uint8_t bytes[65536];
    static int owner;
    struct tcp_endpoint local = {mapped(0), 80};
    struct tcp_endpoint remote = {mapped(0x7f000001), 80};
    struct tcp_listener *listener;

    tcp_set_notify(notify_nobody);
    (void)world_enter(stack);
    cr_assert_eq(tcp_listen(&local, CONNECTIONS, true, &owner, &listener), 0);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        struct tcp_endpoint any = {mapped(0), 0};

        cr_assert_eq(
            tcp_connect(&any, &remote, NULL, &owner, world_now(), &clients[i]),
            0);
    }
    world_leave(stack);
    world_run_for(NS_PER_S);
    for (unsigned turn = 0; turn < 20; turn++) {
        (void)world_enter(stack);
        while (tcp_accept(listener, &owner) != NULL)
            ;
        for (size_t i = 0; i < CONNECTIONS; i++)
            (void)!tcp_write(clients[i], bytes, sizeof(bytes), 0, world_now());
        world_leave(stack);
        world_run_for(50 * NS_PER_MS);
    }
}

Test(hostile, S5_what_rests_everywhere_leaves_a_buffer_for_what_comes)
{
    fill_rings();
    fill_tcp();
    fill_udp();
    fill_raw();
    fill_reassembly();
    fill_neighbours();
    fill_interface();
    cr_assert_gt(buffer_count_free(), 0, "0 of %zu buffers are left",
                 buffer_count_total());
    cr_assert_eq(device->no_packet, 0, "%llu frames found no buffer",
                 (unsigned long long)device->no_packet);
    cr_assert_eq(send_buffers_used(), send_buffers_limit());
    cr_assert_geq(receive_packets_used(), receive_packets_limit() / 8 * 7);
    cr_assert_gt(drop_count(DROP_UDP_QUEUE_FULL), 0);
    cr_assert_gt(raw_counters.buffer_errors, 0);
    cr_assert_gt(drop_count(DROP_NEIGHBOUR_QUEUE_FULL), 0);
    cr_assert_gt(drop_count(DROP_TRANSMIT_FULL), 0);
    forget_received();
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, ICMP_ECHO_REQUEST, 0, 1, "x",
              1);
    netif_transmit_resume(&device->netif);
    inject(&frame);
    cr_assert_not_null(received_icmp(0));
}
