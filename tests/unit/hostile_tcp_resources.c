/* SPDX-License-Identifier: MIT */
/*
 * What a peer can make us keep, send, or tell about ourselves.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/buffer.h"
#include "net/tcp/connection.h"
#include "net/wire/sequence.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

static void accept_it(void)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
}

static bool is_established(void)
{
    return scene_state(&scene) == TCP_ESTABLISHED;
}

Test(hostile, T14_without_cookies_a_flood_costs_a_bounded_pool)
{
    scene_listen(&scene, SCENE_SMALL);
    cr_assert_eq(tcp_set("ipv4.tcp_syncookies", "0"), 0);
    size_t packets = packet_count_free();
    for (uint32_t i = 0; i < 20000; i++) {
        scene.bench.remote->address = 0x0a000040 + i % 128;
        peer->port = (uint16_t)(1024 + i / 128);
        dialogue_send(peer, S, i, 0, NULL, 0);
        world_run_for(10 * NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    cr_assert_leq(scene_counter("tcp_connections{state=\"syn-received\"}"),
                  scene_counter("tcp_connection_objects"));
    cr_assert_gt(scene_counter("tcp_syn_evictions_total"), 0);
    scene.bench.remote->address = 0x0a000002;
    peer->port = 5555;
    peer->seq = 1;
    cr_assert(dialogue_open(peer));
    accept_it();
    cr_assert(is_established());
    /* One who takes his time: the oldest goes, not the latest. */
    peer->port = 5556;
    dialogue_send(peer, S, 1, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    uint32_t iss = peer->got.seq;
    for (uint32_t i = 0; i < 100; i++) {
        scene.bench.remote->address = 0x0a000040 + i;
        peer->port = 9;
        dialogue_send(peer, S, i, 0, NULL, 0);
        world_run_for(10 * NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    scene.bench.remote->address = 0x0a000002;
    peer->port = 5556;
    dialogue_send(peer, A, 2, iss + 1, NULL, 0);
    accept_it();
    for (int slice = 0; slice < 20000; slice++) { /* of 200 s */
        world_run_for(10 * NS_PER_MS);
        remote_forget(scene.bench.remote);
    }
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 0);
    cr_assert_geq(packet_count_free(), packets);
}

Test(hostile, T15_a_wrong_ack_of_the_syn_ack_is_reset_and_leaves_nothing)
{
    scene_listen(&scene, 0);
    dialogue_send(peer, S, 77, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    uint32_t iss = peer->got.seq;
    dialogue_send(peer, A, 78, iss + 2, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(peer->got.seq, iss + 2);
    cr_assert_eq(scene.listener_notified, 0);
    /* The honest ACK still works. */
    dialogue_send(peer, A, 78, iss + 1, NULL, 0);
    cr_assert(scene.listener_notified & TCP_ACCEPTABLE);
}

Test(hostile, T22_single_bytes_in_reverse_order_are_bounded)
{
    scene_established(&scene, SCENE_SMALL);
    size_t packets = packet_count_free();
    uint32_t window = scene_status(&scene).receive_window;
    for (uint32_t at = window - 1; at > 0; at--) {
        dialogue_send(peer, A, peer->seq + at, peer->ack, "x", 1);
        if (at % 64 == 0) {
            world_run_for(NS_PER_US);
            remote_forget(scene.bench.remote);
        }
    }
    cr_assert_leq(packets - packet_count_free(),
                  scene_counter("tcp_receive_packets_limit") + 64);
    cr_assert_leq(scene_counter("tcp_receive_packets_used"),
                  scene_counter("tcp_receive_packets_limit"));
    /* In order it still gets in. */
    scene_says(&scene, A | P, "first", 5);
    cr_assert_geq(tcp_read_queued(scene.connection), 5);
    scene_abort(&scene);
    cr_assert(scene_is_clean(&scene));
}

Test(hostile, T28_an_orphan_does_not_outlive_a_window_kept_shut)
{
    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 3000);
    scene_close(&scene);
    cr_assert_eq(scene_counter("tcp_connections{state=\"fin-wait-1\"}"), 1);
    uint64_t end = world_now() + 3600 * NS_PER_S;
    while (world_now() < end) {
        if (dialogue_take_within(peer, 200 * NS_PER_S))
            scene_says(&scene, A, NULL, 0);
    }
    cr_assert_eq(scene_counter("tcp_orphans"), 0);
    cr_assert(scene_is_clean(&scene));
}

Test(hostile, T28_who_owns_it_may_wait_for_hours_and_asks_meanwhile)
{
    unsigned probes = 0;

    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 3000);
    uint64_t end = world_now() + 4 * 3600 * NS_PER_S;
    while (world_now() < end) {
        uint64_t before = world_now();
        cr_assert(dialogue_take_within(peer, 121 * NS_PER_S));
        cr_assert_leq(peer->got.payload_length, 1);
        cr_assert(++probes < 10 || world_now() - before > 100 * NS_PER_S,
                  "they become rare");
        scene_says(&scene, A, NULL, 0);
    }
    cr_assert(is_established());
    peer->window = 65535;
    scene_says(&scene, A, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, SCENE_MSS);
}

Test(hostile, T31_time_wait_ignores_resets_and_answers_the_rest)
{
    scene_in_state(&scene, TCP_TIME_WAIT, SCENE_TIMESTAMPS);
    dialogue_send(peer, R, peer->seq, 0, NULL, 0);
    dialogue_send(peer, R | A, peer->seq + 5, peer->ack, NULL, 0);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 1);
    dialogue_send(peer, A, peer->seq - 100, peer->ack, "old", 3);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(peer->got.ack, peer->seq);
    /* An old duplicate of a SYN. */
    peer->tsval = 1;
    dialogue_send(peer, S, peer->seq - 1000, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
}

Test(hostile, T31_time_wait_does_not_give_way_to_an_older_syn)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    dialogue_send(peer, S, peer->seq - 1000, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(scene_counter("tcp_time_wait_reuses_total"), 0);
}

Test(hostile, T31_time_wait_gives_way_to_a_newer_syn)
{
    scene_in_state(&scene, TCP_TIME_WAIT, 0);
    uint32_t old_iss = peer->iss;
    peer->seq += 100000;
    cr_assert(dialogue_open(peer));
    cr_assert(seq_after(seq_from(peer->iss), seq_from(old_iss)));
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 0);
    cr_assert_eq(scene_counter("tcp_time_wait_reuses_total"), 1);
}

