/* SPDX-License-Identifier: MIT */
/*
 * The forwarding table: against a list that is searched from end to end, and
 * its paths, metrics and limits.
 * test-links: tests/unit/support_net.c
 */
#include "tests/unit/support_net.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/ip/fib.h"
#include "net/ip/fib_table.h"
#include "net/ip/route.h"
#include "net/limits.h"

static struct netif netifs[NETIF_MAX];

static void start(void)
{
    net_world_with(NULL, 64 << 20, 0);
    cr_assert_eq(fib_init(), 0);
    for (size_t i = 0; i < NETIF_MAX; i++)
        netifs[i] = (struct netif){.index = (uint8_t)i, .link_up = true};
}

TestSuite(fib, .init = start, .timeout = 60);

static int add(uint32_t address, unsigned length, size_t netif, uint32_t metric)
{
    struct ip_prefix prefix = {address, (uint8_t)length};
    struct ip_path path = {.netif = &netifs[netif]};

    return fib_table.add(prefix, &path, metric);
}

static long found(uint32_t address)
{
    const struct ip_path *path = fib_table.find(address, be32_from(0), NULL);

    return path == NULL ? -1 : path->netif - netifs;
}

/* ---- the reference ------------------------------------------------------- */

enum { MODEL_MAX = 3000 };

static struct {
    uint32_t address;
    unsigned length;
    size_t netif;
} model[MODEL_MAX];
static size_t model_count;

static uint32_t mask_of(unsigned length)
{
    return length == 0 ? 0 : UINT32_MAX << (32 - length);
}

static long model_find(uint32_t address)
{
    long best = -1;
    unsigned length = 0;

    for (size_t i = 0; i < model_count; i++)
        if (((address ^ model[i].address) & mask_of(model[i].length)) == 0 &&
            (best < 0 || model[i].length >= length)) {
            best = (long)model[i].netif;
            length = model[i].length;
        }
    return best;
}

/* Prefixes in a few places, so that they nest. */
static void model_add(void)
{
    static const uint8_t lengths[] = {0,  1,  7,  8,  15, 16, 17, 18, 20, 22,
                                      23, 24, 24, 24, 25, 27, 28, 30, 31, 32};
    uint32_t random = (uint32_t)world_random();
    unsigned length = lengths[world_random() % sizeof(lengths)];
    uint32_t address = (10U << 24 | (random & 0x0003ffff)) & mask_of(length);
    size_t netif = world_random() % NETIF_MAX;

    for (size_t i = 0; i < model_count; i++)
        if (model[i].address == address && model[i].length == length)
            return;
    model[model_count].address = address;
    model[model_count].length = length;
    model[model_count++].netif = netif;
    cr_assert_eq(add(address, length, netif, 0), 0);
}

static void compare_at(uint32_t address)
{
    cr_assert_eq(found(address), model_find(address), "%08x", address);
}

static void compare_edges(size_t i)
{
    uint32_t first = model[i].address;
    uint32_t last = first | ~mask_of(model[i].length);

    compare_at(first);
    compare_at(first - 1);
    compare_at(last);
    compare_at(last + 1);
    compare_at(first + (last - first) / 2);
}

Test(fib, the_longest_prefix_wins_everywhere)
{
    for (size_t round = 0; round < MODEL_MAX - 1; round++) {
        model_add();
        compare_at(10U << 24 | (world_random() & 0x0003ffff));
        compare_edges(world_random() % model_count);
    }
    for (size_t i = 0; i < model_count; i++)
        compare_edges(i);
    compare_at(0);
    compare_at(UINT32_MAX);
    cr_assert_eq(fib_table.count(), model_count);
}

Test(fib, what_an_interface_takes_away_is_gone_and_the_rest_stands)
{
    size_t kept = 0;

    for (size_t round = 0; round < 1000; round++)
        model_add();
    fib_table.remove_of_netif(&netifs[3], 32);
    for (size_t i = 0; i < model_count; i++)
        if (model[i].netif != 3)
            model[kept++] = model[i];
    model_count = kept;
    cr_assert_eq(fib_table.count(), kept);
    for (size_t i = 0; i < model_count; i++)
        compare_edges(i);
}

