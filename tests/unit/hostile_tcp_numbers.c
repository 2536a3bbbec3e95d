/* SPDX-License-Identifier: MIT */
/*
 * Sequence and acknowledgement numbers, windows and ICMP errors by forgers.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

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

static void rest(void)
{
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
}

static bool is_established(void)
{
    return scene_state(&scene) == TCP_ESTABLISHED;
}

/* covers: RFC5961-3.2.2 */
Test(hostile, T16_a_reset_exactly_in_place_is_believed)
{
    scene_established(&scene, 0);
    dialogue_send(peer, R, peer->seq, 0, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert(scene_is_silent(&scene));
}

/* covers: RFC5961-3.2.3 */
Test(hostile, T16_a_reset_elsewhere_in_the_window_is_challenged)
{
    scene_established(&scene, 0);
    dialogue_send(peer, R, peer->seq + 1, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, A);
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(peer->got.seq, peer->ack);
    cr_assert(is_established());
}

/* covers: RFC5961-3.2.1 */
Test(hostile, T16_a_reset_outside_the_window_is_ignored)
{
    scene_established(&scene, 0);
    uint32_t window = scene_status(&scene).receive_window;
    dialogue_send(peer, R, peer->seq - 1, 0, NULL, 0);
    dialogue_send(peer, R, peer->seq + window, 0, NULL, 0);
    dialogue_send(peer, R, peer->seq + 0x80000000, 0, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
    cr_assert(is_established());
}

/* covers: RFC5961-4.2.1 */
Test(hostile, T17_a_syn_is_challenged_wherever_it_lies)
{
    static const uint32_t places[] = {0, 1, 1000, 0x80000000, 0xffffffff};
    scene_established(&scene, 0);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        dialogue_send(peer, S, peer->seq + places[i], 0, NULL, 0);
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.flags, A);
        cr_assert_eq(peer->got.ack, peer->seq);
        cr_assert(is_established());
    }
}

/* covers: RFC5961-7.1 */
Test(hostile, T18_challenges_are_limited_per_connection_alone)
{
    scene_listen(&scene, 0);
    cr_assert(dialogue_open(peer));
    struct dialogue other = *peer;
    other.port++;
    other.seq = 5000;
    other.has_timestamps = false;
    cr_assert(dialogue_open(&other));
    remote_forget(scene.bench.remote);
    unsigned answers = 0;
    for (int i = 0; i < 500; i++) {
        dialogue_send(peer, S, peer->seq + 7, 0, NULL, 0);
        answers += dialogue_take(peer);
        world_run_for(NS_PER_US);
    }
    cr_assert_leq(answers, 20);
    /* The other connection's allowance is untouched. */
    dialogue_send(&other, S, other.seq + 7, 0, NULL, 0);
    cr_assert(dialogue_take(&other));
    cr_assert_eq(other.got.destination_port, other.port);
}

Test(hostile, T19_an_ack_of_what_was_never_sent_is_answered_and_dropped)
{
    scene_established(&scene, 0);
    dialogue_send(peer, A | P, peer->seq, peer->ack + 1, "x", 1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
}

Test(hostile, T19_an_ack_older_than_any_window_is_dropped)
{
    scene_established(&scene, 0);
    dialogue_send(peer, A | P, peer->seq, peer->ack - 65536, "x", 1);
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
    dialogue_send(peer, A | P, peer->seq, peer->ack - 65535, "x", 1);
    cr_assert_eq(tcp_read_queued(scene.connection), 1);
}

Test(hostile, T20_data_across_the_edges_is_trimmed_exactly)
{
    static uint8_t text[3000];
    static uint8_t bytes[200000];
    scene_listen(&scene, 0);
    tcp_listener_options(scene.listener)->receive_buffer = 4096;
    cr_assert(dialogue_open(peer));
    accept_it();
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)i;
    /* Left edge. */
    scene_says(&scene, A, text, 100);
    dialogue_send(peer, A, peer->seq - 50, peer->ack, text + 50, 150);
    peer->seq += 100;
    cr_assert_eq(scene_read(&scene, bytes, 1000), 200);
    cr_assert_arr_eq(bytes, text, 200);
    /* Right edge: one octet too many. */
    rest();
    uint32_t window = scene_status(&scene).receive_window;
    uint32_t sent = 0;
    while (window - sent > 1000) {
        dialogue_send(peer, A, peer->seq + sent, peer->ack, text, 1000);
        sent += 1000;
    }
    rest();
    window = scene_status(&scene).receive_window;
    dialogue_send(peer, A, peer->seq + sent, peer->ack, text, window + 1);
    sent += window;
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.ack, peer->seq + sent);
    cr_assert_eq(tcp_read_queued(scene.connection), sent);
}

