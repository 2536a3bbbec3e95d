/* SPDX-License-Identifier: MIT */
/*
 * What is sent and when: Nagle, corks, windows, probes.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "tests/host/scene.h"
#include "net/tcp/queues.h"

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

Test(tcp_send, a_small_write_leaves_at_once)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write(&scene, "hello", 5, 0), 5);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A | P);
    cr_assert_eq(peer->got.payload_length, 5);
    cr_assert_arr_eq(peer->got.payload, "hello", 5);
}

/* covers: SHLD-7 */
Test(tcp_send, nagle_holds_a_second_small_segment)
{
    scene_established(&scene, 0);
    scene_write(&scene, "one", 3, 0);
    cr_assert(dialogue_take(peer));
    scene_write(&scene, "two", 3, 0);
    scene_write(&scene, "three", 5, 0);
    cr_assert(scene_is_silent(&scene));
    acks(3);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, 8);
    cr_assert_arr_eq(peer->got.payload, "twothree", 8);
}

Test(tcp_send, the_tail_of_a_large_write_is_not_held)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 2 * MSS + 100), 2 * MSS + 100);
    cr_assert(takes_full(peer->ack, 2));
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, 100);
    cr_assert(peer->got.flags & P);
}

/* covers: MUST-17 */
Test(tcp_send, no_delay_switches_nagle_off)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_NO_DELAY, 1), 0);
    for (int i = 0; i < 5; i++) {
        scene_write(&scene, "x", 1, 0);
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.payload_length, 1);
    }
}

/* covers: MUST-60 */
Test(tcp_send, a_cork_holds_partial_segments_for_200_ms)
{
    scene_established(&scene, 0);
    scene_set(&scene, TCP_OPTION_CORK, 1);
    scene_write_pattern(&scene, MSS + 10);
    cr_assert(takes_full(peer->ack, 1));
    cr_assert(scene_is_silent(&scene));
    acks(MSS);
    cr_assert(scene_is_silent_for(&scene, 190 * NS_PER_MS));
    cr_assert(dialogue_take_within(peer, 20 * NS_PER_MS));
    cr_assert_eq(peer->got.payload_length, 10);
}

Test(tcp_send, pulling_the_cork_sends_at_once)
{
    scene_established(&scene, 0);
    scene_set(&scene, TCP_OPTION_CORK, 1);
    scene_write(&scene, "head", 4, 0);
    cr_assert(scene_is_silent(&scene));
    scene_write(&scene, "body", 4, 0);
    scene_set(&scene, TCP_OPTION_CORK, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, 8);
}

/* covers: SHLD-27 */
Test(tcp_send, more_promised_joins_two_writes)
{
    scene_established(&scene, 0);
    scene_write(&scene, "head", 4, TCP_WRITE_MORE);
    cr_assert(scene_is_silent(&scene));
    scene_write(&scene, "body", 4, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_arr_eq(peer->got.payload, "headbody", 8);
}

Test(tcp_send, static_memory_is_sent_from_where_it_lies)
{
    static uint8_t file[100000];
    scene_established(&scene, 0);
    for (size_t i = 0; i < sizeof(file); i++)
        file[i] = (uint8_t)(i * 31 >> 3);
    world_run_for(NS_PER_MS);
    size_t buffers = buffer_count_free();
    cr_assert_eq(scene_write(&scene, file, 14600, TCP_WRITE_STATIC), 14600);
    cr_assert(takes_full(peer->ack, 10));
    cr_assert_arr_eq(peer->got.payload, file + 9 * MSS, MSS);
    world_run_for(NS_PER_MS);
    cr_assert_eq(buffer_count_free(), buffers);
}

/* covers: SHLD-28 */
Test(tcp_send, header_and_file_are_one_segment)
{
    static const uint8_t file[2000] = {7, 8, 9};
    scene_established(&scene, 0);
    scene_write(&scene, "HTTP", 4, TCP_WRITE_MORE);
    cr_assert_eq(scene_write(&scene, file, 2000, TCP_WRITE_STATIC), 2000);
    cr_assert(takes_full(peer->ack, 1));
    cr_assert_arr_eq(peer->got.payload, "HTTP\7\10\11", 7);
}

Test(tcp_send, the_initial_window_is_ten_segments)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 30000);
    cr_assert(takes_full(peer->ack, 10));
    cr_assert(scene_is_silent(&scene));
    /* Slow start: two more for each that is acknowledged. */
    acks(MSS);
    cr_assert(takes_full(peer->ack + 9 * MSS, 2));
    cr_assert(scene_is_silent(&scene));
}

