/* SPDX-License-Identifier: MIT */
/*
 * What RFC 6675 and RFC 8985 ask of a sender whose peer sends SACK blocks, as
 * seen on the wire: which segment is repeated, when, and how often. Segment
 * numbers count from the first of a flight of ten full ones.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "tests/host/scene.h"

enum {
    FLIGHT = 10,
    MSS = SCENE_MSS,
    RTT_MS = 100,
};

static struct scene scene;
static struct dialogue *const peer = &scene.peer;
static uint32_t first; /* number of segment 0 */

/* Established, with a round trip of 100 ms, and ten segments in flight. */
static void start(void)
{
    scene_listen(&scene, SCENE_SACK);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
    peer->seq++;
    peer->ack = peer->got.seq + 1;
    world_run_for(RTT_MS * NS_PER_MS);
    dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
    first = peer->ack;
    cr_assert_eq(scene_write_pattern(&scene, FLIGHT * MSS), FLIGHT * MSS);
    for (unsigned i = 0; i < FLIGHT; i++) {
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.seq, first + i * MSS);
    }
    world_run_for(RTT_MS * NS_PER_MS);
    cr_assert(scene_is_silent(&scene));
}

/* An ACK of all before segment `next`, with blocks of whole segments: pairs
 * of first and end, ended by an empty pair. */
static void acknowledge(unsigned next, const unsigned *blocks)
{
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = first + next * MSS,
        .flags = A,
        .window = peer->window,
    };
    uint8_t *at = segment.options;

    *at++ = 1;
    *at++ = 1;
    *at++ = 5;
    uint8_t *length = at++;
    for (; blocks[0] != blocks[1]; blocks += 2) {
        for (unsigned side = 0; side < 2; side++) {
            uint32_t edge = first + blocks[side] * MSS;
            for (int i = 0; i < 4; i++)
                *at++ = (uint8_t)(edge >> (24 - 8 * i));
        }
    }
    segment.options_length = (size_t)(at - segment.options);
    *length = (uint8_t)(segment.options_length - 2);
    if (*length == 2)
        segment.options_length = 0;
    remote_send(peer->remote, &segment);
}

/* The number of the segment that comes, or -1. */
static int takes_within(uint64_t duration_ns)
{
    if (!dialogue_take_within(peer, duration_ns))
        return -1;
    cr_assert_eq((peer->got.seq - first) % MSS, 0);
    return (int)((peer->got.seq - first) / MSS);
}

/* covers: RFC6675-3 RFC6675-4.1 RFC6675-4.2 RFC6675-5.1 */
Test(tcp_conformance, three_segments_above_a_hole_have_it_repeated_once)
{
    start();
    acknowledge(0, (unsigned[]){1, 4, 0, 0});
    cr_assert_eq(takes_within(0), 0);
    acknowledge(0, (unsigned[]){1, 5, 0, 0});
    acknowledge(0, (unsigned[]){1, 6, 0, 0});
    cr_assert(scene_is_silent(&scene));
}

/* covers: RFC6675-4.4 RFC6675-4.3 RFC6675-5.3 */
Test(tcp_conformance, every_hole_is_repeated_in_order_without_a_timeout)
{
    static const int holes[] = {0, 2, 4};
    unsigned count = 0;

    start();
    acknowledge(0, (unsigned[]){5, 10, 3, 4, 1, 2, 0, 0});
    for (int got; (got = takes_within(RTT_MS * NS_PER_MS / 2)) >= 0; count++) {
        cr_assert_lt(count, 3);
        cr_assert_eq(got, holes[count]);
        cr_assert_eq(peer->got.payload_length, MSS);
    }
    cr_assert_eq(count, 3, "%u of 3 holes", count);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
}

