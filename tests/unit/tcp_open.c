/* SPDX-License-Identifier: MIT */
/*
 * Opening connections, from both sides and at once (RFC 9293 3.5).
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

static struct tcp_connection *accept_one(void)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);
    struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
    world_leave(scene.bench.stack);
    return c;
}

/* covers: MUST-14 MUST-67 SHLD-5 */
Test(tcp_open, a_plain_syn_is_answered_with_mss_alone)
{
    scene_listen(&scene, 0);
    peer->syn_options_length = 0;
    cr_assert(dialogue_open(peer));
    cr_assert_eq(peer->got.mss, 1460);
    cr_assert_not(peer->got.has_timestamp);
    cr_assert_not(peer->got.has_window_scale);
    cr_assert_not(peer->got.has_sack_permitted);
}

Test(tcp_open, offered_options_are_answered)
{
    scene_listen(&scene, SCENE_TIMESTAMPS | SCENE_SACK | SCENE_SCALE);
    cr_assert(dialogue_open(peer));
    cr_assert(peer->got.has_timestamp);
    cr_assert_eq(peer->got.tsecr, 5000);
    cr_assert(peer->got.has_window_scale);
    cr_assert(peer->got.has_sack_permitted);
}

Test(tcp_open, the_listener_is_told_and_accepts_once)
{
    scene_listen(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert_eq(scene.listener_notified, 0);
    cr_assert_null(accept_one());
    remote_forget(scene.bench.remote);
    cr_assert(dialogue_open(peer));
    cr_assert_eq(scene.listener_notified & TCP_ACCEPTABLE, TCP_ACCEPTABLE);
    cr_assert_not_null(accept_one());
    cr_assert_null(accept_one());
}

Test(tcp_open, data_with_the_last_ack_is_delivered)
{
    char bytes[8];
    scene_listen(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    peer->seq++;
    peer->ack = peer->got.seq + 1;
    scene_says(&scene, A | P, "hello", 5);
    scene.connection = accept_one();
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 5);
    cr_assert_arr_eq(bytes, "hello", 5);
}

Test(tcp_open, connections_are_accepted_in_order)
{
    scene_listen(&scene, 0);
    for (uint16_t i = 0; i < 4; i++) {
        peer->port = (uint16_t)(2000 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer));
    }
    for (uint16_t i = 0; i < 4; i++)
        cr_assert_eq(tcp_remote(accept_one()).port, 2000 + i);
}

Test(tcp_open, a_syn_ack_is_repeated_five_times_and_forgotten)
{
    static const uint64_t gaps_s[5] = {1, 2, 4, 8, 16};
    scene_listen(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    uint64_t last = peer->got.time_ns;
    for (int i = 0; i < 5; i++) {
        cr_assert(dialogue_take_within(peer, 20 * NS_PER_S));
        cr_assert_eq(peer->got.flags, S | A);
        uint64_t gap = peer->got.time_ns - last;
        cr_assert(gap >= gaps_s[i] * NS_PER_S &&
                      gap < gaps_s[i] * NS_PER_S + NS_PER_S / 10,
                  "gap %d is %lu", i, gap);
        last = peer->got.time_ns;
    }
    cr_assert(scene_is_silent_for(&scene, 100 * NS_PER_S));
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 0);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_open, a_repeated_syn_gets_the_same_syn_ack)
{
    scene_listen(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    uint32_t iss = peer->got.seq;
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
    cr_assert_eq(peer->got.seq, iss);
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 1);
}

Test(tcp_open, a_full_accept_queue_leaves_the_syn_unanswered)
{
    scene_listen(&scene, 0);
    tcp_listener_set_backlog(scene.listener, 1);
    for (uint16_t i = 0; i < 2; i++) {
        peer->port = (uint16_t)(2000 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer));
    }
    peer->port = 3000;
    dialogue_send(peer, S, 1, 0, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, 5 * NS_PER_S));
    cr_assert_gt(scene_counter("tcp_listen_overflows_total"), 0);
    cr_assert_not_null(accept_one());
    peer->seq = 1;
    cr_assert(dialogue_open(peer));
}

