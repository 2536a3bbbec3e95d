/* SPDX-License-Identifier: MIT */
/*
 * What is done with segments that carry text: acknowledgements, windows,
 * order.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/host/scene.h"

static struct scene scene;
static uint8_t text[1 << 20];
static uint8_t bytes[1 << 20];

#define peer (&scene.peer)

enum {
    MSS = SCENE_MSS,
};

static void fill_text(void)
{
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 11 + i / 253);
}

/* A dialogue: the quick ACKs of the start are over. */
static void calm_down(void)
{
    uint8_t byte;

    fill_text();
    scene_says(&scene, A, "q", 1);
    world_run_for(NS_PER_S);
    cr_assert_eq(scene_read(&scene, &byte, 1), 1);
    scene_write(&scene, "x", 1, 0);
    peer->ack++;
    scene_says(&scene, A, NULL, 0);
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
}

/* The peer sends `length` bytes of text from its `offset` on. */
static void sends(uint32_t offset, size_t length)
{
    dialogue_send(peer, A, peer->seq + offset, peer->ack, text + offset,
                  length);
}

static bool acknowledges(uint32_t offset)
{
    return dialogue_take(peer) && peer->got.flags == A &&
           peer->got.ack == peer->seq + offset;
}

Test(tcp_receive, the_first_segments_are_acknowledged_at_once)
{
    scene_established(&scene, 0);
    sends(0, 100);
    cr_assert(acknowledges(100));
}

/* covers: MUST-40 SHLD-18 */
Test(tcp_receive, later_an_ack_waits_40_ms)
{
    scene_established(&scene, 0);
    calm_down();
    sends(0, 100);
    cr_assert(scene_is_silent_for(&scene, 39 * NS_PER_MS));
    cr_assert(dialogue_take_within(peer, 10 * NS_PER_MS));
    cr_assert_eq(peer->got.ack, peer->seq + 100);
    cr_assert_eq(scene_counter("tcp_delayed_acks_total"), 1);
}

/* covers: MUST-58 SHLD-19 */
Test(tcp_receive, every_second_full_segment_is_acknowledged)
{
    scene_established(&scene, 0);
    calm_down();
    sends(0, MSS);
    remote_forget(scene.bench.remote);
    for (uint32_t i = 1; i < 9; i += 2) {
        sends(i * MSS, MSS);
        remote_forget(scene.bench.remote);
        sends((i + 1) * MSS, MSS);
        world_run_for(0);
    }
    /* The segment size was learnt: from then on, one for two. */
    remote_forget(scene.bench.remote);
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
    sends(9 * MSS, MSS);
    cr_assert(scene_is_silent(&scene));
    sends(10 * MSS, MSS);
    cr_assert(acknowledges(11 * MSS));
}

Test(tcp_receive, an_ack_rides_on_data)
{
    scene_established(&scene, 0);
    calm_down();
    sends(0, 100);
    cr_assert(scene_is_silent(&scene));
    scene_write(&scene, "answer", 6, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq + 100);
    peer->seq += 100;
    peer->ack += 6;
    scene_says(&scene, A, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
}

Test(tcp_receive, the_window_closes_as_the_buffer_fills)
{
    scene_established(&scene, 0);
    fill_text();
    uint32_t sent = 0;
    uint32_t window = scene_status(&scene).receive_window;
    while (window >= MSS) {
        sends(sent, MSS);
        sent += MSS;
        world_run_for(50 * NS_PER_MS);
        cr_assert(dialogue_take(peer));
        while (dialogue_take(peer))
            ;
        window = peer->got.window;
        cr_assert_eq(peer->got.ack, peer->seq + sent);
    }
    cr_assert_lt(window, MSS);
    cr_assert_eq(tcp_read_queued(scene.connection), sent);
    /* What exceeds the window is not taken, and answered. */
    sends(sent, MSS);
    world_run_for(50 * NS_PER_MS);
    cr_assert(dialogue_take(peer));
    cr_assert_leq(peer->got.ack, peer->seq + sent + window);
    /* Reading opens it; the peer is told once. */
    uint32_t queued = (uint32_t)tcp_read_queued(scene.connection);
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), (int)queued);
    cr_assert_arr_eq(bytes, text, sent);
    cr_assert(dialogue_take(peer));
    cr_assert_geq(peer->got.window, 32768);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
}

/* covers: MUST-39 */
Test(tcp_receive, small_reads_do_not_cause_small_updates)
{
    scene_established(&scene, 0);
    calm_down();
    uint32_t sent = 0;
    for (; sent < 60 * MSS; sent += MSS) {
        sends(sent, MSS);
        world_run_for(50 * NS_PER_MS);
    }
    peer->seq += sent;
    remote_forget(scene.bench.remote);
    unsigned updates = 0;
    for (uint32_t done = 0; done < sent; done += 100) {
        cr_assert_gt(scene_read(&scene, bytes, 100), 0);
        updates += !scene_is_silent(&scene);
    }
    cr_assert_leq(updates, 8);
}