/* covers: RFC6675-5.2 */
Test(tcp_conformance, recovery_ends_with_what_was_sent_when_it_began)
{
    start();
    acknowledge(0, (unsigned[]){1, 10, 0, 0});
    cr_assert_eq(takes_within(0), 0);
    world_run_for(RTT_MS * NS_PER_MS);
    acknowledge(10, (unsigned[]){0, 0});
    cr_assert_eq(scene_status(&scene).flight, 0);
    uint32_t threshold = scene_status(&scene).slow_start_threshold;
    cr_assert_lt(threshold, FLIGHT * MSS);
    cr_assert_geq(threshold, FLIGHT * MSS / 2);
    cr_assert_leq(scene_status(&scene).congestion_window, threshold + MSS);
    /* A later hole begins another recovery. */
    first += FLIGHT * MSS;
    cr_assert_eq(scene_write_pattern(&scene, 5 * MSS), 5 * MSS);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(takes_within(RTT_MS * NS_PER_MS), i);
    world_run_for(RTT_MS * NS_PER_MS / 2);
    acknowledge(0, (unsigned[]){1, 5, 0, 0});
    cr_assert_eq(takes_within(RTT_MS * NS_PER_MS), 0);
    cr_assert_lt(scene_status(&scene).slow_start_threshold, threshold);
}

/* covers: RFC6675-5.4 RFC6675-6 RFC8985-6.3 */
Test(tcp_conformance, after_a_timeout_nothing_counts_as_held)
{
    bool was_repeated[FLIGHT] = {false};

    start();
    acknowledge(0, (unsigned[]){1, 10, 0, 0});
    cr_assert_eq(takes_within(0), 0);
    /* The repeated one is lost, too, and the peer threw the rest away. */
    uint64_t end = world_now() + 60 * NS_PER_S;
    unsigned next = 0;
    while (next < FLIGHT && world_now() < end) {
        int got = takes_within(10 * NS_PER_S);
        if (scene_counter("tcp_timeouts_total") == 0 || got < 0)
            continue;
        was_repeated[got] = true;
        while (next < FLIGHT && was_repeated[next])
            next++;
        acknowledge(next, (unsigned[]){0, 0});
    }
    cr_assert_eq(next, FLIGHT);
    cr_assert_eq(scene_status(&scene).flight, 0);
}

/* covers: RFC8985-5.1 RFC8985-6.1 RFC8985-6.2.1 RFC8985-6.2.5 RFC8985-8 */
Test(tcp_conformance, one_segment_above_and_a_quarter_of_a_trip_mean_loss)
{
    start();
    acknowledge(0, (unsigned[]){1, 2, 0, 0});
    uint64_t before = world_now();
    cr_assert_eq(takes_within(NS_PER_S), 0);
    uint64_t waited_ms = (peer->got.time_ns - before) / NS_PER_MS;
    cr_assert_geq(waited_ms, RTT_MS / 4 - 1);
    cr_assert_leq(waited_ms, RTT_MS / 4 + 5, "%u ms", (unsigned)waited_ms);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
}

/* covers: RFC8985-6.2.5 */
Test(tcp_conformance, what_comes_within_that_quarter_was_only_late)
{
    start();
    acknowledge(0, (unsigned[]){1, 2, 0, 0});
    world_run_for((RTT_MS / 4 - 10) * NS_PER_MS);
    acknowledge(2, (unsigned[]){0, 0});
    cr_assert_eq(takes_within(RTT_MS / 2 * NS_PER_MS), -1);
}

/* covers: RFC8985-7.2 RFC8985-7.3 */
Test(tcp_conformance, a_tail_that_is_not_answered_is_probed_after_two_trips)
{
    start();
    acknowledge(8, (unsigned[]){0, 0}); /* 8 and 9 are lost */
    uint64_t before = world_now();
    cr_assert_eq(takes_within(NS_PER_S), 9, "the last one again");
    uint64_t waited_ms = (peer->got.time_ns - before) / NS_PER_MS;
    cr_assert_geq(waited_ms, 2 * RTT_MS - 10);
    cr_assert_leq(waited_ms, 2 * RTT_MS + 50, "%u ms", (unsigned)waited_ms);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
    /* It tells of the other one, which follows at once. */
    world_run_for(RTT_MS * NS_PER_MS);
    acknowledge(8, (unsigned[]){9, 10, 0, 0});
    cr_assert_eq(takes_within(RTT_MS * NS_PER_MS), 8);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
}

