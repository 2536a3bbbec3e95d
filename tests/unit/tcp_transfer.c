/* SPDX-License-Identifier: MIT */
/*
 * Bulk transfers between two whole stacks over cables that misbehave: every
 * byte arrives, in order, once; and afterwards nothing is missing from the
 * pools.
 */
#include <criterion/criterion.h>

#include "tests/host/pair.h"

enum {
    MEMORY = 32 << 20,
    PORT = 5201,
};

#define MIB (UINT64_C(1) << 20)

/* A cable of 100 Mbit/s and 5 ms. */
static const struct world_path plain = {
    .rate_bits_s = 100000000,
    .delay_ns = 5 * NS_PER_MS,
};

static void close_both(struct mover movers[2])
{
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(movers[i].stack);
        call->tcp_close(movers[i].connection, world_now());
        world_leave(movers[i].stack);
    }
}

/* Moves bytes both ways and checks everything; returns how long it took. */
static uint64_t transfer(uint64_t seed, const struct world_path *path,
                         uint64_t forth, uint64_t back)
{
    struct pair pair = pair_start(seed, MEMORY);
    struct tcp_connection *ends[2];

    pair_set_path(&pair, path);
    cr_assert(pair_connect(&pair, PORT, NULL, ends));
    struct mover movers[2] = {
        {.stack = pair.stack[0],
         .connection = ends[0],
         .to_send = forth,
         .to_receive = back,
         .send_key = 11,
         .receive_key = 22},
        {.stack = pair.stack[1],
         .connection = ends[1],
         .to_send = back,
         .to_receive = forth,
         .send_key = 22,
         .receive_key = 11},
    };
    uint64_t start = world_now();
    cr_assert(pair_move(movers, 3600 * NS_PER_S), "too slow: %lu of %lu",
              movers[1].received, forth);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(movers[i].error, 0, "end %zu: error %d", i,
                     movers[i].error);
        cr_assert_not(movers[i].is_wrong);
        cr_assert_eq(movers[i].received, movers[i].to_receive);
    }
    uint64_t duration = world_now() - start;
    close_both(movers);
    cr_assert(pair_is_clean(&pair));
    return duration;
}

Test(tcp_transfer, a_clean_cable_is_filled)
{
    uint64_t duration = transfer(1, &plain, 16 * MIB, 0);

    /* 16 MiB at 100 Mbit/s are 1.34 s, with headers 1.42 s. */
    cr_assert_lt(duration, 1700 * NS_PER_MS, "took %lu ms",
                 duration / NS_PER_MS);
}

Test(tcp_transfer, both_directions_at_once)
{
    uint64_t duration = transfer(2, &plain, 8 * MIB, 8 * MIB);

    cr_assert_lt(duration, 1200 * NS_PER_MS, "took %lu ms",
                 duration / NS_PER_MS);
}

Test(tcp_transfer, loss_of_two_percent)
{
    struct world_path path = plain;
    path.loss_ppm = 20000;
    for (uint64_t seed = 10; seed < 11; seed++)
        transfer(seed, &path, 2 * MIB, MIB);
}

Test(tcp_transfer, loss_of_twenty_percent)
{
    struct world_path path = plain;
    path.loss_ppm = 200000;
    transfer(20, &path, MIB / 8, MIB / 16);
}

Test(tcp_transfer, reordering)
{
    struct world_path path = plain;
    path.reorder_ppm = 20000;
    path.reorder_ns = 3 * NS_PER_MS;
    transfer(30, &path, 4 * MIB, MIB);
}

Test(tcp_transfer, duplication)
{
    struct world_path path = plain;
    path.duplicate_ppm = 100000;
    transfer(40, &path, 4 * MIB, MIB);
}

/* covers: MUST-2 */
Test(tcp_transfer, corruption_is_noticed_by_the_checksum)
{
    struct world_path path = plain;
    path.corrupt_ppm = 5000;
    transfer(50, &path, 4 * MIB, MIB);
}

Test(tcp_transfer, everything_at_once)
{
    struct world_path path = plain;
    path.loss_ppm = 20000;
    path.reorder_ppm = 20000;
    path.reorder_ns = 2 * NS_PER_MS;
    path.duplicate_ppm = 10000;
    path.corrupt_ppm = 5000;
    transfer(60, &path, 2 * MIB, 2 * MIB);
}

Test(tcp_transfer, a_short_queue_overflows)
{
    struct world_path path = plain;
    path.queue_bytes = 20000;
    uint64_t duration = transfer(70, &path, 8 * MIB, 0);

    cr_assert_lt(duration, 4 * NS_PER_S, "took %lu ms", duration / NS_PER_MS);
}