Test(hostile, T20_a_segment_wholly_outside_is_answered_not_taken)
{
    scene_established(&scene, 0);
    uint32_t window = scene_status(&scene).receive_window;
    dialogue_send(peer, A, peer->seq - 10, peer->ack, "0123456789", 10);
    cr_assert(dialogue_take(peer));
    dialogue_send(peer, A, peer->seq + window, peer->ack, "0", 1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
}

Test(hostile, T21_the_bytes_that_came_first_stay)
{
    char bytes[16] = {0};
    scene_established(&scene, 0);
    dialogue_send(peer, A, peer->seq + 2, peer->ack, "CD", 2);
    dialogue_send(peer, A, peer->seq + 1, peer->ack, "xyz", 3);
    dialogue_send(peer, A, peer->seq + 2, peer->ack, "zzEF", 4);
    dialogue_send(peer, A, peer->seq, peer->ack, "Aqqqqqqq", 8);
    cr_assert_eq(scene_read(&scene, bytes, 16), 6);
    cr_assert_arr_eq(bytes, "AxCDEF", 6);
}

Test(hostile, T23_data_after_a_fin_is_discarded)
{
    scene_established(&scene, 0);
    dialogue_send(peer, A, peer->seq + 11, peer->ack, "beyond", 6);
    dialogue_send(peer, F | A, peer->seq, peer->ack, "0123456789", 10);
    peer->seq += 11;
    dialogue_send(peer, A, peer->seq, peer->ack, "more", 4);
    cr_assert_eq(tcp_read_queued(scene.connection), 10);
    cr_assert_eq(scene_state(&scene), TCP_CLOSE_WAIT);
    rest();
    dialogue_send(peer, F | A, peer->seq - 1, peer->ack, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq);
}

Test(hostile, T25_urgent_data_is_in_band_whatever_the_pointer)
{
    static const uint16_t pointers[] = {0, 1, 5, 6, 1000, 65535};
    char bytes[64];
    scene_established(&scene, 0);
    for (size_t i = 0; i < 6; i++) {
        struct segment segment = {
            .source_port = peer->port,
            .destination_port = peer->local_port,
            .seq = peer->seq,
            .ack = peer->ack,
            .flags = A | U | P,
            .window = 65535,
            .urgent = pointers[i],
            .payload = (const uint8_t *)"hello",
            .payload_length = 5,
        };
        remote_send(scene.bench.remote, &segment);
        peer->seq += 5;
    }
    cr_assert_eq(scene_read(&scene, bytes, 64), 30);
    struct segment syn = {.source_port = 999,
                          .destination_port = SCENE_PORT,
                          .flags = S | U,
                          .urgent = 65535};
    remote_forget(scene.bench.remote);
    remote_send(scene.bench.remote, &syn);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
}

/* Whatever number comes first, order is that of the distance. */
Test(hostile, T30_order_is_the_same_wherever_numbers_go_round)
{
    static const uint32_t edges[] = {0, 0x7fffffff, 0x80000000, 0xffffffff};
    static const uint32_t distances[] = {1,     2,          1460,
                                         65535, 0x3fffffff, 0x7fffffff};

    for (uint32_t i = 0; i < 4 * 4096; i++) {
        struct seq32 a = seq_from(edges[i % 4] + i / 4 - 2048);

        cr_assert(!seq_before(a, a) && !seq_after(a, a) && seq_equal(a, a));
        for (size_t j = 0; j < 6; j++) {
            struct seq32 b = seq_add(a, distances[j]);

            cr_assert(seq_before(a, b) && !seq_before(b, a));
            cr_assert(seq_after(b, a) && !seq_after(a, b));
            cr_assert(seq_equal(seq_max(a, b), b));
            cr_assert(seq_equal(seq_max(b, a), b));
            cr_assert(seq_equal(seq_subtract(b, distances[j]), a));
            cr_assert_eq(seq_diff(b, a), (int32_t)distances[j]);
            cr_assert_eq(seq_diff(a, b), -(int32_t)distances[j]);
        }
    }
}

/* Nothing is sent beyond it, first or again, but the rest of a segment that
 * begins at its left edge (RFC 9293 3.8.6, MAY-7). */
static void survive_a_shrunk_window(uint32_t total)
{
    uint64_t until = world_now() + 60 * NS_PER_S;
    uint32_t last = peer->ack + total;

    while (peer->ack != last && world_now() < until) {
        uint32_t from = peer->ack;

        if (!dialogue_take_within(peer, NS_PER_S))
            continue;
        do {
            uint32_t end = peer->got.seq + (uint32_t)peer->got.payload_length;

            if (peer->got.seq != from)
                cr_assert_leq((int32_t)(end - from), 500, "in the window");
            cr_assert_leq(peer->got.payload_length, SCENE_MSS);
            if (peer->got.seq == peer->ack)
                peer->ack = end;
        } while (dialogue_take(peer));
        if (peer->ack != from)
            scene_says(&scene, A, NULL, 0);
    }
    cr_assert_eq(peer->ack, last);
}

/* covers: MUST-34 SHLD-16 */
Test(hostile, T27_a_window_shrunk_below_what_is_in_flight_is_survived)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 20000), 20000);
    world_run_for(NS_PER_MS); /* nothing is sent again yet */
    remote_forget(scene.bench.remote);
    peer->window = 500;
    peer->ack += SCENE_MSS; /* which lets more go */
    scene_says(&scene, A, NULL, 0);
    survive_a_shrunk_window(20000 - SCENE_MSS);
}

