/* SPDX-License-Identifier: MIT */
/*
 * Headers and options no honest peer sends.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/tcp/span.h"
#include "net/wire/sequence.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

/* Sends with these options instead of the dialogue's. */
static void send_with_options(uint16_t flags, const char *text,
                              const void *options, size_t length)
{
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = peer->ack,
        .flags = flags,
        .window = peer->window,
        .options_length = length,
        .payload = (const uint8_t *)text,
        .payload_length = strlen(text),
    };
    memcpy(segment.options, options, length);
    remote_send(scene.bench.remote, &segment);
    peer->seq += (uint32_t)segment.payload_length;
}

static void send_options(uint16_t flags, const void *options, size_t length)
{
    send_with_options(flags, "", options, length);
}

static void say_with_options(const char *text, const void *options,
                             size_t length)
{
    send_with_options(A, text, options, length);
}

static void accept_it(void)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
}

/* Handshake with these options in the SYN. */
static void open_with(const void *options, size_t length)
{
    memcpy(peer->syn_options, options, length);
    peer->syn_options_length = length;
    cr_assert(dialogue_open(peer));
    accept_it();
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

Test(hostile, T1_data_offset_too_small_or_past_the_segment_is_dropped)
{
    scene_established(&scene, 0);
    static const uint8_t offsets[] = {1, 4, 6, 15};
    for (size_t i = 0; i < sizeof(offsets); i++) {
        struct segment segment = {
            .source_port = peer->port,
            .destination_port = peer->local_port,
            .seq = peer->seq,
            .ack = peer->ack,
            .flags = A,
            .window = 1000,
            .data_offset = offsets[i],
        };
        remote_send(scene.bench.remote, &segment);
    }
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(drop_count(DROP_TCP_HEADER), 4);
}

Test(hostile, T2_malformed_options_end_the_parse)
{
    static const struct {
        uint8_t bytes[12];
        uint8_t length;
    } cases[] = {
        {{2, 0, 8, 10, 0, 0, 0, 1}, 12}, /* what follows is not read */
        {{2, 1, 8, 10, 0, 0, 0, 1}, 12},
        {{8, 10, 1, 1}, 4},   /* a timestamp past the header */
        {{2, 0, 5, 180}, 4},  /* length 0 */
        {{2, 1, 5, 180}, 4},  /* length 1 */
        {{2, 40, 5, 180}, 4}, /* past the header */
        {{1, 1, 1, 2}, 4},    /* the length octet is missing */
        {{3, 3, 1, 8}, 4},    /* the same after a good one */
        {{5, 2, 0, 0}, 4},    /* a SACK without blocks */
        {{8, 4, 1, 1}, 4},    /* a timestamp of wrong length */
        {{254, 255, 1, 1}, 4},
    };
    scene_listen(&scene, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        peer->port = (uint16_t)(1000 + i);
        send_options(S, cases[i].bytes, cases[i].length);
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.flags, S | A);
        cr_assert_not(peer->got.has_timestamp);
    }
}

Test(hostile, T3_a_tiny_mss_is_raised)
{
    static const uint16_t values[] = {0, 1, 12, 40, 87};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const uint8_t mss[4] = {2, 4, 0, (uint8_t)values[i]};
        if (i == 0)
            scene_listen(&scene, 0);
        peer->port = (uint16_t)(1000 + i);
        peer->seq = 1000;
        open_with(mss, 4);
        cr_assert_geq(scene_status(&scene).send_mss, 88);
        cr_assert_eq(scene_write_pattern(&scene, 500), 500);
        cr_assert(dialogue_take(peer));
        cr_assert_geq(peer->got.payload_length, 88);
        remote_forget(scene.bench.remote);
    }
}

