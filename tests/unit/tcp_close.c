/* SPDX-License-Identifier: MIT */
/*
 * Closing: every way through the lower half of RFC 9293's state diagram.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

static int shut(bool read, bool write)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);
    int status = call->tcp_shutdown(scene.connection, read, write);
    world_leave(scene.bench.stack);
    return status;
}

Test(tcp_close, the_peer_closes_first)
{
    char byte;
    scene_established(&scene, 0);
    scene_says(&scene, F | A, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(scene_state(&scene), TCP_CLOSE_WAIT);
    cr_assert(scene.notified & TCP_PEER_CLOSED);
    cr_assert_eq(scene_read(&scene, &byte, 1), 0);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, F | A);
    peer->ack++;
    scene_says(&scene, A, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, 100 * NS_PER_S));
    cr_assert(scene_is_clean(&scene));
    cr_assert_eq(scene_counter("tcp_connections{state=\"last-ack\"}"), 0);
}

/* covers: MUST-13 */
Test(tcp_close, we_close_first_and_wait)
{
    scene_established(&scene, 0);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    cr_assert(peer->got.flags & F);
    peer->ack++;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(scene_counter("tcp_connections{state=\"fin-wait-2\"}"), 1);
    scene_says(&scene, F | A, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 1);
    world_run_for(61 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 0);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, the_peers_fin_with_the_ack_of_ours)
{
    scene_established(&scene, 0);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    peer->ack++;
    scene_says(&scene, F | A, NULL, 0);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(peer->got.seq, peer->ack);
}

Test(tcp_close, both_close_at_once)
{
    scene_in_state(&scene, TCP_CLOSING, 0);
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 1);
    cr_assert_eq(scene_counter("tcp_connections{state=\"closing\"}"), 0);
}

Test(tcp_close, half_closed_we_still_receive)
{
    char bytes[8];
    scene_in_state(&scene, TCP_FIN_WAIT_2, 0);
    scene_says(&scene, A | P, "late", 4);
    cr_assert_eq(scene_read(&scene, bytes, 8), 4);
    cr_assert_eq(scene_write(&scene, "x", 1, 0), -EPIPE);
    scene_says(&scene, F | A, NULL, 0);
    cr_assert_eq(scene_read(&scene, bytes, 8), 0);
    cr_assert(tcp_ready(scene.connection) & TCP_HANGUP);
    scene_close(&scene);
    world_run_for(70 * NS_PER_S);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, half_closed_the_peer_still_receives)
{
    scene_in_state(&scene, TCP_CLOSE_WAIT, 0);
    cr_assert_eq(scene_write(&scene, "still here", 10, 0), 10);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, 10);
}

Test(tcp_close, queued_data_goes_out_before_the_fin)
{
    scene_established(&scene, 0);
    peer->window = 100;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(scene_write_pattern(&scene, 300), 300);
    scene_close(&scene);
    size_t total = 0;
    while (dialogue_take_within(peer, NS_PER_S / 2)) {
        total += peer->got.payload_length;
        peer->ack = peer->got.seq + (uint32_t)peer->got.payload_length;
        if (peer->got.flags & F) {
            peer->ack++;
            break;
        }
        scene_says(&scene, A, NULL, 0);
    }
    cr_assert_eq(total, 300);
    cr_assert(peer->got.flags & F);
}

/* More buffers than one turn frees. */
Test(tcp_close, what_the_ack_of_our_fin_acknowledges_is_freed_in_fin_wait_2)
{
    enum { RECORDS = 60 };

    scene_established(&scene, SCENE_SACK);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_NO_DELAY, 1), 0);
    for (int i = 0; i < RECORDS; i++)
        cr_assert_eq(scene_write(&scene, "r", 1, TCP_WRITE_RECORD), 1);
    cr_assert_eq(shut(false, true), 0);
    do {
        cr_assert(dialogue_take(peer));
    } while ((peer->got.flags & F) == 0);
    cr_assert_eq(scene_counter("tcp_send_buffers_used"), RECORDS);
    peer->ack = peer->got.seq + (uint32_t)peer->got.payload_length + 1;
    scene_says(&scene, A, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
    cr_assert_eq(scene_state(&scene), TCP_FIN_WAIT_2);
    cr_assert_eq(scene_counter("tcp_send_buffers_used"), 0);
}

Test(tcp_close, a_lost_fin_is_sent_again)
{
    scene_established(&scene, 0);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    uint32_t seq = peer->got.seq;
    cr_assert(dialogue_take_within(peer, 2 * NS_PER_S));
    cr_assert(peer->got.flags & F);
    cr_assert_eq(peer->got.seq, seq);
    peer->ack++;
    scene_says(&scene, A, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, 10 * NS_PER_S));
}

