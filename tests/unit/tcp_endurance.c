/* SPDX-License-Identifier: MIT */
/*
 * Many connections, sequence numbers that wrap, memory that runs out: and
 * afterwards every pool is back at its level.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/host/pair.h"
#include "tests/host/scene.h"

#define MIB (UINT64_C(1) << 20)

static struct scene scene;

#define peer (&scene.peer)

static void prepare(struct mover movers[2], struct pair *pair,
                    struct tcp_connection *ends[2], uint64_t forth,
                    uint64_t back)
{
    memset(movers, 0, 2 * sizeof(movers[0]));
    for (size_t i = 0; i < 2; i++) {
        movers[i].stack = pair->stack[i];
        movers[i].connection = ends[i];
        movers[i].to_send = i == 0 ? forth : back;
        movers[i].to_receive = i == 0 ? back : forth;
        movers[i].send_key = i;
        movers[i].receive_key = 1 - i;
    }
}

static void finish(struct mover movers[2])
{
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(movers[i].error, 0, "end %zu: %d", i, movers[i].error);
        cr_assert_not(movers[i].is_wrong);
        cr_assert_eq(movers[i].received, movers[i].to_receive);
        const struct stack_functions *call = world_enter(movers[i].stack);
        call->tcp_close(movers[i].connection, world_now());
        world_leave(movers[i].stack);
    }
}

Test(tcp_endurance, three_thousand_connections_one_after_another)
{
    struct pair pair = pair_start(1, (size_t)8 << 20);
    struct world_path path = {.delay_ns = 100 * NS_PER_US};
    struct tcp_connection *ends[2];
    struct mover movers[2];

    pair_set_path(&pair, &path);
    for (int i = 0; i < 3000; i++) {
        cr_assert(pair_connect(&pair, 80, NULL, ends), "connection %d", i);
        prepare(movers, &pair, ends, 300, 3000);
        cr_assert(pair_move(movers, 60 * NS_PER_S));
        finish(movers);
    }
    cr_assert(pair_is_clean(&pair));
}

Test(tcp_endurance, connections_over_a_cable_that_spoils_everything)
{
    struct pair pair = pair_start(2, (size_t)16 << 20);
    struct world_path path = {.delay_ns = NS_PER_MS,
                              .loss_ppm = 50000,
                              .duplicate_ppm = 50000,
                              .corrupt_ppm = 20000,
                              .reorder_ppm = 50000,
                              .reorder_ns = 5 * NS_PER_MS};
    struct tcp_connection *ends[2];
    struct mover movers[2];

    pair_set_path(&pair, &path);
    for (int i = 0; i < 200; i++) {
        cr_assert(pair_connect(&pair, 80, NULL, ends), "connection %d", i);
        prepare(movers, &pair, ends, (uint64_t)i * 97, (uint64_t)i * 331);
        cr_assert(pair_move(movers, 600 * NS_PER_S), "connection %d", i);
        finish(movers);
    }
    cr_assert(pair_is_clean(&pair));
}

Test(tcp_endurance, fifty_transfers_at_once_on_a_small_machine)
{
    enum { COUNT = 50 };
    struct pair pair = pair_start(3, (size_t)6 << 20);
    struct world_path path = {.rate_bits_s = 100000000,
                              .delay_ns = 2 * NS_PER_MS,
                              .queue_bytes = 100000};
    static struct mover movers[COUNT][2];
    struct tcp_connection *ends[2];

    pair_set_path(&pair, &path);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert(pair_connect(&pair, 80, NULL, ends));
        prepare(movers[i], &pair, ends, 100000, 100000);
    }
    uint64_t limit = world_now() + 600 * NS_PER_S;
    bool is_over = false;
    while (!is_over && world_step(limit)) {
        is_over = true;
        for (size_t i = 0; i < COUNT; i++) {
            bool first = mover_run(&movers[i][0]);
            is_over = mover_run(&movers[i][1]) && first && is_over;
        }
    }
    cr_assert(is_over);
    for (size_t i = 0; i < COUNT; i++)
        finish(movers[i]);
    cr_assert(pair_is_clean(&pair));
}

Test(tcp_endurance, a_reader_that_dawdles_closes_and_opens_the_window)
{
    struct pair pair = pair_start(4, (size_t)32 << 20);
    struct world_path path = {.rate_bits_s = 1000000000, .delay_ns = NS_PER_MS};
    struct tcp_connection *ends[2];
    struct mover movers[2];

    pair_set_path(&pair, &path);
    cr_assert(pair_connect(&pair, 80, NULL, ends));
    prepare(movers, &pair, ends, 4 * MIB, 0);
    movers[1].read_pause_ns = 5 * NS_PER_MS;
    movers[1].chunk = 10000;
    cr_assert(pair_move(movers, 100 * NS_PER_S));
    /* 4 MiB in steps of 10,000 each 5 ms: 2.1 s, if nobody sleeps longer. */
    cr_assert_lt(movers[1].done_ns, 9 * NS_PER_S);
    finish(movers);
    cr_assert(pair_is_clean(&pair));
}