Test(tcp_send, the_peers_window_is_respected)
{
    scene_established(&scene, 0);
    peer->window = 3 * MSS;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 3));
    cr_assert(scene_is_silent(&scene));
    acks(2 * MSS);
    cr_assert(takes_full(peer->ack + MSS, 2));
    cr_assert(scene_is_silent(&scene));
}

Test(tcp_send, the_peers_window_is_scaled)
{
    scene_established(&scene, SCENE_SCALE);
    peer->window = MSS; /* four segments, by scale 2 */
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 10 * MSS);
    cr_assert(takes_full(peer->ack, 4));
    cr_assert(scene_is_silent(&scene));
}

Test(tcp_send, a_small_peer_mss_is_respected)
{
    scene_listen(&scene, 0);
    peer->syn_options[2] = 2; /* 512 */
    peer->syn_options[3] = 0;
    cr_assert(dialogue_open(peer));
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene);
    world_leave(scene.bench.stack);
    scene_write_pattern(&scene, 5000);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, 512);
}

/* covers: MUST-36 SHLD-29 SHLD-30 */
Test(tcp_send, a_closed_window_is_probed_with_backoff)
{
    static const uint64_t gaps_ms[4] = {200, 400, 800, 1600};
    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    uint64_t last = world_now();
    scene_write_pattern(&scene, 3000);
    for (int i = 0; i < 4; i++) {
        cr_assert(dialogue_take_within(peer, 3 * NS_PER_S));
        uint64_t gap = (peer->got.time_ns - last) / NS_PER_MS;
        cr_assert(gap >= gaps_ms[i] && gap < gaps_ms[i] + gaps_ms[i] / 10 + 20,
                  "gap %d is %lu ms", i, gap);
        last = peer->got.time_ns;
        cr_assert_eq(peer->got.payload_length, 1);
        cr_assert_eq(peer->got.seq, peer->ack);
        scene_says(&scene, A, NULL, 0);
    }
    peer->window = 65535;
    acks(1);
    cr_assert(takes_full(peer->ack, 2));
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, 3000 - 1 - 2 * MSS);
}

Test(tcp_send, a_lost_window_update_is_found_by_the_probe)
{
    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, MSS);
    peer->window = 65535; /* ... but the update is lost */
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.payload_length, 1);
    acks(1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.payload_length, MSS - 1);
}

/* covers: MUST-37 */
Test(tcp_send, a_peer_that_keeps_its_window_shut_keeps_the_connection)
{
    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 3000);
    uint64_t end = world_now() + 4 * 3600 * NS_PER_S;
    while (world_now() < end) {
        cr_assert(dialogue_take_within(peer, 130 * NS_PER_S));
        scene_says(&scene, A, NULL, 0);
    }
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
}

Test(tcp_send, unanswered_probes_end_it)
{
    scene_established(&scene, 0);
    peer->window = 0;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 3000);
    world_run_for(3600 * NS_PER_S);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert_eq(tcp_take_error(scene.connection), ETIMEDOUT);
}

/* covers: MUST-38 */
Test(tcp_send, silly_windows_are_not_filled)
{
    scene_established(&scene, 0);
    peer->window = 4 * MSS;
    scene_says(&scene, A, NULL, 0);
    scene_write_pattern(&scene, 20 * MSS);
    cr_assert(takes_full(peer->ack, 4));
    /* All is taken, and room for a few bytes offered. */
    peer->window = 100;
    acks(4 * MSS);
    cr_assert(scene_is_silent_for(&scene, 190 * NS_PER_MS));
    /* But not for ever. */
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.payload_length, 100);
}

Test(tcp_send, the_writer_is_told_when_there_is_room_again)
{
    scene_established(&scene, 0);
    int done = scene_write_pattern(&scene, 1 << 20);
    cr_assert_gt(done, 0);
    cr_assert_eq(scene_write(&scene, "x", 1, 0), -EAGAIN);
    cr_assert_not(tcp_ready(scene.connection) & TCP_WRITABLE);
    scene.notified = 0;
    while ((scene.notified & TCP_WRITABLE) == 0) {
        uint32_t before = scene_status(&scene).flight;
        cr_assert_gt(before, 0);
        acks(before);
        remote_forget(scene.bench.remote);
        world_run_for(NS_PER_US);
    }
    cr_assert(tcp_ready(scene.connection) & TCP_WRITABLE);
    cr_assert_gt(scene_write_pattern(&scene, 1000), 0);
}

