/* SPDX-License-Identifier: MIT */
/*
 * The simulated world itself: what a path says is what it does, and one seed
 * is one run, to the bit.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/host/apart.h"
#include "tests/host/flows.h"

enum {
    FRAMES = 100000,
};

static struct world_port from;
static struct world_port to;
static uint32_t arrived[FRAMES + 1];
static uint32_t arrivals;
static uint64_t last_ns;

static void arrive(struct world_port *port, struct frame *frame)
{
    (void)port;
    cr_assert_leq(arrivals, FRAMES);
    memcpy(&arrived[arrivals++ % FRAMES], frame->bytes, sizeof(arrived[0]));
    last_ns = world_now();
    free(frame);
}

/* That many numbered frames, one a millisecond, over this path. */
static void send_frames(uint32_t count, const struct world_path *path)
{
    world_start(1);
    from.path = *path;
    from.arrive = arrive;
    to.arrive = arrive;
    world_port_join(&from, &to);
    for (uint32_t i = 0; i < count; i++) {
        struct frame *frame = frame_new(NULL, 100);
        memset(frame->bytes, 0, 100);
        memcpy(frame->bytes, &i, sizeof(i));
        world_port_send(&from, frame);
        world_run_for(NS_PER_MS);
    }
    world_run_out();
}

Test(world, bursts_lose_as_often_and_as_long_as_gilbert_and_elliott_say)
{
    /* Bad for 4 frames on average, good for 96. */
    send_frames(FRAMES, &(struct world_path){.burst_enter_ppm = 10417,
                                             .burst_leave_ppm = 250000,
                                             .burst_loss_ppm = 1000000});
    uint32_t bursts = 0;
    for (uint32_t i = 1; i < arrivals; i++)
        bursts += arrived[i] != arrived[i - 1] + 1;
    double lost = FRAMES - arrivals;
    cr_assert(lost / FRAMES > 0.036 && lost / FRAMES < 0.044, "%f", lost);
    cr_assert(lost / bursts > 3.6 && lost / bursts < 4.4, "%f", lost / bursts);
    cr_assert_eq(from.lost, FRAMES - arrivals);
}

Test(world, losses_of_one_frame_are_not_bursts)
{
    send_frames(FRAMES, &(struct world_path){.loss_ppm = 40000});
    uint32_t bursts = 0;
    for (uint32_t i = 1; i < arrivals; i++)
        bursts += arrived[i] != arrived[i - 1] + 1;
    double lost = FRAMES - arrivals;
    cr_assert(lost / FRAMES > 0.036 && lost / FRAMES < 0.044, "%f", lost);
    cr_assert_lt(lost / bursts, 1.1);
}

Test(world, jitter_changes_times_and_not_the_order)
{
    send_frames(10000, &(struct world_path){.delay_ns = NS_PER_MS,
                                            .jitter_ns = 20 * NS_PER_MS});
    cr_assert_eq(arrivals, 10000);
    for (uint32_t i = 1; i < arrivals; i++)
        cr_assert_eq(arrived[i], arrived[i - 1] + 1);
}

Test(world, what_is_late_is_overtaken)
{
    send_frames(10000, &(struct world_path){.reorder_ppm = 100000,
                                            .reorder_ns = 5 * NS_PER_MS});
    uint32_t late = 0;
    for (uint32_t i = 1; i < arrivals; i++)
        late += arrived[i] < arrived[i - 1];
    cr_assert_eq(arrivals, 10000);
    cr_assert(late > 700 && late < 1100, "%u", late);
}

Test(world, duplicates_and_flipped_bits_are_counted)
{
    send_frames(10000, &(struct world_path){.duplicate_ppm = 100000});
    cr_assert_eq(arrivals, 10000 + from.duplicated);
    cr_assert(from.duplicated > 900 && from.duplicated < 1100);
}

Test(world, a_cable_that_flaps_loses_while_it_is_down)
{
    send_frames(10000, &(struct world_path){.flap_every_ns = NS_PER_S,
                                            .flap_down_ns = 100 * NS_PER_MS});
    cr_assert_eq(arrivals, 9000);
    for (uint32_t i = 0; i < arrivals; i++)
        cr_assert_lt(arrived[i] % 1000, 900);
}

Test(world, a_queue_holds_its_bytes_and_the_rate_empties_it)
{
    const struct world_path path = {.rate_bits_s = 1000000,
                                    .queue_bytes = 12400};
    world_start(1);
    from.path = path;
    to.arrive = arrive;
    world_port_join(&from, &to);
    for (uint32_t i = 0; i < 200; i++) {
        struct frame *frame = frame_new(NULL, 100);
        memcpy(frame->bytes, &i, sizeof(i));
        world_port_send(&from, frame);
    }
    world_run_out();
    /* 124 bytes each on the wire: 100 wait, and one is being sent. */
    cr_assert_eq(arrivals, 101);
    cr_assert_eq(last_ns, UINT64_C(101) * 124 * 8 * 1000);
}