Test(hostile, T4_a_small_mss_and_many_sacks_cost_a_bounded_queue)
{
    const uint8_t options[8] = {2, 4, 0, 48, 1, 1, 4, 2};
    scene_listen(&scene, SCENE_SMALL);
    open_with(options, 8);
    size_t most = 0;
    int written = scene_write_pattern(&scene, 1 << 20);
    cr_assert_gt(written, 0);
    for (uint32_t i = 0; i < 2000; i++) {
        uint8_t sack[12] = {1, 1, 5, 10};
        uint32_t left = peer->ack + 2 * i + 2;
        for (int k = 0; k < 4; k++) {
            sack[4 + k] = (uint8_t)(left >> (24 - 8 * k));
            sack[8 + k] = (uint8_t)((left + 1) >> (24 - 8 * k));
        }
        send_options(A, sack, 12);
        cr_assert_leq(spans_used(), TCP_SPANS_MAX);
        most = spans_used() > most ? spans_used() : most;
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    cr_assert_eq(most, TCP_SPANS_MAX);
    cr_assert(is_established());
    cr_assert_leq(scene_counter("tcp_send_buffers_used"),
                  scene_counter("tcp_send_buffers_limit"));
}

Test(hostile, T5_a_window_scale_above_14_counts_as_14)
{
    const uint8_t options[4] = {1, 3, 3, 255};
    scene_listen(&scene, 0);
    open_with(options, 4);
    peer->window = 1;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(scene_status(&scene).send_window, 1U << 14);
}

Test(hostile, T6_syn_options_on_other_segments_are_ignored)
{
    const uint8_t options[12] = {2, 4, 0, 100, 1, 3, 3, 7, 1, 1, 4, 2};
    scene_established(&scene, 0);
    uint16_t before = scene_status(&scene).send_mss;
    send_options(A, options, 12);
    cr_assert_eq(scene_status(&scene).send_mss, before);
    cr_assert_eq(scene_status(&scene).send_window, 65535);
    cr_assert_not(scene_status(&scene).has_sack);
}

Test(hostile, T6_the_first_of_a_repeated_option_wins)
{
    const uint8_t sizes[16] = {2, 4, 2, 0, 2, 4, 4, 0, 3, 3, 2, 3, 3, 7, 1, 1};
    const uint8_t times[20] = {8, 10, 0, 0, 0, 1, [10] = 8, 10, 0, 0, 0, 2};
    scene_listen(&scene, 0);
    open_with(sizes, sizeof(sizes));
    cr_assert_eq(scene_status(&scene).send_mss, 512);
    cr_assert_eq(scene_status(&scene).send_scale, 2);
    peer->port = 2000;
    send_options(S, times, sizeof(times));
    cr_assert(dialogue_take(peer));
    cr_assert(peer->got.has_timestamp);
    cr_assert_eq(peer->got.tsecr, 1);
}

Test(hostile, T7_a_segment_without_the_agreed_timestamp_is_dropped)
{
    scene_established(&scene, SCENE_TIMESTAMPS);
    peer->has_timestamps = false;
    scene_says(&scene, A | P, "x", 1);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
    cr_assert_eq(drop_count(DROP_TCP_TIMESTAMP_MISSING), 1);
    cr_assert(is_established());
}

/* covers: RFC7323-5.3.1 */
Test(hostile, T8_an_old_timestamp_is_acknowledged_and_dropped)
{
    scene_established(&scene, SCENE_TIMESTAMPS);
    peer->tsval = 4999;
    dialogue_send(peer, A | P, peer->seq, peer->ack, "x", 1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
    cr_assert_eq(scene_counter("tcp_paws_drops_total"), 1);
    /* A reset is exempt. */
    dialogue_send(peer, R, peer->seq, 0, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
}

Test(hostile, T8_after_24_days_an_old_timestamp_is_believed)
{
    scene_established(&scene, SCENE_TIMESTAMPS);
    rest();
    world_run_for(UINT64_C(25) * 86400 * NS_PER_S);
    peer->tsval = 4999;
    scene_says(&scene, A | P, "x", 1);
    cr_assert_eq(tcp_read_queued(scene.connection), 1);
}

Test(hostile, T9_an_echo_never_sent_is_no_sample)
{
    scene_established(&scene, SCENE_TIMESTAMPS);
    /* A retransmission leaves only the echo to measure by. */
    scene_write(&scene, "x", 1, 0);
    rest();
    uint64_t before = scene_status(&scene).rtt_ns;
    peer->tsval += 2000;
    peer->tsecr += 1000000;
    peer->ack++;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(scene_status(&scene).rtt_ns, before);
    cr_assert_eq(scene_status(&scene).flight, 0);
}

static void put_block(uint8_t *to, uint32_t left, uint32_t right)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)((peer->ack + left) >> (24 - 8 * i));
        to[4 + i] = (uint8_t)((peer->ack + right) >> (24 - 8 * i));
    }
}