/* covers: SHLD-31 */
Test(tcp_receive, segments_out_of_order_are_put_in_order)
{
    scene_established(&scene, 0);
    calm_down();
    sends(200, 100);
    cr_assert(acknowledges(0));
    sends(400, 100);
    cr_assert(acknowledges(0));
    sends(100, 100);
    cr_assert(acknowledges(0));
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
    sends(0, 100);
    cr_assert(acknowledges(300));
    sends(300, 100);
    cr_assert(acknowledges(500));
    cr_assert_eq(scene_read(&scene, bytes, 1000), 500);
    cr_assert_arr_eq(bytes, text, 500);
}

Test(tcp_receive, overlaps_of_every_kind_are_delivered_once)
{
    static const uint16_t pieces[][2] = {
        {100, 100}, {150, 100}, {50, 100},  {90, 300}, {500, 50},
        {450, 200}, {520, 10},  {600, 400}, {40, 700}, {0, 60},
        {0, 1000},  {10, 5},    {999, 1}};
    scene_established(&scene, 0);
    fill_text();
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
        sends(pieces[i][0], pieces[i][1]);
    /* What was cut off for overlapping comes again, as a sender would. */
    for (uint32_t at = 0; at < 1000; at += 100)
        sends(at, 100);
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 1000);
    cr_assert_arr_eq(bytes, text, 1000);
}

Test(tcp_receive, random_pieces_in_random_order_give_the_text)
{
    enum { LENGTH = 20000 };
    scene_established(&scene, 0);
    fill_text();
    uint64_t state = 12345;
    uint32_t got = 0;
    for (int i = 0; i < 20000 && got < LENGTH; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint32_t from = (uint32_t)(state >> 33) % LENGTH;
        uint32_t length = 1 + (uint32_t)(state >> 20) % 700;
        if (i % 3 == 0)
            from = got + (uint32_t)(state >> 40) % 50;
        if (from + length > LENGTH)
            length = LENGTH - from;
        if (length == 0)
            continue;
        sends(from, length);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
        int done = scene_read(&scene, bytes + got, sizeof(bytes) - got);
        if (done > 0)
            got += (uint32_t)done;
    }
    cr_assert_eq(got, LENGTH);
    cr_assert_arr_eq(bytes, text, LENGTH);
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_receive, sack_blocks_tell_what_came_early)
{
    scene_established(&scene, SCENE_SACK);
    calm_down();
    sends(100, 100);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.sack_count, 1);
    cr_assert_eq(peer->got.sack[0][0], peer->seq + 100);
    cr_assert_eq(peer->got.sack[0][1], peer->seq + 200);
    sends(300, 100);
    sends(500, 100);
    remote_forget(scene.bench.remote);
    sends(200, 50);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.sack_count, 3);
    /* The block that holds the last one comes first. */
    cr_assert_eq(peer->got.sack[0][0], peer->seq + 100);
    cr_assert_eq(peer->got.sack[0][1], peer->seq + 250);
    sends(0, 100);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq + 250);
    cr_assert_eq(peer->got.sack_count, 2);
}

Test(tcp_receive, three_blocks_fit_beside_timestamps)
{
    scene_established(&scene, SCENE_SACK | SCENE_TIMESTAMPS);
    calm_down();
    for (uint32_t i = 1; i < 8; i++)
        sends(200 * i, 100);
    remote_forget(scene.bench.remote);
    sends(200 * 8, 100);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.sack_count, 3);
    cr_assert_eq(peer->got.options_length, 40);
    cr_assert_eq(peer->got.sack[0][0], peer->seq + 1600);
}

Test(tcp_receive, a_duplicate_is_acknowledged_at_once)
{
    scene_established(&scene, 0);
    calm_down();
    sends(0, 100);
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
    sends(0, 100);
    cr_assert(acknowledges(100));
    cr_assert_eq(tcp_read_queued(scene.connection), 100);
}

Test(tcp_receive, a_fin_out_of_order_waits_for_its_turn)
{
    scene_established(&scene, 0);
    calm_down();
    dialogue_send(peer, F | A, peer->seq + 100, peer->ack, NULL, 0);
    cr_assert(acknowledges(0));
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    sends(0, 100);
    cr_assert(acknowledges(101));
    cr_assert_eq(scene_state(&scene), TCP_CLOSE_WAIT);
    cr_assert_eq(scene_read(&scene, bytes, 200), 100);
    cr_assert_eq(scene_read(&scene, bytes, 200), 0);
}

