/* SPDX-License-Identifier: MIT */
/*
 * Hostile datagrams. The names carry the line of the checklist.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/ip/flow.h"
#include "net/limits.h"
#include "net/udp/socket.h"
#include "net/udp/udp.h"

static struct test_frame frame;
static struct udp_socket *server;

static void start(void)
{
    struct udp_endpoint local = {mapped(0), 5000};

    net_world();
    learn_peer();
    cr_assert_eq(udp_open(NULL, NULL, &server), 0);
    cr_assert_eq(udp_bind(server, &local), 0);
}

TestSuite(hostile, .init = start, .timeout = 60);

static struct udp_header *udp(void)
{
    return (void *)ip_payload_of(&frame);
}

static void make(void)
{
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 5000, "0123456789", 10);
}

static void assert_dropped(enum drop_reason reason)
{
    uint64_t before = drop_count(reason);

    inject(&frame);
    cr_assert_eq(drop_count(reason), before + 1, "not dropped as %s",
                 drop_reason_name(reason));
    cr_assert_eq(received_count(), 0);
    cr_assert_eq(udp_ready(server), UDP_WRITABLE);
    cr_assert_eq(missing_packets(), 0);
}

Test(hostile, U1_lengths_that_contradict_are_dropped)
{
    for (uint16_t length = 0; length < 8; length++) {
        make();
        udp()->length = be16_from(length);
        fix_transport(&frame);
        assert_dropped(DROP_UDP_SHORT);
    }
    make();
    udp()->length = be16_from(19);
    fix_transport(&frame);
    assert_dropped(DROP_UDP_SHORT);
    for (size_t length = 0; length < 8; length++) {
        make_ip(&frame, 17, PEER_ADDRESS, OUR_ADDRESS, "01234567", length);
        assert_dropped(DROP_UDP_SHORT);
    }
}

Test(hostile, U1_bytes_behind_the_length_are_trimmed)
{
    char read[64];

    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 5000, "0123", 4);
    memcpy(frame.bytes + frame.length, "junk", 4);
    frame.length += 4;
    ip_of(&frame)->total_length = be16_from(20 + 8 + 8);
    fix_ip(&frame);
    inject(&frame);
    cr_assert_eq(udp_read(server, read, sizeof(read), 0, NULL, NULL), 4);
    cr_assert_eq(memcmp(read, "0123", 4), 0);
}

Test(hostile, U2_wrong_checksum_is_dropped)
{
    for (size_t bit = 0; bit < 18 * 8; bit++) {
        make();
        if (bit / 8 == 4 || bit / 8 == 5)
            continue; /* the length has reasons of its own */
        ip_payload_of(&frame)[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_dropped(DROP_UDP_CHECKSUM);
    }
}

Test(hostile, U2_checksum_zero_is_none)
{
    char read[64];

    make();
    udp()->checksum = be16_from(0);
    inject(&frame);
    cr_assert_eq(udp_read(server, read, sizeof(read), 0, NULL, NULL), 10);
}

Test(hostile, U3_port_zero_is_dropped)
{
    make_udp(&frame, PEER_ADDRESS, 0, OUR_ADDRESS, 5000, "x", 1);
    assert_dropped(DROP_UDP_PORT);
    make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 0, "x", 1);
    assert_dropped(DROP_UDP_PORT);
}

Test(hostile, U3_multicast_source_is_dropped)
{
    make_udp(&frame, 0xe0000005, 4000, OUR_ADDRESS, 5000, "x", 1);
    assert_dropped(DROP_IP_SOURCE);
}

Test(hostile, U4_connected_socket_hears_nobody_else)
{
    struct udp_endpoint remote = {mapped(PEER_ADDRESS), 4000};
    char read[64];

    cr_assert_eq(udp_connect(server, &remote), 0);
    make_udp(&frame, PEER_ADDRESS, 4001, OUR_ADDRESS, 5000, "x", 1);
    inject(&frame);
    make_udp(&frame, OTHER_ADDRESS, 4000, OUR_ADDRESS, 5000, "x", 1);
    inject(&frame);
    cr_assert_eq(drop_count(DROP_UDP_NO_SOCKET), 2);
    cr_assert_eq(udp_read(server, read, sizeof(read), 0, NULL, NULL), -EAGAIN);
    make();
    inject(&frame);
    cr_assert_eq(udp_read(server, read, sizeof(read), 0, NULL, NULL), 10);
}