Test(fib, an_empty_table_finds_nothing)
{
    cr_assert_eq(found(0), -1);
    cr_assert_eq(found(0x0a000001), -1);
    cr_assert_eq(found(UINT32_MAX), -1);
}

/* Every host route of one /16: the longest array of ranges there can be. */
Test(fib, every_address_of_a_chunk_may_have_its_own_way)
{
    for (uint32_t i = 0; i < 65536; i++)
        cr_assert_eq(add(0x0a010000 + i, 32, i % 7, 0), 0);
    for (uint32_t i = 0; i < 65536; i++)
        cr_assert_eq(found(0x0a010000 + i), (long)(i % 7));
    cr_assert_eq(found(0x0a020000), -1);
}

Test(fib, a_hundred_thousand_prefixes_fit_64_megabytes)
{
    cr_assert_geq(fib_capacity(), 100000);
    for (uint32_t i = 0; i < 100000; i++)
        cr_assert_eq(add(i * 0x9e3779b1, 24 + (i & 7), i % 5, 0), 0);
    for (uint32_t i = 0; i < 100000; i++)
        cr_assert_neq(found(i * 0x9e3779b1), -1);
}

Test(fib, ranges_are_rebuilt_for_as_long_as_prefixes_change)
{
    for (uint32_t i = 0; i < 20000; i++)
        cr_assert_eq(add(0x0a010000 + 2 * i, 32, 1, 0), 0);
    for (uint32_t round = 0; round < 200; round++) {
        cr_assert_eq(add(0x0a010001 + 2 * round, 32, 2, 0), 0);
        cr_assert_eq(found(0x0a010001 + 2 * round), 2);
        cr_assert_eq(found(0x0a010000 + 2 * round), 1);
    }
}

Test(fib, a_full_table_says_so_and_still_answers)
{
    uint32_t i = 0;
    int status = 0;

    for (; status == 0; i++)
        status = add(i << 8, 24, 1, 0);
    cr_assert_eq(status, -ENOSPC);
    cr_assert_eq(fib_table.count(), fib_capacity());
    cr_assert_eq(found((i - 2) << 8), 1);
    fib_table.remove_of_netif(&netifs[1], 32);
    cr_assert_eq(fib_table.count(), 0);
    cr_assert_eq(found(5 << 8), -1);
    cr_assert_eq(add(5 << 8, 24, 1, 0), 0);
    cr_assert_eq(found(5 << 8), 1);
}

/* It hangs in no chain; those of its chunk do. */
/* To be sent on at once what is for us must not look like any other. */
Test(fib, an_address_of_ours_is_known_though_its_network_finds_no_room)
{
    const uint32_t address = 0x0a010203;

    ip_route_table = &fib_table;
    cr_assert_eq(add(0, 0, 0, 0), 0);
    for (uint32_t i = 0; add(0xc0000000 + i, 32, 0, 0) == 0; i++)
        ;
    cr_assert_eq(found(address), 0);
    cr_assert_eq(fib_look(address) & SET_SPECIAL, 0);
    ip_configure(&device->netif, be32_from(address), 24, world_now());
    cr_assert_eq(found(address), 0);
    cr_assert_neq(fib_look(address) & SET_SPECIAL, 0);
    ip_deconfigure(&device->netif);
    cr_assert_eq(found(address), 0);
    cr_assert_eq(fib_look(address) & SET_SPECIAL, 0);
}

Test(fib, a_prefix_of_a_whole_chunk_goes_alone)
{
    cr_assert_eq(add(0x0a000000, 16, 1, 0), 0);
    cr_assert_eq(add(0x0a000500, 24, 2, 0), 0);
    cr_assert_eq(add(0x0a000600, 24, 3, 0), 0);
    fib_table.remove_of_netif(&netifs[1], 32);
    cr_assert_eq(found(0x0a000001), -1);
    cr_assert_eq(found(0x0a000501), 2);
    cr_assert_eq(found(0x0a000601), 3);
}