/* covers: SHLD-3 */
Test(tcp_close, unread_data_makes_it_a_reset)
{
    scene_established(&scene, 0);
    scene_says(&scene, A | P, "unread", 6);
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R | A);
    cr_assert_eq(peer->got.seq, peer->ack);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, data_after_close_is_answered_with_a_reset)
{
    scene_established(&scene, 0);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    peer->ack++;
    scene_says(&scene, A | P, "anybody?", 8);
    cr_assert(dialogue_take(peer));
    cr_assert(peer->got.flags & R);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, abort_sends_a_reset)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 5000), 5000);
    world_run_for(0);
    remote_forget(scene.bench.remote);
    scene_abort(&scene);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R | A);
    cr_assert_eq(peer->got.seq, peer->ack + 5000);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, an_orphan_in_fin_wait_2_does_not_wait_for_ever)
{
    scene_established(&scene, 0);
    scene_close(&scene);
    cr_assert(dialogue_take(peer));
    peer->ack++;
    scene_says(&scene, A, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, 59 * NS_PER_S));
    cr_assert_eq(scene_counter("tcp_orphans"), 1);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_orphans"), 0);
    cr_assert_eq(scene_counter("tcp_connections{state=\"fin-wait-2\"}"), 0);
}

Test(tcp_close, an_owned_connection_in_fin_wait_2_may_wait_for_ever)
{
    char byte;
    scene_in_state(&scene, TCP_FIN_WAIT_2, 0);
    world_run_for(4000 * NS_PER_S);
    cr_assert_eq(scene_state(&scene), TCP_FIN_WAIT_2);
    scene_says(&scene, A | P, "x", 1);
    cr_assert_eq(scene_read(&scene, &byte, 1), 1);
}

Test(tcp_close, an_orphan_whose_peer_is_silent_is_given_up)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 100), 100);
    scene_close(&scene);
    world_run_for(400 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_orphans"), 0);
    cr_assert(scene_is_clean(&scene));
}

/* covers: MUST-12 */
Test(tcp_close, a_reset_by_the_peer_is_told_after_what_came_before)
{
    char bytes[8];
    scene_established(&scene, 0);
    scene_says(&scene, A | P, "last", 4);
    scene_says(&scene, R, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert(scene.notified & TCP_FAILED);
    cr_assert_eq(scene_read(&scene, bytes, 8), 4);
    cr_assert_eq(scene_read(&scene, bytes, 8), -ECONNRESET);
    cr_assert_eq(scene_read(&scene, bytes, 8), 0);
    cr_assert_eq(scene_write(&scene, "x", 1, 0), -EPIPE);
    scene_close(&scene);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, a_reset_discards_what_was_queued)
{
    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    cr_assert_gt(scene_write_pattern(&scene, 50000), 0);
    scene_says(&scene, R, NULL, 0);
    world_run_for(0);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_close, shutdown_of_reading_gives_end_of_file_and_goes_on)
{
    char byte;
    scene_established(&scene, 0);
    scene_says(&scene, A | P, "abc", 3);
    cr_assert_eq(shut(true, false), 0);
    cr_assert_eq(scene_read(&scene, &byte, 1), 0);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    scene_says(&scene, A | P, "def", 3);
    world_run_for(NS_PER_S);
    cr_assert_eq(scene_read(&scene, &byte, 1), 0);
    cr_assert_eq(scene_write(&scene, "x", 1, 0), 1);
}

Test(tcp_close, write_queued_counts_until_the_fin_is_acknowledged)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 10), 10);
    cr_assert_eq(shut(false, true), 0);
    cr_assert_eq(tcp_write_queued(scene.connection), 11);
    peer->ack += 10;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(tcp_write_queued(scene.connection), 1);
    peer->ack += 1;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(tcp_write_queued(scene.connection), 0);
}

Test(tcp_close, time_wait_answers_a_repeated_fin_and_waits_anew)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    world_run_for(50 * NS_PER_S);
    dialogue_send(peer, F | A, peer->seq - 1, peer->ack, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(peer->got.ack, peer->seq);
    world_run_for(30 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 1);
    world_run_for(31 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 0);
}

Test(tcp_close, too_many_orphans_are_reset)
{
    scene_listen(&scene, SCENE_SMALL);
    size_t limit = scene_counter("tcp_connection_objects") / 4;
    const struct stack_functions *call = scene.bench.stack->call;
    for (size_t i = 0; i <= limit; i++) {
        peer->port = (uint16_t)(10000 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer));
        (void)world_enter(scene.bench.stack);
        struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
        call->tcp_close(c, world_now());
        world_leave(scene.bench.stack);
        cr_assert(dialogue_take(peer), "connection %zu of %zu", i, limit);
        cr_assert(peer->got.flags & (i < limit ? F : R));
        world_run_for(NS_PER_US);
    }
    cr_assert_eq(scene_counter("tcp_orphans_refused_total"), 1);
}