/* As the first one it would tell of a duplicate. */
Test(hostile, T10_a_second_block_that_begins_before_what_is_acknowledged)
{
    uint8_t sack[20] = {1, 1, 5, 18};

    scene_established(&scene, SCENE_SACK);
    scene_write_pattern(&scene, 3000);
    put_block(sack + 4, 1460, 2920);
    put_block(sack + 12, 0xffffff9c, 1460);
    send_options(A, sack, sizeof(sack));
    world_run_for(NS_PER_MS);
    cr_assert_eq(scene_status(&scene).sacked, 1460);
}

Test(hostile, T10_nonsensical_sack_blocks_change_nothing)
{
    static const uint32_t blocks[][2] = {
        {10, 10},   {20, 5}, {100, 99999},     {0x80000000, 0x80000001},
        {30, 20},   {0, 0},  {0xffffff9c, 50}, {0xffffff9c, 0x80000000},
        {100, 3001}};
    scene_established(&scene, SCENE_SACK);
    scene_write_pattern(&scene, 3000);
    remote_forget(scene.bench.remote);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        uint8_t sack[12] = {1, 1, 5, 10};
        put_block(sack + 4, blocks[i][0], blocks[i][1]);
        send_options(A, sack, 12);
        world_run_for(NS_PER_MS);
        cr_assert_eq(scene_status(&scene).sacked, 0, "block %zu", i);
        cr_assert_eq(scene_status(&scene).lost, 0, "block %zu", i);
    }
    cr_assert(is_established());
    cr_assert_eq(scene_status(&scene).flight, 3000);
}

Test(hostile, T26_authentication_options_not_configured_are_ignored)
{
    const uint8_t md5[20] = {19, 18, 1, 2, 3, 4};
    const uint8_t ao[4] = {29, 4, 1, 1};
    const uint8_t broken[4] = {19, 40, 0, 0};
    scene_established(&scene, 0);
    send_options(A, md5, 20);
    send_options(A, ao, 4);
    send_options(A, broken, 4);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
    cr_assert(is_established());
    /* The text of such segments is taken. */
    say_with_options("md5", md5, 20);
    say_with_options("ao.", ao, 4);
    say_with_options("cut", broken, 4);
    char bytes[10];
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 9);
    cr_assert_arr_eq(bytes, "md5ao.cut", 9);
}

Test(hostile, T26_authentication_options_do_not_hide_those_behind_them)
{
    const uint8_t signed_syn[28] = {19, 18, [18] = 29, 4, 1, 1, 4, 2, 1, 1};
    scene_listen(&scene, 0);
    send_options(S, signed_syn, sizeof(signed_syn));
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
    cr_assert(peer->got.has_sack_permitted);
}

Test(hostile, T37_fast_open_cookies_of_any_length_are_ignored)
{
    scene_listen(&scene, 0);
    /* Without timestamps, a cookie has no room for SACK. */
    cr_assert_eq(tcp_set("ipv4.tcp_syncookies", "0"), 0);
    for (uint8_t length = 2; length <= 36; length++) {
        uint8_t option[40] = {34, length};
        option[length] = 4; /* SACK permitted */
        option[length + 1] = 2;
        peer->port = (uint16_t)(3000 + length);
        send_options(S, option, (size_t)(length + 5) / 4 * 4);
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.flags, S | A);
        cr_assert_eq(peer->got.ack, peer->seq + 1);
        cr_assert(peer->got.has_sack_permitted, "what follows is read");
    }
}

Test(hostile, T38_reserved_bits_and_ecn_mixes_on_a_syn_are_not_mirrored)
{
    scene_listen(&scene, 0);
    /* Without timestamps, a cookie has no room for ECN. */
    cr_assert_eq(tcp_set("ipv4.tcp_syncookies", "0"), 0);
    for (uint16_t bits = 0; bits < 64; bits++) {
        peer->port = (uint16_t)(3000 + bits);
        dialogue_send(peer, (uint16_t)(S | bits << 6), 1, 0, NULL, 0);
        cr_assert(dialogue_take(peer));
        /* ECE and CWR together ask for ECN; ECE alone grants it. */
        cr_assert_eq(peer->got.flags, S | A | ((bits & 3) == 3 ? 0x40 : 0));
        world_run_for(NS_PER_US);
    }
}

Test(hostile, T39_a_segment_shorter_than_its_header_is_dropped)
{
    static const uint8_t bytes[32] = {0, 80, 0, 80, [12] = 0x50};
    scene_established(&scene, 0);
    for (size_t length = 0; length < 20; length++)
        remote_send_ip(scene.bench.remote, 6, bytes, length);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(drop_count(DROP_TCP_SHORT), 20);
}