/* ---- whole stacks ---------------------------------------------------------
 */

static const struct world_path weather = {
    .rate_bits_s = 20000000,
    .delay_ns = 10 * NS_PER_MS,
    .jitter_ns = 2 * NS_PER_MS,
    .queue_bytes = 60000,
    .loss_ppm = 2000,
    .burst_enter_ppm = 2000,
    .burst_leave_ppm = 300000,
    .burst_loss_ppm = 800000,
    .duplicate_ppm = 5000,
    .corrupt_ppm = 2000,
    .reorder_ppm = 10000,
    .reorder_ns = 4 * NS_PER_MS,
    .flap_every_ns = 7 * NS_PER_S,
    .flap_down_ns = 300 * NS_PER_MS,
};

static void replay(void *context, void *result)
{
    struct pair pair = pair_start(*(uint64_t *)context, (size_t)16 << 20);

    world_trace(true);
    pair_set_path(&pair, &weather);
    if (flows_start(&pair, 20, 100000, 50000) && flows_run(600 * NS_PER_S) &&
        flows_close() && pair_is_clean(&pair))
        *(uint64_t *)result = world_trace_hash();
}

static uint64_t hash_of(uint64_t seed)
{
    uint64_t hash = 0;

    cr_assert(apart_run(replay, &seed, &hash, sizeof(hash)));
    cr_assert_neq(hash, 0, "seed %lu did not get through", (unsigned long)seed);
    return hash;
}

Test(world, one_seed_replays_bit_exact_and_another_does_not)
{
    uint64_t first = hash_of(1);

    cr_assert_eq(hash_of(1), first);
    cr_assert_neq(hash_of(2), first);
    cr_assert_neq(hash_of(3), first);
}

static void narrow(bool is_black_hole)
{
    struct pair pair = pair_start(1, (size_t)32 << 20);
    struct world_path path = {.rate_bits_s = 20000000,
                              .delay_ns = 5 * NS_PER_MS,
                              .queue_bytes = 100000};

    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(pair.stack[i]);
        cr_assert_eq(call->net_set("ipv4.tcp_mtu_probing", "1"), 0);
        world_leave(pair.stack[i]);
    }
    pair_set_path(&pair, &path);
    cr_assert(flows_start(&pair, 4, 2000000, 0));
    cr_assert_not(flows_run(NS_PER_S));
    path.mtu = 1200;
    path.is_black_hole = is_black_hole;
    pair_set_path(&pair, &path);
    cr_assert(flows_run(120 * NS_PER_S));
    cr_assert_gt(pair.device[0]->port.too_long, 0);
    cr_assert(flows_close());
    cr_assert(pair_is_clean(&pair));
}

Test(world, a_path_that_narrows_in_mid_flow_and_says_so)
{
    narrow(false);
}

Test(world, a_path_that_narrows_in_mid_flow_and_swallows)
{
    narrow(true);
}

Test(world, every_run_can_write_a_capture)
{
    char name[128];
    uint32_t words[10];

    (void)snprintf(name, sizeof(name), "/tmp/ferrule-world-%ld",
                   (long)getpid());
    cr_assert_eq(setenv("WORLD_PCAP", name, 1), 0);
    struct pair pair = pair_start(1, (size_t)16 << 20);
    cr_assert(flows_start(&pair, 1, 1000, 1000));
    cr_assert(flows_run(NS_PER_S));
    world_capture(NULL);
    (void)snprintf(name, sizeof(name), "/tmp/ferrule-world-%ld-%ld-0.pcap",
                   (long)getpid(), (long)getpid());
    FILE *file = fopen(name, "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fread(words, sizeof(words), 1, file), 1);
    size_t records = 1;
    cr_assert_eq(fseek(file, words[8], SEEK_CUR), 0);
    while (fread(words + 6, 16, 1, file) == 1) {
        cr_assert_eq(words[8], words[9]);
        cr_assert_leq(words[8], 1514);
        cr_assert_eq(fseek(file, words[8], SEEK_CUR), 0);
        records++;
    }
    (void)fclose(file);
    (void)unlink(name);
    cr_assert_eq(words[0], 0xa1b23c4d);
    cr_assert_eq(records,
                 pair.device[0]->port.sent + pair.device[1]->port.sent);
}