Test(tcp_receive, peek_leaves_what_it_shows)
{
    scene_established(&scene, 0);
    fill_text();
    sends(0, MSS);
    sends(MSS, MSS);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_read(scene.connection, bytes, 2000, TCP_READ_PEEK,
                                world_now()),
                 2000);
    world_leave(scene.bench.stack);
    cr_assert_arr_eq(bytes, text, 2000);
    memset(bytes, 0, 4000);
    cr_assert_eq(scene_read(&scene, bytes, 5000), 2 * MSS);
    cr_assert_arr_eq(bytes, text, 2 * MSS);
}

Test(tcp_receive, single_bytes_cost_bytes_not_packets)
{
    scene_established(&scene, SCENE_SMALL);
    fill_text();
    size_t before = packet_count_free();
    for (uint32_t i = 0; i < 5000; i++) {
        sends(i, 1);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    cr_assert_eq(tcp_read_queued(scene.connection), 5000);
    cr_assert_geq(packet_count_free() + 20, before);
    cr_assert_eq(scene_read(&scene, bytes, 5000), 5000);
    cr_assert_arr_eq(bytes, text, 5000);
}

/* covers: SHLD-14 RFC7323-2.4 */
Test(tcp_receive, a_shrunken_buffer_never_takes_the_window_back)
{
    scene_established(&scene, 0);
    calm_down();
    sends(0, 100);
    world_run_for(NS_PER_S);
    cr_assert(dialogue_take(peer));
    uint32_t edge = peer->got.ack + peer->got.window;
    scene_set(&scene, TCP_OPTION_RECEIVE_BUFFER, 4096);
    sends(100, 100);
    world_run_for(NS_PER_S);
    cr_assert(dialogue_take(peer));
    cr_assert_geq(peer->got.ack + peer->got.window, edge);
}

Test(tcp_receive, sack_blocks_never_make_a_full_segment_too_long)
{
    scene_established(&scene, SCENE_SACK | SCENE_TIMESTAMPS);
    calm_down();
    for (uint32_t i = 1; i < 5; i++)
        sends(200 * i, 100);
    remote_forget(scene.bench.remote);
    cr_assert_eq(scene_write_pattern(&scene, 4 * MSS), 4 * MSS);
    size_t total = 0;
    while (dialogue_take(peer)) {
        total += peer->got.payload_length;
        cr_assert_leq(peer->got.payload_length + peer->got.options_length, MSS);
    }
    cr_assert_eq(total, 4 * MSS);
    cr_assert_eq(drop_count(DROP_IP_TOO_BIG), 0);
}

/* RFC 9293 3.10.7.4: what lies outside the window is cut off, also of a
 * segment that comes early. */
Test(tcp_receive, an_early_segment_is_cut_at_the_right_edge)
{
    scene_established(&scene, SCENE_SACK);
    uint32_t edge = peer->seq + scene_status(&scene).receive_window;
    dialogue_send(peer, A, edge - 100, peer->ack, bytes, 1000);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.sack_count, 1);
    cr_assert_eq(peer->got.sack[0][0], edge - 100);
    cr_assert_eq(peer->got.sack[0][1], edge);
}

static uint64_t too_early(void)
{
    return drop_count(DROP_TCP_OUT_OF_ORDER_LIMIT);
}

Test(tcp_receive, so_many_ranges_wait_for_their_turn_and_no_more)
{
    scene_established(&scene, 0);
    calm_down();
    for (uint32_t i = 1; i <= TCP_REASSEMBLY_RANGES; i++) {
        sends(20 * i, 10);
        remote_forget(scene.bench.remote);
    }
    cr_assert_eq(too_early(), 0);
    sends(20 * TCP_REASSEMBLY_RANGES + 20, 10);
    cr_assert_eq(too_early(), 1);
    sends(20 * TCP_REASSEMBLY_RANGES + 10, 10); /* makes one longer */
    cr_assert_eq(too_early(), 1);
}

/* The peer sends until so much is left of the window; the app reads, or not. */
static uint32_t sends_until(uint32_t sent, uint32_t left, size_t reads)
{
    while (scene_status(&scene).receive_window > left) {
        uint32_t more = scene_status(&scene).receive_window - left;
        more = more < MSS ? more : MSS;
        sends(sent, more);
        sent += more;
        (void)scene_read(&scene, bytes, reads);
    }
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
    return sent;
}

/* RFC 1122 4.2.3.3: where the peer may be waiting, a segment's room is told. */
Test(tcp_receive, room_is_told_as_soon_as_a_segment_fits_again)
{
    enum { BUFFER = 16384, LEFT = 2 * MSS - 100 };

    scene_established(&scene, 0);
    calm_down();
    cr_assert_eq(scene_set(&scene, TCP_OPTION_RECEIVE_BUFFER, BUFFER), 0);
    sends_until(sends_until(0, BUFFER, MSS), LEFT, 0);
    cr_assert_eq(scene_read(&scene, bytes, MSS - 1), MSS - 1);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(scene_read(&scene, bytes, 1), 1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.window, LEFT + MSS);
}