Test(tcp_endurance, a_cable_pulled_for_three_seconds)
{
    struct pair pair = pair_start(5, (size_t)32 << 20);
    struct world_path path = {.rate_bits_s = 100000000, .delay_ns = NS_PER_MS};
    struct tcp_connection *ends[2];
    struct mover movers[2];

    pair_set_path(&pair, &path);
    cr_assert(pair_connect(&pair, 80, NULL, ends));
    prepare(movers, &pair, ends, 8 * MIB, 0);
    cr_assert_not(pair_move(movers, 300 * NS_PER_MS));
    device_set_link(pair.device[1], false);
    path.is_cut = true;
    pair_set_path(&pair, &path);
    cr_assert_not(pair_move(movers, 3 * NS_PER_S));
    device_set_link(pair.device[1], true);
    path.is_cut = false;
    pair_set_path(&pair, &path);
    cr_assert(pair_move(movers, 20 * NS_PER_S));
    finish(movers);
    cr_assert(pair_is_clean(&pair));
}

Test(hostile, T30_sequence_numbers_wrap_in_both_directions)
{
    static uint8_t bytes[4096];
    scene_listen(&scene, SCENE_TIMESTAMPS | SCENE_SACK);
    peer->seq = 0xffffff00;
    cr_assert(dialogue_open(peer));
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    /* Early, across the edge, then the gap. */
    memset(bytes, 'b', sizeof(bytes));
    dialogue_send(peer, A, peer->seq + 400, peer->ack, bytes, 100);
    dialogue_send(peer, A, peer->seq + 200, peer->ack, bytes, 100);
    scene_says(&scene, A, bytes, 200);
    cr_assert_eq(tcp_read_queued(scene.connection), 300);
    peer->seq += 100;
    scene_says(&scene, A, bytes, 100);
    cr_assert_eq(tcp_read_queued(scene.connection), 500);
    peer->seq += 100;
    world_run_for(NS_PER_S);
    while (dialogue_take(peer))
        ;
    cr_assert_eq(peer->got.ack, 0xffffff00U + 1 + 500);
    dialogue_send(peer, R, peer->seq - 1, 0, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
}

Test(hostile, T30_our_numbers_wrap_within_a_transfer)
{
    /* 2^32 octets would take long; the start is where the clock puts it. */
    scene_listen(&scene, 0);
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    uint64_t left = (0 - (uint64_t)peer->got.seq) & 0xffffffff;
    dialogue_send(peer, R, peer->seq + 1, 0, NULL, 0);
    /* One per 4,096 ns: wait until 5,000 are left. */
    world_run_for((left - 5000) * 4096);
    remote_forget(scene.bench.remote);
    cr_assert(dialogue_open(peer));
    cr_assert_gt(peer->iss, 0xffff0000);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    uint32_t total = 0;
    cr_assert_eq(scene_write_pattern(&scene, 60000), 60000);
    while (dialogue_take_within(peer, NS_PER_S)) {
        if (peer->got.seq != peer->ack)
            continue;
        peer->ack += (uint32_t)peer->got.payload_length;
        total += (uint32_t)peer->got.payload_length;
        scene_says(&scene, A, NULL, 0);
    }
    cr_assert_eq(total, 60000);
    cr_assert_eq(scene_counter("tcp_challenge_acks_total"), 0,
                 "no ACK seemed one of what was never sent");
    cr_assert_lt(peer->ack, 0xffff0000);
    cr_assert_eq(scene_counter("tcp_retransmitted_segments_total"), 0);
}

Test(hostile, T24_a_connection_to_itself_is_a_simultaneous_open)
{
    char bytes[8];
    scene_listen(&scene, 0);
    const struct tcp_endpoint self = {
        ip_address_from_ipv4(be32_from(0x7f000001)), 4444};
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_connect(&self, &self, NULL, &scene.connection,
                                   world_now(), &scene.connection),
                 0);
    world_leave(scene.bench.stack);
    world_run_for(NS_PER_S);
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    cr_assert_eq(scene_write(&scene, "echo", 4, 0), 4);
    world_run_for(NS_PER_S);
    cr_assert_eq(scene_read(&scene, bytes, 8), 4);
    /* Its FIN crosses itself: a simultaneous close. */
    scene_close(&scene);
    world_run_for(NS_PER_S);
    cr_assert_eq(scene_counter("tcp_connections{state=\"time-wait\"}"), 1);
    world_run_for(200 * NS_PER_S);
    cr_assert(scene_is_clean(&scene));
}

