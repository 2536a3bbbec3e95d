/* SPDX-License-Identifier: MIT */
/*
 * Congestion modules in whole stacks over a simulated link: how well one flow
 * fills it, and how evenly many share it.
 */
#include <criterion/criterion.h>

#include "tests/host/pair.h"

enum {
    MEMORY = 64 << 20,
    PORT = 7000,
    FLOW_PAIRS_MAX = 64,
    RATE = 50 * 1000 * 1000, /* bit/s */
};

static const struct world_path path = {
    .rate_bits_s = RATE,
    .delay_ns = 10 * NS_PER_MS,
    .queue_bytes = RATE / 8 / 50 * 2, /* of 40 ms */
};

static struct pair pair;
static struct mover movers[FLOW_PAIRS_MAX][2];

static struct tcp_options options_of(const char *module)
{
    struct tcp_options options;

    tcp_options_init(&options);
    int number = tcp_congestion_number(module);
    cr_assert_geq(number, 0, "%s", module);
    cr_assert_eq(tcp_options_set(&options, TCP_OPTION_CONGESTION, number), 0);
    return options;
}

/* What waits, waits here: in the ring, and in sockets for a place there. */
static const struct world_path own_link = {
    .rate_bits_s = RATE,
    .delay_ns = 10 * NS_PER_MS,
};

static void start_over(const struct world_path *wire, const char *module,
                       size_t flows)
{
    struct tcp_options options;

    pair = pair_start(1, MEMORY);
    pair_set_path(&pair, wire);
    options = options_of(module);
    for (size_t i = 0; i < flows; i++) {
        struct tcp_connection *ends[2];
        cr_assert(pair_connect(&pair, PORT, &options, ends));
        for (size_t j = 0; j < 2; j++)
            movers[i][j] =
                (struct mover){.stack = pair.stack[j], .connection = ends[j]};
        movers[i][0].to_send = UINT64_MAX;
    }
}

static void start(const char *module, size_t flows)
{
    start_over(&path, module, flows);
}

static void run(size_t flows, uint64_t duration_ns)
{
    uint64_t until = world_now() + duration_ns;

    while (world_now() < until) {
        for (size_t i = 0; i < flows; i++)
            for (size_t j = 0; j < 2; j++)
                mover_run(&movers[i][j]);
        world_run_for(2 * NS_PER_MS);
    }
}

/* Jain's index of what each flow received in that time; `total` in bytes. */
static double share(size_t flows, uint64_t duration_ns, uint64_t *total)
{
    uint64_t before[FLOW_PAIRS_MAX];
    double sum = 0;
    double squares = 0;

    for (size_t i = 0; i < flows; i++)
        before[i] = movers[i][1].received;
    run(flows, duration_ns);
    for (size_t i = 0; i < flows; i++) {
        double part = (double)(movers[i][1].received - before[i]);
        cr_assert_not(movers[i][1].is_wrong);
        sum += part;
        squares += part * part;
    }
    *total = (uint64_t)sum;
    return sum * sum / ((double)flows * squares);
}

static void fills_the_link(const char *module)
{
    uint64_t total;

    start(module, 1);
    run(1, 5 * NS_PER_S);
    share(1, 10 * NS_PER_S, &total);
    /* 1448 of 1538 bytes on the wire are payload. */
    double used = (double)total * 8 / 10 / RATE * 1538 / 1448;
    cr_log_info("%s: %.3f of the link", module, used);
    cr_assert_gt(used, 0.9, "%s: %.3f", module, used);
}

Test(tcp_congestion_world, one_cubic_flow_fills_the_link)
{
    fills_the_link("cubic");
}

Test(tcp_congestion_world, one_reno_flow_fills_the_link)
{
    fills_the_link("reno");
}

Test(tcp_congestion_world, one_bic_flow_fills_the_link)
{
    fills_the_link("bic");
}

Test(tcp_congestion_world, one_westwood_flow_fills_the_link)
{
    fills_the_link("westwood");
}

Test(tcp_congestion_world, one_vegas_flow_fills_the_link_without_loss)
{
    fills_the_link("vegas");
    cr_assert_eq(pair.device[0]->port.lost, 0);
}

Test(tcp_congestion_world, sixty_four_flows_share_evenly)
{
    uint64_t total;

    start("cubic", FLOW_PAIRS_MAX);
    run(FLOW_PAIRS_MAX, 10 * NS_PER_S);
    double index = share(FLOW_PAIRS_MAX, 40 * NS_PER_S, &total);
    cr_log_info("Jain's index %.4f", index);
    cr_assert_geq(index, 0.97, "%.4f", index);
}

/* A card whose ring is full hands out one place at a time. */
Test(tcp_congestion_world, flows_take_turns_at_a_full_ring)
{
    enum { FLOWS = 32 };
    uint64_t total;

    start_over(&own_link, "cubic", FLOWS);
    run(FLOWS, 5 * NS_PER_S);
    double index = share(FLOWS, 10 * NS_PER_S, &total);
    cr_log_info("Jain's index %.4f", index);
    cr_assert_geq(index, 0.97, "%.4f", index);
    cr_assert_eq(pair.device[0]->port.lost, 0);
}