Test(hostile, T27_what_is_lost_beyond_a_window_that_shrank_waits)
{
    scene_established(&scene, SCENE_SACK);
    cr_assert_eq(scene_write_pattern(&scene, 10 * SCENE_MSS), 10 * SCENE_MSS);
    world_run_for(NS_PER_MS); /* nothing is sent again yet */
    remote_forget(scene.bench.remote);
    peer->window = 500;
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = peer->ack,
        .flags = A,
        .window = 500,
        .options = {1, 1, 5, 10},
        .options_length = 12,
    };
    for (int i = 0; i < 4; i++) {
        unsigned shift = 24U - 8U * (unsigned)i;
        segment.options[4 + i] =
            (uint8_t)((peer->ack + 5 * SCENE_MSS) >> shift);
        segment.options[8 + i] =
            (uint8_t)((peer->ack + 10 * SCENE_MSS) >> shift);
    }
    remote_send(scene.bench.remote, &segment);
    survive_a_shrunk_window(10 * SCENE_MSS);
}

Test(hostile, T29_divided_acks_do_not_inflate_the_window)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 60000);
    uint32_t before = scene_status(&scene).congestion_window;
    /* One segment, acknowledged octet by octet. */
    for (uint32_t i = 0; i < SCENE_MSS; i++) {
        peer->ack++;
        scene_says(&scene, A, NULL, 0);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    cr_assert_leq(scene_status(&scene).congestion_window, before + SCENE_MSS);
}

Test(hostile, T29_spoofed_duplicate_acks_send_no_flood)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 60000);
    world_run_for(NS_PER_US);
    remote_forget(scene.bench.remote);
    size_t sent = 0;
    for (int i = 0; i < 1000; i++) {
        scene_says(&scene, A, NULL, 0);
        while (dialogue_take(peer))
            sent += peer->got.payload_length;
        world_run_for(NS_PER_US);
    }
    /* Not more than what is in flight at most, once again. */
    cr_assert_leq(sent, 2 * 10 * SCENE_MSS);
}

Test(hostile, C5_icmp_about_numbers_not_in_flight_is_ignored)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 100);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    uint8_t header[8] = {0, SCENE_PORT, SCENE_REMOTE_PORT >> 8,
                         SCENE_REMOTE_PORT & 0xff};
    struct ip_error_info info = {
        .local = ip_address_from_ipv4(be32_from(0x0a000001)),
        .remote = ip_address_from_ipv4(be32_from(0x0a000002)),
        .transport = header,
        .transport_length = 8,
        .mtu = 576,
        .error = IP_ERROR_PACKET_TOO_BIG,
    };
    for (int32_t off = -1; off <= 100; off += 101) {
        for (int k = 0; k < 4; k++)
            header[4 + k] =
                (uint8_t)((peer->ack + (uint32_t)off) >> (24 - 8 * k));
        tcp_error(&info, world_now());
    }
    (void)call;
    world_leave(scene.bench.stack);
    cr_assert_eq(scene_status(&scene).send_mss, SCENE_MSS);
    cr_assert_eq(scene_counter("tcp_icmp_ignored_total"), 2);
}

Test(hostile, C6_a_hard_error_does_not_end_an_established_connection)
{
    scene_established(&scene, 0);
    scene_write_pattern(&scene, 100);
    (void)world_enter(scene.bench.stack);
    uint8_t header[8] = {0, SCENE_PORT, SCENE_REMOTE_PORT >> 8,
                         SCENE_REMOTE_PORT & 0xff};
    for (int k = 0; k < 4; k++)
        header[4 + k] = (uint8_t)(peer->ack >> (24 - 8 * k));
    const struct ip_error_info info = {
        .local = ip_address_from_ipv4(be32_from(0x0a000001)),
        .remote = ip_address_from_ipv4(be32_from(0x0a000002)),
        .transport = header,
        .transport_length = 8,
        .error = IP_ERROR_PORT_UNREACHABLE,
    };
    tcp_error(&info, world_now());
    world_leave(scene.bench.stack);
    cr_assert(is_established());
    cr_assert_not(scene.notified & TCP_FAILED);
}