/* covers: RFC8985-6.2.3 RFC8985-6.2.4 */
Test(tcp_conformance, after_reordering_three_segments_above_are_not_enough)
{
    start();
    acknowledge(0, (unsigned[]){1, 2, 0, 0});
    world_run_for(10 * NS_PER_MS);
    acknowledge(2, (unsigned[]){0, 0}); /* segment 0 was only late */
    acknowledge(2, (unsigned[]){3, 7, 0, 0});
    cr_assert_eq(takes_within(15 * NS_PER_MS), -1);
    cr_assert_eq(takes_within(25 * NS_PER_MS), 2);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
}

/* The last segment is probed; both ends of its story. */
static void probe_the_last(void)
{
    start();
    acknowledge(9, (unsigned[]){0, 0});
    cr_assert_eq(takes_within(NS_PER_S), 9);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
    world_run_for(RTT_MS * NS_PER_MS);
}

/* covers: RFC8985-7.4 */
Test(tcp_conformance, a_probe_that_repaired_a_loss_counts_as_one)
{
    probe_the_last();
    acknowledge(10, (unsigned[]){0, 0});
    /* A second ACK of the same would tell that both came; an ACK of more
     * tells that only the probe did. */
    cr_assert_eq(scene_write_pattern(&scene, MSS), MSS);
    cr_assert_eq(takes_within(0), 10);
    uint32_t before = scene_status(&scene).congestion_window;
    acknowledge(11, (unsigned[]){0, 0});
    cr_assert_lt(scene_status(&scene).slow_start_threshold, before);
}

/* covers: RFC8985-7.4 */
Test(tcp_conformance, a_probe_that_came_twice_does_not)
{
    probe_the_last();
    acknowledge(10, (unsigned[]){0, 0});
    acknowledge(10, (unsigned[]){9, 10, 0, 0}); /* RFC 2883: had it already */
    cr_assert_eq(scene_write_pattern(&scene, MSS), MSS);
    cr_assert_eq(takes_within(0), 10);
    acknowledge(11, (unsigned[]){0, 0});
    cr_assert_gt(scene_status(&scene).slow_start_threshold, FLIGHT * MSS);
}

/* Segments sent by what `acks` ACKs of one segment each, and then the loss of
 * the next one, call for: when they come one after another, or together. */
static int answers_to_a_loss(bool is_together)
{
    enum { ACKS = 4 };
    int count = 0;

    start();
    cr_assert_eq(scene_write_pattern(&scene, 40 * MSS), 40 * MSS);
    scene.bench.device->moderation_ns = is_together ? NS_PER_MS : 0;
    for (unsigned i = 1; i <= ACKS + 5; i++) {
        if (i <= ACKS)
            acknowledge(i, (unsigned[]){0, 0});
        else
            acknowledge(ACKS, (unsigned[]){ACKS + 1, i + 1, 0, 0});
        while (!is_together && takes_within(0) >= 0)
            count++;
    }
    while (takes_within(RTT_MS / 2 * NS_PER_MS) >= 0)
        count++;
    cr_assert_eq(scene_counter("tcp_fast_retransmits_total"), 1);
    return count;
}

/* Both before the loss is seen (RFC 5681 3.1), and after (RFC 9937 5.2). */
Test(tcp_conformance, acks_that_come_one_by_one_let_go_so_much)
{
    cr_assert_eq(answers_to_a_loss(false), 12);
}

Test(tcp_conformance, acks_that_come_together_let_go_as_much)
{
    cr_assert_eq(answers_to_a_loss(true), 12);
}