Test(hostile, S2_without_packets_nothing_is_lost_but_time)
{
    static struct packet *hoard[8192];
    size_t held = 0;
    scene_established(&scene, SCENE_SMALL);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    while ((hoard[held] = call->packet_alloc(0)) != NULL)
        held++;
    world_leave(scene.bench.stack);
    (void)scene_write(&scene, "starved", 7, 0);
    world_run_for(NS_PER_S);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    (void)world_enter(scene.bench.stack);
    while (held > 0)
        call->packet_free(hoard[--held]);
    world_leave(scene.bench.stack);
    if (tcp_write_queued(scene.connection) == 0)
        cr_assert_eq(scene_write(&scene, "starved", 7, 0), 7);
    cr_assert(dialogue_take_within(peer, 5 * NS_PER_S));
    cr_assert_eq(peer->got.payload_length, 7);
    peer->ack += 7;
    scene_says(&scene, A, NULL, 0);
    scene_abort(&scene);
    cr_assert(scene_is_clean(&scene));
}

Test(hostile, S2_a_writer_without_memory_is_woken_when_there_is_some)
{
    static struct packet *hoard[8192];
    size_t held = 0;
    scene_established(&scene, SCENE_SMALL);
    world_run_for(NS_PER_S);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    while ((hoard[held] = call->packet_alloc(0)) != NULL)
        held++;
    cr_assert_eq(call->tcp_write(scene.connection, "x", 1, 0, world_now()),
                 -EAGAIN);
    world_leave(scene.bench.stack);
    cr_assert_not(tcp_ready(scene.connection) & TCP_WRITABLE);
    scene.notified = 0;
    world_run_for(NS_PER_S);
    cr_assert_not(scene.notified & TCP_WRITABLE);
    (void)world_enter(scene.bench.stack);
    while (held > 0)
        call->packet_free(hoard[--held]);
    world_leave(scene.bench.stack);
    world_run_for(NS_PER_S);
    cr_assert(scene.notified & TCP_WRITABLE);
    cr_assert_eq(scene_write(&scene, "x", 1, 0), 1);
}

Test(hostile, S2_without_connection_objects_the_last_ack_is_dropped)
{
    scene_listen(&scene, SCENE_SMALL);
    uint64_t objects = scene_counter("tcp_connection_objects");
    tcp_listener_set_backlog(scene.listener, 4096);
    for (uint64_t i = 0; i < objects; i++) {
        peer->port = (uint16_t)(1024 + i);
        peer->seq = 1;
        cr_assert(dialogue_open(peer));
        world_run_for(NS_PER_US);
    }
    peer->port = 60000;
    peer->seq = 1;
    cr_assert(dialogue_open(peer));
    cr_assert_eq(scene_counter("tcp_connections{state=\"established\"}"),
                 objects);
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 1);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    call->tcp_abort(call->tcp_accept(scene.listener, &scene));
    world_leave(scene.bench.stack);
    world_run_for(NS_PER_US);
    remote_forget(scene.bench.remote);
    /* The peer's next segment completes it. */
    dialogue_send(peer, A, peer->seq, peer->ack, "x", 1);
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 0);
}
