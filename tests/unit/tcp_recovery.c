/* SPDX-License-Identifier: MIT */
/*
 * What was lost, and how soon that is noticed: timeouts, duplicate ACKs,
 * partial ACKs, and the round-trip time behind it all.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "net/tcp/connection.h"
#include "net/tcp/scoreboard.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

enum {
    MSS = SCENE_MSS,
};

/* Takes `count` full segments that follow each other from `seq` on. */
static bool takes_full(uint32_t seq, int count)
{
    for (int i = 0; i < count; i++) {
        if (!dialogue_take(peer) || peer->got.payload_length != MSS ||
            peer->got.seq != seq + (uint32_t)i * MSS)
            return false;
    }
    return true;
}

/* The peer acknowledges so many bytes more. */
static void acks(uint32_t bytes)
{
    peer->ack += bytes;
    scene_says(&scene, A, NULL, 0);
}

/* The peer says again what it said. */
static void repeats(int times)
{
    for (int i = 0; i < times; i++)
        scene_says(&scene, A, NULL, 0);
}

/* covers: MUST-19 RFC6298-5.5 RFC6298-5.6 */
Test(tcp_recovery, the_retransmission_timer_backs_off)
{
    scene_established(&scene, 0);
    scene_write(&scene, "lost", 4, 0);
    cr_assert(dialogue_take(peer));
    uint64_t last = peer->got.time_ns;
    uint64_t expected = 0;
    for (int i = 0; i < 6; i++) {
        cr_assert(dialogue_take_within(peer, 20 * NS_PER_S));
        cr_assert_eq(peer->got.seq, peer->ack);
        cr_assert_eq(peer->got.payload_length, 4);
        uint64_t gap = peer->got.time_ns - last;
        last = peer->got.time_ns;
        cr_assert(i == 0 ||
                      (gap > expected * 19 / 10 && gap < expected * 21 / 10),
                  "gap %d is %lu after %lu", i, gap, expected);
        cr_assert_geq(gap, 200 * NS_PER_MS);
        expected = gap;
    }
    acks(4);
    cr_assert(scene_is_silent_for(&scene, 100 * NS_PER_S));
}

/* covers: MUST-20 SHLD-11 */
Test(tcp_recovery, fifteen_timeouts_end_it)
{
    scene_established(&scene, 0);
    scene_write(&scene, "lost", 4, 0);
    world_run_for(2000 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 15);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert_eq(tcp_take_error(scene.connection), ETIMEDOUT);
    cr_assert(scene_is_clean(&scene));
}

/* covers: MUST-21 */
Test(tcp_recovery, the_user_timeout_ends_it_on_time)
{
    scene_established(&scene, 0);
    scene_set(&scene, TCP_OPTION_USER_TIMEOUT_MS, 3000);
    scene_write(&scene, "lost", 4, 0);
    world_run_for(2990 * NS_PER_MS);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    world_run_for(30 * NS_PER_MS);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert_eq(tcp_take_error(scene.connection), ETIMEDOUT);
}

/* covers: MUST-19 */
Test(tcp_recovery, after_a_timeout_one_segment_then_slow_start)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    cr_assert(dialogue_take_within(peer, 2 * NS_PER_S));
    cr_assert_eq(peer->got.seq, peer->ack);
    cr_assert(scene_is_silent(&scene));
    acks(MSS);
    cr_assert(takes_full(peer->ack, 2));
    cr_assert(scene_is_silent(&scene));
    /* The rest had arrived: nothing of it comes again. */
    acks(9 * MSS);
    cr_assert(scene_is_silent_for(&scene, 5 * NS_PER_S));
}

Test(tcp_recovery, three_duplicate_acks_retransmit_at_once)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    repeats(2);
    cr_assert(scene_is_silent(&scene));
    repeats(1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.seq, peer->ack);
    cr_assert_eq(peer->got.payload_length, MSS);
    cr_assert_eq(scene_counter("tcp_fast_retransmits_total"), 1);
    acks(10 * MSS);
    /* CUBIC's beta is 0.7. */
    cr_assert_eq(scene_status(&scene).slow_start_threshold, 7 * MSS);
    cr_assert_leq(scene_status(&scene).congestion_window, 7 * MSS);
    cr_assert(scene_is_silent_for(&scene, 5 * NS_PER_S));
}

Test(tcp_recovery, limited_transmit_sends_new_data_on_the_first_two)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 20 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    repeats(1);
    cr_assert(takes_full(peer->ack + 10 * MSS, 1));
    repeats(1);
    cr_assert(takes_full(peer->ack + 11 * MSS, 1));
    cr_assert(scene_is_silent(&scene));
}

Test(tcp_recovery, a_partial_ack_repairs_the_next_hole)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    repeats(3);
    cr_assert(takes_full(peer->ack, 1));
    /* Two more were lost, too. */
    acks(3 * MSS);
    cr_assert(takes_full(peer->ack, 1));
    acks(4 * MSS);
    cr_assert(takes_full(peer->ack, 1));
    acks(3 * MSS);
    cr_assert(scene_is_silent_for(&scene, 5 * NS_PER_S));
    cr_assert_eq(scene_counter("tcp_timeouts_total"), 0);
    cr_assert_eq(scene_counter("tcp_partial_acks_total"), 2);
}

