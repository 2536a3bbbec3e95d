/* SPDX-License-Identifier: MIT */
/*
 * How long a timeout lasts, what a loss finds that is told together with ACKs
 * not answered yet (RFC 9937 5.1), and who of those sent at one time was sent
 * last (RFC 8985 6.1).
 */
#include <criterion/criterion.h>

#include "net/tcp/connection.h"
#include "net/tcp/scoreboard.h"
#include "tests/host/scene.h"

enum {
    FLIGHT = 10,
    RTT_MS = 100,
    MSS = SCENE_MSS - 12, /* with timestamps */
};

static struct scene scene;
static struct dialogue *const peer = &scene.peer;
static uint32_t first; /* number of segment 0 */

static void set(const char *name, const char *value)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);

    cr_assert_eq(call->net_set(name, value), 0);
    world_leave(scene.bench.stack);
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
    for (int i = 24; i >= 0; i -= 8)
        *at++ = (uint8_t)(value >> i);
    return at;
}

/* Acknowledges `ack`, echoes, and holds [from, to) beyond. Numbers count from
 * segment 0. */
static void says(uint32_t ack, uint32_t echo, uint32_t from, uint32_t to)
{
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = first + ack,
        .flags = A,
        .window = peer->window,
        .options = {1, 1, 8, 10},
    };
    uint8_t *at = put32(segment.options + 4, ++peer->tsval);

    at = put32(at, echo);
    if (from != to) {
        *at++ = 1;
        *at++ = 1;
        *at++ = 5;
        *at++ = 10;
        at = put32(at, first + from);
        at = put32(at, first + to);
    }
    segment.options_length = (size_t)(at - segment.options);
    remote_send(peer->remote, &segment);
}

/* The same in segments, with the newest timestamp. */
static void holds(unsigned next, unsigned from, unsigned to)
{
    says(next * MSS, peer->got.tsval, from * MSS, to * MSS);
}

static void answer_octet(void)
{
    first++;
    holds(0, 0, 0);
}

/* Round trips of 100 ms were measured, ten segments are on their way. */
static void start(void)
{
    scene_established(&scene, SCENE_SACK | SCENE_TIMESTAMPS);
    set("ipv4.tcp_early_retrans", "0");
    cr_assert_eq(scene_status(&scene).send_mss, MSS);
    first = peer->ack;
    scene_measure(&scene, RTT_MS * NS_PER_MS, answer_octet);
    scene_write_pattern(&scene, FLIGHT * MSS);
    for (unsigned i = 0; i < FLIGHT; i++)
        cr_assert(dialogue_take(peer));
}

TestSuite(tcp_recovery_timeout, .init = start, .timeout = 60);
TestSuite(tcp_recovery_together, .init = start, .timeout = 60);

static unsigned number(void)
{
    return (peer->got.seq - first) / MSS;
}

static void drain(void)
{
    while (dialogue_take(peer))
        ;
}

static void time_out(void)
{
    uint64_t timeouts = scene_counter("tcp_timeouts_total");

    while (scene_counter("tcp_timeouts_total") == timeouts)
        cr_assert(dialogue_take_within(peer, 10 * NS_PER_S));
    drain();
    cr_assert_eq(number(), 0);
}

static uint64_t episodes(void)
{
    return scene_counter("tcp_fast_retransmits_total");
}

/* What was in flight when the timer expired arrives, one by one; more is sent
 * meanwhile. */
static void mend(void)
{
    for (unsigned i = 1; i <= FLIGHT; i++) {
        world_run_for(RTT_MS * NS_PER_MS);
        holds(i, 0, 0);
        drain();
    }
    cr_assert_geq(number(), FLIGHT + 5);
}

Test(tcp_recovery_timeout, when_all_has_arrived_a_loss_is_an_episode_again)
{
    set("ipv4.tcp_frto", "0");
    scene_write_pattern(&scene, 20 * MSS);
    time_out();
    mend();
    cr_assert_eq(episodes(), 0);
    world_run_for(RTT_MS * NS_PER_MS);
    holds(FLIGHT, FLIGHT + 1, FLIGHT + 5);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), FLIGHT);
    cr_assert_eq(episodes(), 1);
}

Test(tcp_recovery_timeout, taken_back_it_is_over)
{
    time_out();
    holds(2, 0, 0); /* what was sent before arrives */
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 1);
    world_run_for(RTT_MS * NS_PER_MS);
    holds(2, 3, FLIGHT);
    world_run_for(RTT_MS * NS_PER_MS);
    cr_assert_eq(episodes(), 1);
}

Test(tcp_recovery_timeout, an_old_echo_takes_it_back)
{
    uint32_t before = scene_status(&scene).congestion_window;
    uint32_t original = peer->got.tsval;

    set("ipv4.tcp_frto", "0");
    time_out();
    says(MSS, original, 0, 0);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 1);
    cr_assert_geq(scene_status(&scene).congestion_window, before);
}