Test(fib, prefixes_of_a_chunk_go_in_any_order)
{
    for (size_t first = 0; first < 4; first++) {
        for (size_t i = 0; i < 4; i++)
            cr_assert_eq(add(0x0a000000 + (uint32_t)(i << 8), 24, i, 0), 0);
        for (size_t n = 0; n < 4; n++) {
            size_t gone = (first + 3 * n) % 4;

            fib_table.remove_of_netif(&netifs[gone], 32);
            cr_assert_eq(found(0x0a000001 + (uint32_t)(gone << 8)), -1);
            for (size_t m = n + 1; m < 4; m++) {
                size_t left = (first + 3 * m) % 4;

                cr_assert_eq(found(0x0a000001 + (uint32_t)(left << 8)),
                             (long)left);
            }
        }
    }
    cr_assert_eq(fib_table.count(), 0);
}

/* Each metric would need a set of paths of its own. */
Test(fib, what_a_full_table_refuses_leaves_nothing_behind)
{
    uint32_t metric = 1;

    for (uint32_t i = 0; add(i << 8, 24, 1, 0) == 0; i++)
        ;
    while (metric < 2 * FIB_SETS_MAX)
        cr_assert_eq(add(0xdf000000, 24, 2, metric++), -ENOSPC);
    fib_table.remove_of_netif(&netifs[1], 32);
    cr_assert_eq(add(0xdf000000, 24, 2, metric), 0);
    cr_assert_eq(found(0xdf000001), 2);
}

/* ---- several paths --------------------------------------------------------
 */

Test(fib, of_several_metrics_the_least_counts)
{
    cr_assert_eq(add(0, 0, 1, 200), 0);
    cr_assert_eq(found(1), 1);
    cr_assert_eq(add(0, 0, 2, 100), 0);
    cr_assert_eq(found(1), 2);
    cr_assert_eq(add(0, 0, 3, 300), 0);
    cr_assert_eq(found(1), 2);
    cr_assert_eq(fib_table.count(), 1);
    fib_table.remove_of_netif(&netifs[2], 32);
    cr_assert_eq(found(1), 1);
    cr_assert_eq(add(0, 0, 1, 200), -EEXIST);
}

static void make_flow(struct test_frame *frame, uint16_t port)
{
    make_udp(frame, PEER_ADDRESS, port, FAR_ADDRESS, 53, "x", 1);
}

static long found_for_flow(uint16_t port)
{
    static struct test_frame frame;
    struct packet packet = {0};

    make_flow(&frame, port);
    packet.data = frame.bytes + ETHERNET_HEADER_LENGTH;
    packet.length = (uint32_t)(frame.length - ETHERNET_HEADER_LENGTH);
    return fib_table.find(FAR_ADDRESS, be32_from(0), &packet)->netif - netifs;
}

Test(fib, equal_paths_share_flows_and_each_flow_keeps_its_path)
{
    unsigned share[4] = {0};

    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(add(0, 0, i, 10), 0);
    cr_assert_eq(add(0, 0, 5, 20), 0); /* worse */
    for (uint16_t port = 1; port <= 4000; port++) {
        long first = found_for_flow(port);

        cr_assert_eq(found_for_flow(port), first);
        cr_assert_lt(first, 4);
        share[first]++;
    }
    for (size_t i = 0; i < 4; i++)
        cr_assert(share[i] > 850 && share[i] < 1150, "%u", share[i]);
}

Test(fib, a_path_whose_link_is_down_is_left_out)
{
    cr_assert_eq(add(0, 0, 0, 0), 0);
    cr_assert_eq(add(0, 0, 1, 0), 0);
    netifs[1].link_up = false;
    for (uint16_t port = 1; port <= 100; port++)
        cr_assert_eq(found_for_flow(port), 0);
}

Test(fib, among_equal_paths_the_source_decides)
{
    netifs[1].ip.address = be32_from(0x0a000001);
    cr_assert_eq(add(0, 0, 0, 0), 0);
    cr_assert_eq(add(0, 0, 1, 0), 0);
    for (uint32_t i = 0; i < 50; i++)
        cr_assert_eq(
            fib_table.find(i, netifs[1].ip.address, NULL)->netif - netifs, 1);
}

Test(fib, paths_of_one_prefix_are_bounded)
{
    for (size_t i = 0; i < FIB_PATHS_MAX; i++)
        cr_assert_eq(add(0, 0, i, 0), 0);
    cr_assert_eq(add(0, 0, FIB_PATHS_MAX, 0), -ENOSPC);
}