Test(tcp_open, the_last_ack_waits_for_room_in_the_accept_queue)
{
    scene_listen(&scene, 0);
    tcp_listener_set_backlog(scene.listener, 1);
    /* Two half-open ones; the accept queue fills before they complete. */
    struct dialogue second = *peer;
    second.port = 2001;
    dialogue_send(&second, S, 500, 0, NULL, 0);
    cr_assert(dialogue_take(&second));
    for (uint16_t i = 0; i < 2; i++) {
        peer->port = (uint16_t)(3000 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer));
    }
    dialogue_send(&second, A, 501, second.got.seq + 1, NULL, 0);
    cr_assert_not_null(accept_one());
    /* The SYN-ACK comes again, and this time there is room. */
    cr_assert(dialogue_take_within(&second, 2 * NS_PER_S));
    cr_assert_eq(second.got.flags, S | A);
    dialogue_send(&second, A, 501, second.got.seq + 1, NULL, 0);
    cr_assert_not_null(accept_one());
    cr_assert_not_null(accept_one());
}

Test(tcp_open, a_reset_ends_a_half_open_connection)
{
    scene_listen(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    dialogue_send(peer, R, peer->seq + 1, 0, NULL, 0);
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 0);
    cr_assert(scene_is_silent_for(&scene, 60 * NS_PER_S));
}

Test(tcp_open, a_closed_listener_resets_what_was_not_accepted)
{
    scene_listen(&scene, 0);
    cr_assert(dialogue_open(peer));
    const struct stack_functions *call = world_enter(scene.bench.stack);
    call->tcp_listener_close(scene.listener);
    world_leave(scene.bench.stack);
    cr_assert(dialogue_take(peer));
    cr_assert(peer->got.flags & R);
    cr_assert_eq(peer->got.seq, peer->ack);
    dialogue_send(peer, S, 1, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R | A);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_open, a_port_is_listened_on_once)
{
    struct tcp_endpoint local = {.port = SCENE_PORT};
    struct tcp_listener *other;
    scene_listen(&scene, 0);
    cr_assert_eq(tcp_listen(&local, 1, true, &scene, &other), -EADDRINUSE);
    local.port++;
    cr_assert_eq(tcp_listen(&local, 1, true, &scene, &other), 0);
}

Test(tcp_open, a_bound_port_in_use_needs_reuse_address)
{
    struct tcp_endpoint local = {.port = SCENE_PORT};
    scene_established(&scene, 0);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    call->tcp_listener_close(scene.listener);
    world_leave(scene.bench.stack);
    cr_assert_eq(tcp_bind_check(&local, false), -EADDRINUSE);
    cr_assert_eq(tcp_bind_check(&local, true), 0);
}

Test(tcp_open, port_zero_is_replaced_by_a_free_one)
{
    struct tcp_endpoint local = {.port = 0};
    scene_listen(&scene, 0);
    cr_assert_eq(tcp_bind_check(&local, false), 0);
    cr_assert_geq(local.port, 32768);
}