Test(tcp_recovery_timeout, after_the_second_one_the_first_is_taken_back)
{
    uint32_t before = scene_status(&scene).congestion_window;
    uint32_t original = peer->got.tsval;

    set("ipv4.tcp_frto", "0");
    time_out();
    time_out();
    says(MSS, original, 0, 0);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 1);
    cr_assert_geq(scene_status(&scene).congestion_window, before);
}

Test(tcp_recovery_timeout, nothing_is_probed_meanwhile)
{
    set("ipv4.tcp_frto", "0");
    time_out();
    set("ipv4.tcp_early_retrans", "3");
    world_run_for(RTT_MS * NS_PER_MS);
    holds(1, 0, 0);
    drain();
    cr_assert_eq(number(), 2);
    world_run_for(10 * NS_PER_S);
    cr_assert_gt(scene_counter("tcp_timeouts_total"), 1);
    cr_assert_eq(scene_counter("tcp_loss_probes_total"), 0);
}

/* Segments 1 and 2 come again together; 2 arrives. */
static void lose_again(void)
{
    set("ipv4.tcp_frto", "0");
    time_out();
    world_run_for(RTT_MS * NS_PER_MS);
    holds(1, 0, 0);
    drain();
    cr_assert_eq(number(), 2);
    world_run_for(RTT_MS * NS_PER_MS);
    holds(1, 2, 3);
}

Test(tcp_recovery_timeout, what_is_lost_once_more_does_not_wait)
{
    lose_again();
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 1);
    cr_assert_eq(episodes(), 0);
}

/* Where packets overtake each other it waits, and that is no episode, too. */
Test(tcp_recovery_timeout, what_is_found_lost_later_is_no_episode)
{
    world_run_for(RTT_MS * NS_PER_MS);
    holds(0, 1, 2);
    holds(2, 0, 0);
    drain();
    first += 2 * MSS;
    lose_again();
    cr_assert_neq(scene.connection->recovery->deadline_ns, 0);
    world_run_for(RTT_MS * NS_PER_MS);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 1);
    cr_assert_eq(episodes(), 0);
}

/* ---- together ------------------------------------------------------------ */

/* What comes now is one turn's: an ACK of `acked` bytes, and at once one that
 * tells of a loss behind `then`. How much might have left between them. */
static uint32_t unused_between(uint32_t acked, uint32_t then)
{
    uint32_t next = (then + MSS - 1) / MSS;

    world_run_for(RTT_MS * NS_PER_MS);
    scene.bench.device->moderation_ns = NS_PER_MS;
    says(acked, peer->got.tsval, 0, 0);
    says(then, peer->got.tsval, (next + 1) * MSS, (next + 5) * MSS);
    world_run_for(2 * NS_PER_MS);
    cr_assert_eq(episodes(), 1);
    return scene.connection->congestion.recover.value - first - FLIGHT * MSS;
}

static uint32_t unused_after(uint32_t acked)
{
    return unused_between(acked, acked);
}

/* Two have left the network, and the window has grown by as much. */
Test(tcp_recovery_together, what_might_have_left_counts)
{
    scene_write_pattern(&scene, 20 * MSS);
    cr_assert_eq(unused_after(2 * MSS), 4 * MSS);
}

Test(tcp_recovery_together, only_full_segments_count)
{
    scene_write_pattern(&scene, 20 * MSS);
    cr_assert_eq(unused_after(2 * MSS + 400), 4 * MSS);
}

Test(tcp_recovery_together, no_more_counts_than_there_is)
{
    scene_write_pattern(&scene, 2 * MSS);
    cr_assert_eq(unused_after(2 * MSS), 2 * MSS);
}

Test(tcp_recovery_together, no_more_counts_than_the_window_takes)
{
    scene_write_pattern(&scene, 20 * MSS);
    peer->window = 11 * MSS;
    cr_assert_eq(unused_after(2 * MSS), 3 * MSS);
}

Test(tcp_recovery_together, the_window_is_that_before_the_loss_was_told)
{
    scene_write_pattern(&scene, 20 * MSS);
    peer->window = 11 * MSS;
    cr_assert_eq(unused_between(2 * MSS, 3 * MSS), 3 * MSS);
}

Test(tcp_recovery_together, nothing_counts_where_a_window_shrank)
{
    scene_write_pattern(&scene, 20 * MSS);
    peer->window = 7 * MSS;
    cr_assert_eq(unused_after(2 * MSS), 0);
}

/* Ten were sent at one time: every second one arrives, the last ones last. */
Test(tcp_recovery_together, of_those_sent_at_one_time_the_highest_is_the_last)
{
    world_run_for(RTT_MS * NS_PER_MS);
    for (unsigned i = 1; i < FLIGHT; i += 2)
        holds(0, i, i + 1);
    world_run_for(RTT_MS / 2 * NS_PER_MS);
    cr_assert_eq(scene.connection->recovery->rack_end.value,
                 first + FLIGHT * MSS);
    drain();
    cr_assert_geq(number(), 2);
}