/* covers: SHLD-4 */
Test(hostile, T31_time_wait_gives_way_to_a_newer_timestamp)
{
    scene_in_state(&scene, TCP_TIME_WAIT, SCENE_TIMESTAMPS);
    peer->seq -= 500000;
    peer->tsval += 10;
    cr_assert(dialogue_open(peer));
    cr_assert_eq(scene_counter("tcp_time_wait_reuses_total"), 1);
}

Test(hostile, T32_time_waits_beyond_the_pool_replace_the_oldest)
{
    scene_listen(&scene, SCENE_SMALL);
    uint64_t objects = scene_counter("tcp_connection_objects");
    size_t packets = packet_count_free();
    for (uint32_t i = 0; i < objects + 200; i++) {
        peer->port = (uint16_t)(1024 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer), "connection %u", i);
        const struct stack_functions *call = world_enter(scene.bench.stack);
        struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
        call->tcp_close(c, world_now());
        world_leave(scene.bench.stack);
        cr_assert(dialogue_take(peer));
        peer->ack++;
        scene_says(&scene, F | A, NULL, 0);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"),
                 objects);
    cr_assert_eq(scene_counter("tcp_time_wait_evictions_total"), 200);
    cr_assert_geq(packet_count_free(), packets);
    world_run_for(61 * NS_PER_S);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 0);
}

Test(hostile, S2_connections_that_were_reset_are_given_back_when_closed)
{
    scene_listen(&scene, SCENE_SMALL);
    uint64_t objects = scene_counter("tcp_connection_objects");
    for (uint32_t i = 0; i < objects + 10; i++) {
        peer->port = (uint16_t)(1024 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer), "connection %u", i);
        const struct stack_functions *call = world_enter(scene.bench.stack);
        struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
        world_leave(scene.bench.stack);
        cr_assert_not_null(c, "connection %u", i);
        dialogue_send(peer, R, peer->seq, 0, NULL, 0);
        world_run_for(NS_PER_US);
        (void)world_enter(scene.bench.stack);
        call->tcp_close(c, world_now());
        world_leave(scene.bench.stack);
        remote_forget(scene.bench.remote);
    }
}