/* RFC 6582 3.2, step 3: by as much as the window, and a segment added back. */
Test(tcp_recovery, a_partial_ack_of_the_whole_window_leaves_two_segments)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 12 * MSS);
    repeats(3);
    cr_assert_eq(scene_status(&scene).congestion_window, 10 * MSS);
    acks(10 * MSS);
    cr_assert_eq(scene_counter("tcp_partial_acks_total"), 1);
    cr_assert_eq(scene_status(&scene).congestion_window, 2 * MSS);
}

Test(tcp_recovery, a_window_update_is_no_duplicate_ack)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    for (int i = 0; i < 5; i++) {
        peer->window--;
        scene_says(&scene, A, NULL, 0);
    }
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(scene_counter("tcp_fast_retransmits_total"), 0);
}

Test(tcp_recovery, the_round_trip_time_is_measured)
{
    scene_established(&scene, 0);
    scene_write(&scene, "x", 1, 0);
    world_run_for(80 * NS_PER_MS);
    acks(1);
    cr_assert(scene_status(&scene).rtt_ns > 5 * NS_PER_MS);
    for (int i = 0; i < 40; i++) {
        scene_write(&scene, "x", 1, 0);
        world_run_for(80 * NS_PER_MS);
        acks(1);
    }
    uint64_t rtt = scene_status(&scene).rtt_ns;
    cr_assert(rtt > 75 * NS_PER_MS && rtt < 85 * NS_PER_MS, "%lu", rtt);
    uint64_t rto = scene_status(&scene).rto_ns;
    cr_assert(rto >= 200 * NS_PER_MS && rto < 300 * NS_PER_MS, "%lu", rto);
}

/* covers: MUST-18 */
Test(tcp_recovery, a_retransmitted_segment_is_no_sample)
{
    scene_established(&scene, 0);
    uint64_t before = scene_status(&scene).rtt_ns;
    scene_write(&scene, "x", 1, 0);
    cr_assert(dialogue_take(peer));
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    acks(1);
    cr_assert_eq(scene_status(&scene).rtt_ns, before);
    /* Karn: the backed-off timeout stays until there is a sample. */
    cr_assert_geq(scene_status(&scene).rto_ns, 400 * NS_PER_MS);
}

Test(tcp_recovery, timestamps_give_a_sample_even_of_a_retransmission)
{
    scene_established(&scene, SCENE_TIMESTAMPS);
    scene_write(&scene, "x", 1, 0);
    cr_assert(dialogue_take(peer));
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    world_run_for(20 * NS_PER_MS);
    peer->tsval += 300;
    acks(1);
    cr_assert_lt(scene_status(&scene).rto_ns, 300 * NS_PER_MS);
    cr_assert_gt(scene_status(&scene).rtt_ns, 0);
}

Test(tcp_recovery, after_an_idle_time_the_window_restarts)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    for (int i = 0; i < 10; i++)
        acks(MSS);
    cr_assert_gt(scene_status(&scene).congestion_window, 15 * MSS);
    world_run_for(10 * NS_PER_S);
    scene_write_pattern(&scene, 20 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    cr_assert(scene_is_silent(&scene));
}

Test(tcp_recovery, a_window_was_full_when_no_other_segment_fits)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 5 * MSS), 5 * MSS);
    cr_assert(takes_full(peer->ack, 5));
    cr_assert_not(scene.connection->congestion.was_full);
    cr_assert_eq(scene_write_pattern(&scene, 20 * MSS), 20 * MSS);
    cr_assert(takes_full(peer->ack + 5 * MSS, 5));
    cr_assert(scene.connection->congestion.was_full);
}

Test(tcp_recovery, another_congestion_control_begins_at_once)
{
    scene_established(&scene, 0);
    struct tcp_congestion *congestion = &scene.connection->congestion;
    int reno = tcp_congestion_number("reno");
    cr_assert_neq(congestion_chosen(congestion),
                  congestion_module((size_t)reno));
    cr_assert_eq(scene_set(&scene, TCP_OPTION_CONGESTION, reno), 0);
    cr_assert_eq(congestion_chosen(congestion),
                 congestion_module((size_t)reno));
}

/* All spans there are belong to others. */
static struct tcp_scoreboard *take_spans(void)
{
    struct tcp_scoreboard *others = calloc(512, sizeof(*others));

    for (uint32_t i = 0; spans_used() < spans_total(); i++)
        cr_assert(scoreboard_append(&others[i / TCP_SPANS_MAX],
                                    seq_from(i * 10), 10, i, i % 2 != 0));
    return others;
}

/* RFC 6675 is for those who remember what was SACKed. */
Test(tcp_recovery, without_a_scoreboard_three_duplicate_acks_retransmit)
{
    scene_established(&scene, SCENE_SACK);
    struct tcp_scoreboard *others = take_spans();
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 10));
    cr_assert(scene_is_silent_for(&scene, 50 * NS_PER_MS));
    repeats(3);
    cr_assert(takes_full(peer->ack, 1));
    cr_assert_eq(scene_counter("tcp_fast_retransmits_total"), 1);
    free(others);
}