Test(hostile, U5_queue_nobody_reads_is_bounded_and_drops_the_newest)
{
    char read[16];

    cr_assert_eq(udp_set_option(server, UDP_OPTION_RECEIVE_BUFFER, 100000), 0);
    for (uint32_t i = 0; i < 2000; i++) {
        make_udp(&frame, PEER_ADDRESS, 4000, OUR_ADDRESS, 5000, &i, sizeof(i));
        inject(&frame);
    }
    /* By what they hold, not by the 4 bytes they carry. */
    cr_assert_leq(missing_buffers() * BUFFER_SIZE, 100000);
    cr_assert_geq(missing_buffers(), 40);
    cr_assert_eq(drop_count(DROP_UDP_QUEUE_FULL), 2000 - missing_buffers());
    cr_assert_eq(udp_read(server, read, sizeof(read), 0, NULL, NULL), 4);
    cr_assert_eq(read[0], 0);
    udp_close(server);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile, U5_all_queues_together_leave_the_pool_alone)
{
    flood_udp_sockets(40, 200);
    cr_assert_leq(missing_buffers(),
                  buffer_count_total() / UDP_TOTAL_POOL_DIVISOR);
}

/* How many a lookup may have to look at. */
static size_t longest_chain(struct udp_socket *const sockets[], size_t count)
{
    size_t longest = 0;

    for (size_t i = 0; i < count; i++) {
        size_t length = 0;

        for (const struct udp_socket *at = sockets[i]; at != NULL;
             at = at->next)
            length++;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static void connect_all(struct udp_socket *sockets[], size_t count,
                        const struct udp_endpoint remotes[])
{
    struct udp_endpoint local = {mapped(OUR_ADDRESS), 5001};

    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(udp_open(NULL, NULL, &sockets[i]), 0);
        cr_assert_eq(udp_set_option(sockets[i], UDP_OPTION_REUSE_ADDRESS, 1),
                     0);
        cr_assert_eq(udp_bind(sockets[i], &local), 0);
        cr_assert_eq(udp_connect(sockets[i], &remotes[i]), 0);
    }
}

/* S1 of the checklist: who may choose addresses and ports cannot make our
 * table slow. Not by a sum that stays the same, and not for a key he knows. */
Test(hostile, S1_chains_stay_short_whatever_tuples_are_chosen)
{
    static const struct hash_key known = {{0, 0}};
    struct udp_socket *sockets[64];
    struct udp_endpoint remotes[64];
    struct ip_address ours = mapped(OUR_ADDRESS);
    size_t count = 0;

    for (uint16_t i = 0; i < 32; i++)
        remotes[count++] = (struct udp_endpoint){mapped(FAR_ADDRESS + i),
                                                 (uint16_t)(4000 - i)};
    for (uint32_t i = 0; count < 64; i++) {
        struct udp_endpoint remote = {mapped(FAR_ADDRESS + 64 + i), 4000};

        if (ip_flow_hash(&known, &ours, 5001, &remote.address, remote.port) %
                UDP_BUCKETS ==
            0)
            remotes[count++] = remote;
    }
    connect_all(sockets, 64, remotes);
    cr_assert_leq(longest_chain(sockets, 64), 8);
}

Test(hostile, S1_connected_sockets_are_found_among_many)
{
    struct udp_socket *sockets[64];
    struct udp_endpoint remotes[64];
    char byte = 0;

    for (uint16_t i = 0; i < 64; i++)
        remotes[i] =
            (struct udp_endpoint){mapped(PEER_ADDRESS), (uint16_t)(4000 + i)};
    connect_all(sockets, 64, remotes);
    cr_assert_leq(longest_chain(sockets, 64), 8);
    for (uint16_t i = 0; i < 64; i++) {
        char text[2] = {(char)('!' + i), 0};

        make_udp(&frame, PEER_ADDRESS, (uint16_t)(4000 + i), OUR_ADDRESS, 5001,
                 text, 1);
        inject(&frame);
        cr_assert_eq(udp_read(sockets[i], &byte, 1, 0, NULL, NULL), 1);
        cr_assert_eq(byte, '!' + i);
    }
}