static uint32_t iss_of(uint16_t port)
{
    peer->port = port;
    dialogue_send(peer, S, 1, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    uint32_t iss = peer->got.seq;
    dialogue_send(peer, R, 2, 0, NULL, 0);
    world_run_for(NS_PER_US);
    return iss;
}

/* covers: MUST-9 SHLD-1 */
Test(hostile, T33_sequence_numbers_of_other_tuples_say_nothing)
{
    unsigned buckets[16] = {0};
    scene_listen(&scene, 0);
    for (unsigned i = 0; i < 4096; i++)
        buckets[iss_of((uint16_t)(1024 + i)) >> 28]++;
    double chi = 0;
    for (int i = 0; i < 16; i++)
        chi += ((double)buckets[i] - 256) * ((double)buckets[i] - 256) / 256;
    cr_assert_lt(chi, 44.0, "chi squared %f, 15 degrees of freedom", chi);
}

/* covers: MUST-8 SHLD-1 */
Test(hostile, T33_sequence_numbers_of_one_tuple_follow_the_clock)
{
    scene_listen(&scene, 0);
    uint32_t first = iss_of(4000);
    world_run_for(NS_PER_S);
    uint32_t second = iss_of(4000);
    cr_assert(second - first > 240000 && second - first < 260000,
              "%u in a second", second - first);
}

/* covers: MUST-8 SHLD-1 */
Test(hostile, T33_connections_we_open_have_such_numbers_too)
{
    uint32_t last = 0;
    unsigned near = 0;
    scene_listen(&scene, 0);
    for (uint16_t i = 0; i < 64; i++) {
        struct tcp_endpoint from = {.port = 5000};
        struct tcp_endpoint to = {ip_address_from_ipv4(be32_from(0x0a000002)),
                                  (uint16_t)(1000 + i)};
        struct tcp_connection *c;
        cr_assert_eq(tcp_connect(&from, &to, NULL, NULL, world_now(), &c), 0);
        near += c->snd.una.value - last + (1U << 24) <= 1U << 25;
        last = c->snd.una.value;
    }
    cr_assert_lt(near, 5, "by chance one in 128");
}

Test(hostile, T34_ephemeral_ports_do_not_count)
{
    uint16_t last = 0;
    unsigned near = 0;
    scene_listen(&scene, 0);
    for (uint32_t i = 0; i < 60; i++) {
        struct tcp_endpoint any = {.port = 0};
        struct tcp_endpoint to = {ip_address_from_ipv4(be32_from(0x0a000002)),
                                  (uint16_t)(1000 + i)};
        struct tcp_connection *c;
        cr_assert_eq(tcp_connect(&any, &to, NULL, NULL, world_now(), &c), 0);
        uint16_t port = tcp_local(c).port;
        cr_assert(port >= 32768 && port <= 60999);
        near += (uint16_t)(port - last + 64) <= 128;
        last = port;
    }
    cr_assert_lt(near, 4, "by chance one in 220");
}

/* covers: RFC7323-5.4 */
Test(hostile, T35_timestamps_of_other_tuples_have_other_offsets)
{
    scene_listen(&scene, SCENE_TIMESTAMPS);
    uint32_t first = 0;
    unsigned close = 0;
    for (uint16_t i = 0; i < 32; i++) {
        (void)iss_of((uint16_t)(2000 + i));
        uint32_t value = peer->got.tsval;
        if (i == 0)
            first = value;
        else
            close += value - first < 100000 || first - value < 100000;
    }
    cr_assert_lt(close, 2);
}

Test(hostile, T36_one_syn_causes_six_syn_acks_at_most)
{
    unsigned count = 0;
    scene_listen(&scene, 0);
    dialogue_send(peer, S, 1, 0, NULL, 0);
    while (dialogue_take_within(peer, 300 * NS_PER_S))
        count++;
    cr_assert_eq(count, 6);
}

Test(hostile, I7_a_syn_from_our_own_address_and_port_makes_no_state)
{
    scene_listen(&scene, 0);
    scene.bench.remote->address = 0x0a000001;
    peer->port = SCENE_PORT;
    dialogue_send(peer, S, 1, 0, NULL, 0);
    world_run_for(NS_PER_S);
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 0);
}

/* A segment of many fragments: what lies beyond its first buffer would be
 * memory that nobody counts. */
static uint8_t beyond_a_buffer[8000];

static void say_in_fragments(uint16_t flags, size_t from, size_t length)
{
    dialogue_send(peer, flags, peer->seq + (uint32_t)from, peer->ack,
                  beyond_a_buffer + from, length);
    world_run_for(NS_PER_MS);
}

static void establish_with_pattern(void)
{
    scene_established(&scene, SCENE_TIMESTAMPS);
    for (size_t i = 0; i < sizeof(beyond_a_buffer); i++)
        beyond_a_buffer[i] = (uint8_t)(i * 31 + i / 256);
}

Test(tcp_long_segment, holds_one_buffer)
{
    establish_with_pattern();
    size_t buffers = buffer_count_free();
    for (size_t done = 0; done < 7000;) {
        say_in_fragments(A, done, sizeof(beyond_a_buffer) - done);
        size_t now = scene_status(&scene).read_queued;
        cr_assert_gt(now, done);
        done = now;
    }
    cr_assert_leq(buffers - buffer_count_free(), 5);
}

Test(tcp_long_segment, is_read_whole_and_leaves_nothing)
{
    static uint8_t in[sizeof(beyond_a_buffer)];
    size_t done = 0;

    establish_with_pattern();
    while (done < sizeof(in)) {
        say_in_fragments(F | A, done, sizeof(in) - done);
        size_t now = scene_status(&scene).read_queued;
        cr_assert_gt(now, done);
        cr_assert_eq(scene_state(&scene) == TCP_CLOSE_WAIT, now == sizeof(in),
                     "the end is behind the last byte");
        done = now;
    }
    cr_assert_eq(scene_read(&scene, in, sizeof(in)), (int)sizeof(in));
    cr_assert_arr_eq(in, beyond_a_buffer, sizeof(in));
    cr_assert_eq(scene_read(&scene, in, sizeof(in)), 0);
    scene_abort(&scene);
    world_run_for(NS_PER_S);
    cr_assert(scene_is_clean(&scene));
}
