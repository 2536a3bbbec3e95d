/* SPDX-License-Identifier: MIT */
/*
 * Buffers that grow by themselves: over a path that holds far more than the
 * defaults, and not where the app said how large they are.
 */
#include <criterion/criterion.h>

#include "tests/host/pair.h"
#include "tests/host/scene.h"

enum {
    MEMORY = 128 << 20,
    PORT = 7000,
    RATE = 100 * 1000 * 1000, /* bit/s; 1.25 MB are under way in 100 ms */
};

static const struct world_path path = {
    .rate_bits_s = RATE,
    .delay_ns = 50 * NS_PER_MS,
    .queue_bytes = 2 << 20,
};

static struct pair pair;
static struct mover movers[2];

static void start(const struct tcp_options *options)
{
    struct tcp_connection *ends[2];

    pair_set_path(&pair, &path);
    cr_assert(pair_connect(&pair, PORT, options, ends));
    for (size_t i = 0; i < 2; i++)
        movers[i] =
            (struct mover){.stack = pair.stack[i], .connection = ends[i]};
    movers[0].to_send = UINT64_MAX;
}

static void run(uint64_t duration_ns)
{
    uint64_t until = world_now() + duration_ns;

    while (world_now() < until) {
        mover_run(&movers[0]);
        mover_run(&movers[1]);
        world_run_for(NS_PER_MS);
    }
}

/* Mbit/s of payload over five seconds, after five to get going. */
static unsigned goodput(void)
{
    run(5 * NS_PER_S);
    uint64_t before = movers[1].received;
    run(5 * NS_PER_S);
    cr_assert_not(movers[1].is_wrong);
    return (unsigned)((movers[1].received - before) * 8 / 5 / 1000000);
}

Test(tcp_autotune, buffers_grow_to_what_the_path_holds)
{
    pair = pair_start(1, MEMORY);
    start(NULL);
    unsigned rate = goodput();
    cr_assert_gt(rate, 88, "%u Mbit/s", rate);
}

Test(tcp_autotune, a_send_buffer_the_app_chose_stays)
{
    struct tcp_options options;

    pair = pair_start(1, MEMORY);
    tcp_options_init(&options);
    cr_assert_eq(tcp_options_set(&options, TCP_OPTION_SEND_BUFFER, 1 << 18), 0);
    start(&options);
    unsigned rate = goodput();
    cr_assert(rate > 12 && rate < 22, "%u Mbit/s", rate);
}

Test(tcp_autotune, switched_off_the_receive_buffer_stays)
{
    pair = pair_start(1, MEMORY);
    cr_assert_eq(pair.stack[1]->call->net_set("ipv4.tcp_moderate_rcvbuf", "0"),
                 0);
    start(NULL);
    unsigned rate = goodput();
    cr_assert(rate > 15 && rate < 22, "%u Mbit/s", rate);
}

Test(tcp_autotune, a_reader_that_stands_still_gets_no_more)
{
    struct tcp_status status;

    pair = pair_start(1, MEMORY);
    start(NULL);
    movers[1].read_pause_ns = UINT64_MAX / 2;
    run(5 * NS_PER_S);
    pair.stack[1]->call->tcp_get_status(movers[1].connection, &status);
    cr_assert_leq(status.read_queued + status.receive_window, 300 << 10);
}

/* SO_RCVBUF allows for twice the memory: full segments use more of it than the
 * half that counts as payload at first, and never more than there is. */
Test(tcp_autotune, a_receive_buffer_the_app_chose_holds_its_memory_in_segments)
{
    const uint32_t asked = 1 << 18;
    const uint32_t memory = TCP_BUFFER_DOUBLING * asked;
    struct tcp_options options;
    struct tcp_status before;
    struct tcp_status after;

    pair = pair_start(1, MEMORY);
    tcp_options_init(&options);
    start(&options);
    const struct stack_functions *call = world_enter(pair.stack[1]);
    call->tcp_get_status(movers[1].connection, &before);
    cr_assert_eq(call->tcp_set_option(movers[1].connection,
                                      TCP_OPTION_RECEIVE_BUFFER, (int)asked,
                                      world_now()),
                 0);
    world_leave(pair.stack[1]);
    cr_assert_leq(before.receive_window, asked);
    run(3 * NS_PER_S);
    call = world_enter(pair.stack[1]);
    call->tcp_get_status(movers[1].connection, &after);
    world_leave(pair.stack[1]);
    uint32_t segments = after.receive_window / 1448;
    cr_assert_gt(after.receive_window, asked + asked / 4, "%u",
                 after.receive_window);
    cr_assert_leq(segments * BUFFER_SIZE, memory);
}

/* A peer in slow start: each round trip of 100 ms it sends twice as much as in
 * the one before, in one burst that comes a little late, and the app reads
 * what one poll may bring. */
static uint32_t burst(struct scene *scene, uint32_t segments)
{
    static uint8_t bytes[64 * SCENE_MSS];
    uint32_t window = 0;

    for (uint32_t i = 1; i <= segments; i++) {
        scene_says(scene, A, bytes, SCENE_MSS);
        if (i % 64 != 0 && i != segments)
            continue;
        while (dialogue_take(&scene->peer))
            window = scene->peer.got.window;
        cr_assert_geq(scene_read(scene, bytes, sizeof(bytes)), 0);
    }
    return window;
}

Test(tcp_autotune, the_window_stays_ahead_of_a_peer_in_slow_start)
{
    struct scene scene;
    const uint64_t round_trip_ns = 100 * NS_PER_MS;

    scene_listen(&scene, SCENE_SCALE);
    scene_says(&scene, S, NULL, 0);
    cr_assert(dialogue_take_within(&scene.peer, NS_PER_MS));
    uint8_t scale = scene.peer.got.window_scale;
    scene.peer.ack = scene.peer.got.seq + 1;
    world_run_for(round_trip_ns);
    scene_says(&scene, A, NULL, 0);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
    for (uint32_t segments = 10; segments < 1280; segments *= 2) {
        uint32_t window = burst(&scene, segments) << scale;
        cr_assert_geq(window, 2 * segments * SCENE_MSS, "after %u", segments);
        world_run_for(round_trip_ns + round_trip_ns / 10);
    }
}

/* What the app reads in a round trip is small: it needs no more room. */
Test(tcp_autotune, a_trickle_does_not_make_the_buffer_grow)
{
    static struct scene scene;
    static uint8_t bytes[1000];

    scene_established(&scene, SCENE_TIMESTAMPS);
    int before = tcp_get_option(scene.connection, TCP_OPTION_RECEIVE_BUFFER);
    for (int i = 0; i < 1000; i++) {
        scene_says(&scene, A, bytes, sizeof(bytes));
        world_run_for(100 * NS_PER_MS);
        remote_forget(scene.bench.remote);
        cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 1000);
    }
    cr_assert_eq(tcp_get_option(scene.connection, TCP_OPTION_RECEIVE_BUFFER),
                 before);
}
