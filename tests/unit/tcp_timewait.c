/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT: what ends it early (RFC 6191, RFC 9293 3.6.1) and what must not
 * (RFC 1337).
 */
#include <criterion/criterion.h>

#include "net/limits.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

static uint64_t waiting(void)
{
    return scene_counter("tcp_connections{state=\"time-wait\"}");
}

/* A SYN at RCV.NXT + `ahead`: is it taken for a new connection? */
static bool syn_opens(int32_t ahead)
{
    dialogue_send(peer, S, peer->seq + (uint32_t)ahead, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert(peer->got.flags == (S | A) || peer->got.flags == A);
    cr_assert_eq(waiting(), peer->got.flags == A);
    return peer->got.flags == (S | A);
}

static void ends(unsigned flags)
{
    scene_in_state(&scene, TCP_TIME_WAIT, flags);
    world_run_for(59 * NS_PER_S);
    cr_assert_eq(waiting(), 1);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(waiting(), 0);
    cr_assert(syn_opens(-1000));
    cr_assert_eq(scene_counter("tcp_time_wait_reuses_total"), 0);
}

Test(tcp_timewait, a_minute_ends_it)
{
    ends(0);
}

Test(tcp_timewait, a_minute_ends_it_with_timestamps_too)
{
    ends(SCENE_TIMESTAMPS);
}

Test(tcp_timewait, a_higher_number_opens_anew)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    cr_assert(syn_opens(1));
    cr_assert_eq(scene_counter("tcp_time_wait_reuses_total"), 1);
}

Test(tcp_timewait, an_old_number_is_told_where_we_are)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    cr_assert_not(syn_opens(0));
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_not(syn_opens(-1000));
    cr_assert_not(syn_opens(INT32_MIN + 1));
}

/* covers: RFC6191-2.1 */
Test(tcp_timewait, a_later_timestamp_opens_anew_whatever_the_number)
{
    scene_in_state(&scene, TCP_TIME_WAIT, SCENE_TIMESTAMPS);
    peer->tsval++;
    cr_assert(syn_opens(-1000));
}

/* covers: RFC6191-2.3 */
Test(tcp_timewait, an_earlier_timestamp_does_not_whatever_the_number)
{
    scene_in_state(&scene, TCP_TIME_WAIT, SCENE_TIMESTAMPS);
    peer->tsval--;
    cr_assert_not(syn_opens(1000));
}

/* covers: RFC6191-2.2 */
Test(tcp_timewait, with_equal_timestamps_the_number_decides)
{
    scene_in_state(&scene, TCP_TIME_WAIT, SCENE_TIMESTAMPS);
    cr_assert_not(syn_opens(0));
    cr_assert(syn_opens(1));
}

/* covers: RFC6191-2.4 */
Test(tcp_timewait, a_syn_without_the_old_timestamps_goes_by_its_number)
{
    scene_in_state(&scene, TCP_TIME_WAIT, SCENE_TIMESTAMPS);
    peer->has_timestamps = false;
    cr_assert_not(syn_opens(-1));
    cr_assert(syn_opens(1));
}

Test(tcp_timewait, our_new_numbers_begin_behind_the_old_ones)
{
    scene_established(&scene, 0);
    /* Faster than the clock of initial numbers. */
    for (unsigned i = 0; i < 1000; i++) {
        cr_assert_eq(scene_write_pattern(&scene, 10000), 10000);
        world_run_for(NS_PER_MS);
        while (dialogue_take(peer)) {
            peer->ack = peer->got.seq + (uint32_t)peer->got.payload_length;
            dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
        }
    }
    cr_assert_eq(peer->ack, peer->iss + 1 + 10000000);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags & F, F);
    peer->ack++;
    scene_says(&scene, F | A, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(waiting(), 1);
    uint32_t used = peer->ack;
    cr_assert(syn_opens(1));
    uint32_t ahead = peer->got.seq - used;
    cr_assert(ahead > 0 && ahead < UINT32_C(1) << 31, "%u", ahead);
}

Test(tcp_timewait, nobody_listening_means_it_stays)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    call->tcp_listener_close(scene.listener);
    world_leave(scene.bench.stack);
    cr_assert_not(syn_opens(1));
}

Test(tcp_timewait, a_reuse_needs_no_cookie)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    cr_assert_eq(tcp_set("ipv4.tcp_syncookies", "2"), 0);
    cr_assert(syn_opens(1));
    cr_assert_eq(scene_counter("tcp_syncookies_sent_total"), 0);
}

Test(tcp_timewait, a_reset_does_not_end_it)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    dialogue_send(peer, R, peer->seq, 0, NULL, 0);
    dialogue_send(peer, R | A, peer->seq, peer->ack, NULL, 0);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(waiting(), 1);
}

Test(tcp_timewait, old_text_is_answered_and_lengthens_nothing)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    world_run_for(50 * NS_PER_S);
    dialogue_send(peer, A, peer->seq - 5, peer->ack, "old", 3);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(peer->got.ack, peer->seq);
    /* A FIN that is not the one of this connection. */
    dialogue_send(peer, F | A, peer->seq + 77, peer->ack, NULL, 0);
    cr_assert(dialogue_take(peer));
    world_run_for(11 * NS_PER_S);
    cr_assert_eq(waiting(), 0);
}