/* covers: SHLD-5 */
Test(tcp_open, connect_offers_every_option_and_succeeds)
{
    scene_syn_sent(&scene, 0);
    cr_assert_eq(peer->got.mss, 1460);
    cr_assert(peer->got.has_timestamp);
    cr_assert_eq(peer->got.tsecr, 0);
    cr_assert(peer->got.has_sack_permitted);
    cr_assert(peer->got.has_window_scale);
    cr_assert_eq(scene.notified, 0);
    dialogue_send(peer, S | A, peer->seq, peer->ack, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    cr_assert(scene.notified & TCP_WRITABLE);
    cr_assert_not(scene.notified & TCP_FAILED);
    /* Options that were not answered are not used. */
    cr_assert_not(peer->got.has_timestamp);
    cr_assert_not(scene_status(&scene).has_sack);
}

/* covers: MUST-22 */
Test(tcp_open, a_syn_is_repeated_with_backoff_and_given_up)
{
    static const uint64_t gaps_s[6] = {1, 2, 4, 8, 16, 32};
    scene_syn_sent(&scene, 0);
    uint64_t last = peer->got.time_ns;
    for (int i = 0; i < 6; i++) {
        cr_assert(dialogue_take_within(peer, 40 * NS_PER_S));
        cr_assert_eq(peer->got.flags, S);
        cr_assert_eq(peer->got.seq, peer->iss);
        uint64_t gap = peer->got.time_ns - last;
        cr_assert(gap >= gaps_s[i] * NS_PER_S &&
                      gap < gaps_s[i] * NS_PER_S * 11 / 10,
                  "gap %d is %lu", i, gap);
        last = peer->got.time_ns;
    }
    cr_assert(scene_is_silent_for(&scene, 70 * NS_PER_S));
    cr_assert(scene.notified & TCP_FAILED);
    cr_assert_eq(tcp_take_error(scene.connection), ETIMEDOUT);
    scene_close(&scene);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_open, a_refused_connect_says_so)
{
    scene_syn_sent(&scene, 0);
    dialogue_send(peer, R | A, 0, peer->ack, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert(scene.notified & TCP_FAILED);
    cr_assert_eq(tcp_take_error(scene.connection), ECONNREFUSED);
}

Test(tcp_open, a_reset_without_ack_does_not_refuse)
{
    scene_syn_sent(&scene, 0);
    dialogue_send(peer, R, 0, 0, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_SYN_SENT);
    dialogue_send(peer, R | A, 0, peer->ack + 1, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_SYN_SENT);
}

Test(tcp_open, a_wrong_ack_in_syn_sent_is_reset)
{
    scene_syn_sent(&scene, 0);
    dialogue_send(peer, S | A, peer->seq, peer->ack + 5, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(peer->got.seq, peer->ack + 5);
    cr_assert_eq(scene_state(&scene), TCP_SYN_SENT);
}

Test(tcp_open, data_and_fin_with_the_syn_ack_are_taken)
{
    char bytes[8];
    scene_syn_sent(&scene, 0);
    dialogue_send(peer, S | A | F, peer->seq, peer->ack, "hi", 2);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq + 4);
    cr_assert_eq(scene_state(&scene), TCP_CLOSE_WAIT);
    cr_assert_eq(scene_read(&scene, bytes, 8), 2);
    cr_assert_eq(scene_read(&scene, bytes, 8), 0);
}

/* covers: MUST-10 */
Test(tcp_open, simultaneous_open_connects)
{
    scene_syn_sent(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_SYN_RECEIVED);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
    cr_assert_eq(peer->got.seq, peer->iss);
    cr_assert_eq(peer->got.ack, peer->seq + 1);
    dialogue_send(peer, S | A, peer->seq, peer->ack, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    peer->seq++;
    scene_says(&scene, A | P, "x", 1);
    cr_assert_eq(tcp_read_queued(scene.connection), 1);
}

Test(tcp_open, a_syn_that_was_lost_makes_the_next_timeout_cautious)
{
    scene_syn_sent(&scene, 0);
    cr_assert(dialogue_take_within(peer, 2 * NS_PER_S));
    dialogue_send(peer, S | A, peer->seq, peer->ack, NULL, 0);
    cr_assert_eq(scene_status(&scene).rto_ns, 3 * NS_PER_S);
    cr_assert_eq(scene_status(&scene).congestion_window, 10 * SCENE_MSS);
}

/* RFC 6928 2 */
Test(tcp_open, two_syns_that_were_lost_leave_a_window_of_one_segment)
{
    scene_syn_sent(&scene, 0);
    cr_assert(dialogue_take_within(peer, 2 * NS_PER_S));
    cr_assert(dialogue_take_within(peer, 4 * NS_PER_S));
    dialogue_send(peer, S | A, peer->seq, peer->ack, NULL, 0);
    cr_assert_eq(scene_status(&scene).congestion_window, SCENE_MSS);
}

Test(tcp_open, connecting_without_a_route_fails_at_once)
{
    struct tcp_endpoint any = {.port = 0};
    struct tcp_endpoint far = {ip_address_from_ipv4(be32_from(0xc0000201)), 80};
    struct tcp_connection *c;
    scene_listen(&scene, 0);
    cr_assert_eq(tcp_connect(&any, &far, NULL, &scene, world_now(), &c),
                 -ENETUNREACH);
}

Test(tcp_open, an_unanswered_arp_ends_the_attempt)
{
    struct tcp_endpoint any = {.port = 0};
    struct tcp_endpoint dead = {ip_address_from_ipv4(be32_from(0x0a000063)),
                                80};
    scene_listen(&scene, 0);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_connect(&any, &dead, NULL, &scene.connection,
                                   world_now(), &scene.connection),
                 0);
    world_leave(scene.bench.stack);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(tcp_take_error(scene.connection), EHOSTUNREACH);
    scene_close(&scene);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_open, closing_while_connecting_leaves_nothing)
{
    scene_syn_sent(&scene, 0);
    scene_close(&scene);
    cr_assert(scene_is_silent_for(&scene, 100 * NS_PER_S));
    cr_assert(scene_is_clean(&scene));
}

/* ---- TCP_DEFER_ACCEPT ------------------------------------------------------
 */

static void listen_deferred(int seconds)
{
    scene_listen(&scene, 0);
    cr_assert_eq(tcp_options_set(tcp_listener_options(scene.listener),
                                 TCP_OPTION_DEFER_ACCEPT_S, seconds),
                 0);
}

Test(tcp_open, a_deferred_accept_waits_for_data)
{
    listen_deferred(5);
    cr_assert(dialogue_open(peer));
    cr_assert_eq(scene.listener_notified, 0);
    cr_assert(scene_is_silent_for(&scene, 3 * NS_PER_S));
    cr_assert_null(accept_one());
    scene_says(&scene, A | P, "GET", 3);
    cr_assert_eq(scene.listener_notified & TCP_ACCEPTABLE, TCP_ACCEPTABLE);
    scene.connection = accept_one();
    cr_assert_eq(tcp_read_queued(scene.connection), 3);
    cr_assert_gt(scene_status(&scene).congestion_window, SCENE_MSS);
}

Test(tcp_open, a_deferred_accept_ends_when_the_peer_answers_after_its_time)
{
    listen_deferred(3);
    cr_assert(dialogue_open(peer));
    uint64_t start = world_now();
    cr_assert(dialogue_take_within(peer, 10 * NS_PER_S));
    cr_assert_eq(peer->got.flags, S | A);
    uint64_t waited = world_now() - start;
    cr_assert(waited >= 3 * NS_PER_S && waited < 4 * NS_PER_S);
    cr_assert_null(accept_one());
    scene_says(&scene, A, NULL, 0);
    cr_assert_not_null(accept_one());
}

Test(tcp_open, a_fin_ends_the_deferring_of_an_accept)
{
    listen_deferred(5);
    cr_assert(dialogue_open(peer));
    scene_says(&scene, F | A, NULL, 0);
    cr_assert_not_null(accept_one());
}

Test(tcp_open, defer_accept_reads_back_in_whole_waits)
{
    static const int values[][2] = {{-1, 0}, {0, 0},   {1, 1},   {2, 3},
                                    {5, 7},  {30, 31}, {31, 31}, {1000, 31}};
    struct tcp_options options;
    scene_listen(&scene, 0);
    tcp_options_init(&options);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        cr_assert_eq(
            tcp_options_set(&options, TCP_OPTION_DEFER_ACCEPT_S, values[i][0]),
            0);
        cr_assert_eq(tcp_options_get(&options, TCP_OPTION_DEFER_ACCEPT_S),
                     values[i][1]);
    }
}