/* covers: MUST-24 */
Test(tcp_send, keep_alive_probes_and_gives_up)
{
    scene_established(&scene, 0);
    scene_set(&scene, TCP_OPTION_KEEP_ALIVE, 1);
    scene_set(&scene, TCP_OPTION_KEEP_IDLE_S, 60);
    scene_set(&scene, TCP_OPTION_KEEP_INTERVAL_S, 10);
    scene_set(&scene, TCP_OPTION_KEEP_COUNT, 3);
    cr_assert(scene_is_silent_for(&scene, 59 * NS_PER_S));
    cr_assert(dialogue_take_within(peer, 2 * NS_PER_S));
    cr_assert_eq(peer->got.seq, peer->ack - 1);
    cr_assert_eq(peer->got.payload_length, 0);
    scene_says(&scene, A, NULL, 0); /* alive */
    cr_assert(scene_is_silent_for(&scene, 58 * NS_PER_S));
    for (int i = 0; i < 3; i++)
        cr_assert(dialogue_take_within(peer, 12 * NS_PER_S));
    cr_assert(dialogue_take_within(peer, 12 * NS_PER_S));
    cr_assert(peer->got.flags & R);
    cr_assert_eq(tcp_take_error(scene.connection), ETIMEDOUT);
}

/* covers: SHLD-6 */
Test(tcp_send, path_mtu_shrinks_and_the_segment_comes_again_smaller)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 2 * MSS);
    cr_assert(takes_full(peer->ack, 2));
    /* ICMP fragmentation needed, next hop 1000, quoting the first. */
    uint8_t icmp[8 + 28] = {3, 4, 0, 0, 0, 0, 1000 >> 8, 1000 & 0xff, 0x45};
    uint8_t *ip = icmp + 8;
    ip[3] = 200;
    ip[8] = 64;
    ip[9] = 6;
    ip[12] = 10, ip[15] = 1, ip[16] = 10, ip[19] = 2;
    uint8_t *tcp = ip + 20;
    tcp[1] = SCENE_PORT;
    tcp[2] = SCENE_REMOTE_PORT >> 8, tcp[3] = SCENE_REMOTE_PORT & 0xff;
    for (int i = 0; i < 4; i++)
        tcp[4 + i] = (uint8_t)(peer->ack >> (24 - 8 * i));
    uint32_t sum = 0;
    for (size_t i = 0; i < sizeof(icmp); i += 2)
        sum += (uint32_t)icmp[i] << 8 | icmp[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum += sum >> 16;
    icmp[2] = (uint8_t)(~sum >> 8), icmp[3] = (uint8_t)~sum;
    remote_send_ip(scene.bench.remote, 1, icmp, sizeof(icmp));
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.seq, peer->ack);
    cr_assert_eq(peer->got.payload_length, 960);
    cr_assert_eq(scene_status(&scene).send_mss, 960);
}

/* Freed so much in each turn, and by whatever way the ACK took. */
Test(tcp_send, an_ACK_of_many_chunks_frees_them_all)
{
    static const char bytes[1200];

    scene_established(&scene, 0);
    cr_assert_eq(tcp_set("tcp_header_prediction", "0"), 0);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_NO_DELAY, 1), 0);
    size_t available = send_memory.chunks.available;
    for (size_t i = 0; i < 60; i++)
        cr_assert_eq(scene_write(&scene, &bytes[20 * i], 10,
                                 TCP_WRITE_STATIC | TCP_WRITE_MORE),
                     10);
    cr_assert_eq(send_memory.chunks.available, available - 60);
    cr_assert_eq(scene_write(&scene, "!", 1, 0), 1);
    world_run_for(NS_PER_MS);
    remote_forget(scene.bench.remote);
    acks(601);
    world_run_for(NS_PER_MS);
    cr_assert_eq(send_memory.chunks.available, available, "%zu of %zu",
                 (size_t)send_memory.chunks.available, available);
}
