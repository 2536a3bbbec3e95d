/* SPDX-License-Identifier: MIT */
/*
 * Paths that lose large packets without an ICMP message (RFC 4821).
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/limits.h"
#include "tests/host/pair.h"

enum {
    ETHERNET = 14,
    PORT = 80,
    MEMORY = 32 << 20,
};

static struct pair pair;
static struct tcp_connection *ends[2];
static size_t path_mtu;
static void (*arrive)(struct world_port *port, struct frame *frame);

/* The hole, in front of stack 1. */
static void pass_small(struct world_port *port, struct frame *frame)
{
    if (frame->length > path_mtu + ETHERNET)
        free(frame);
    else
        arrive(port, frame);
}

static void start(const char *probing)
{
    const struct world_path path = {.rate_bits_s = 20000000,
                                    .delay_ns = 5 * NS_PER_MS};

    pair = pair_start(3, MEMORY);
    pair_set_path(&pair, &path);
    path_mtu = 1500;
    arrive = pair.device[1]->port.arrive;
    pair.device[1]->port.arrive = pass_small;
    cr_assert_eq(pair.stack[0]->call->net_set("ipv4.tcp_mtu_probing", probing),
                 0);
    cr_assert(pair_connect(&pair, PORT, NULL, ends));
}

static bool sends(uint64_t bytes, uint64_t limit_ns)
{
    struct mover movers[2] = {
        {.stack = pair.stack[0],
         .connection = ends[0],
         .to_send = bytes,
         .send_key = 1,
         .chunk = 16384},
        {.stack = pair.stack[1],
         .connection = ends[1],
         .to_receive = bytes,
         .receive_key = 1,
         .chunk = 16384},
    };

    bool is_done = pair_move(movers, limit_ns);
    cr_assert_not(movers[1].is_wrong);
    return is_done && movers[1].received == bytes;
}

static struct tcp_status status(void)
{
    struct tcp_status now;

    pair.stack[0]->call->tcp_get_status(ends[0], &now);
    return now;
}

struct search {
    const char *name;
    uint64_t value;
};

static void compare(void *context, const char *name, uint64_t value,
                    const char *help)
{
    struct search *search = context;

    (void)help;
    if (strcmp(name, search->name) == 0)
        search->value = value;
}

static uint64_t counter(const char *name)
{
    struct search search = {name, UINT64_MAX};

    pair.stack[0]->call->tcp_visit_counters(compare, &search);
    return search.value;
}

Test(tcp_mtu, without_probing_a_black_hole_stays_one)
{
    start("0");
    path_mtu = 1200;
    cr_assert_not(sends(1 << 20, 60 * NS_PER_S));
    cr_assert_eq(counter("tcp_mtu_black_holes_total"), 0);
}

/* covers: RFC4821-7.7 RFC4821-7.3 */
Test(tcp_mtu, a_black_hole_is_left_and_its_size_found)
{
    start("1");
    path_mtu = 1200;
    cr_assert(sends(32 << 20, 120 * NS_PER_S));
    cr_assert_eq(counter("tcp_mtu_black_holes_total"), 1);
    cr_assert_gt(counter("tcp_mtu_raises_total"), 0);
    uint32_t mtu = status().path_mtu;
    cr_assert(mtu > 1200 - TCP_MTU_PROBE_STEP && mtu <= 1200, "%u", mtu);
}

/* covers: RFC4821-7.7 */
Test(tcp_mtu, a_narrow_black_hole_is_left_in_two_steps)
{
    start("1");
    path_mtu = 600;
    cr_assert(sends(1 << 20, 120 * NS_PER_S));
    cr_assert_eq(counter("tcp_mtu_black_holes_total"), 2);
    cr_assert_leq(status().path_mtu, 600);
}

/* covers: RFC4821-7.6 */
Test(tcp_mtu, losses_are_not_taken_for_a_black_hole)
{
    const struct world_path path = {
        .rate_bits_s = 20000000, .delay_ns = 5 * NS_PER_MS, .loss_ppm = 20000};
    start("1");
    pair_set_path(&pair, &path);
    cr_assert(sends(4 << 20, 120 * NS_PER_S));
    cr_assert_eq(counter("tcp_mtu_black_holes_total"), 0);
    cr_assert_eq(status().path_mtu, 1500);
}

/* covers: RFC4821-7.2 RFC4821-7.3 */
Test(tcp_mtu, always_probing_starts_low_and_gets_to_the_top)
{
    start("2");
    cr_assert_eq(status().path_mtu, TCP_MTU_BASE);
    cr_assert(sends(4 << 20, 60 * NS_PER_S));
    cr_assert_eq(status().path_mtu, 1500);
    cr_assert_eq(counter("tcp_mtu_probes_total"), 1);
    cr_assert_eq(counter("tcp_retransmitted_segments_total"), 0);
}
