/* SPDX-License-Identifier: MIT */
/*
 * Requirements of RFC 9293 appendix B and RFC 7323 about segments, as far as
 * no other test shows them: options, windows, flags, addresses, ICMP.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "net/wire/tcp.h"
#include "tests/host/scene.h"

enum {
    ICMP = 1,
    ICMP_UNREACHABLE = 3,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ETHERNET = 14,
};

static struct scene scene;
static struct dialogue *const peer = &scene.peer;

/* A segment of the dialogue with options of its own. */
static struct segment segment_with(uint16_t flags, const uint8_t *options,
                                   size_t options_length)
{
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = peer->ack,
        .flags = flags,
        .window = peer->window,
        .options_length = options_length,
    };

    memcpy(segment.options, options, options_length);
    return segment;
}

static void be32_put(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* covers: MUST-1 */
Test(tcp_conformance, a_window_above_32767_is_no_negative_number)
{
    uint32_t received = 0;

    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 200000) > 65535, true);
    /* Slow start fills the window; nothing beyond the first 65,535 bytes is
     * offered, all of these may be in flight. */
    peer->window = 65535;
    uint32_t first = peer->ack;
    while (received < 120000 && dialogue_take_within(peer, NS_PER_MS)) {
        received = peer->got.seq + (uint32_t)peer->got.payload_length - first;
        peer->ack = first + received;
        dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    }
    uint32_t most = scene_status(&scene).flight;
    cr_assert_gt(most, 32767, "%u in flight", most);
}

/* covers: MUST-5 MUST-6 */
Test(tcp_conformance, an_unknown_option_may_come_with_any_segment)
{
    static const uint8_t unknown[4] = {0xbe, 4, 1, 2};
    char bytes[8];

    scene_established(&scene, 0);
    struct segment segment = segment_with(A | P, unknown, sizeof(unknown));
    segment.payload = (const uint8_t *)"text";
    segment.payload_length = 4;
    remote_send(peer->remote, &segment);
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 4);
    peer->seq += 4;
    segment = segment_with(F | A, unknown, sizeof(unknown));
    remote_send(peer->remote, &segment);
    peer->seq++;
    cr_assert_eq(scene_state(&scene), TCP_CLOSE_WAIT);
    segment = segment_with(R, unknown, sizeof(unknown));
    remote_send(peer->remote, &segment);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
}

/* covers: MUST-64 */
Test(tcp_conformance, options_are_read_wherever_they_begin)
{
    static const uint8_t nop = 1;
    static const uint8_t mss[4] = {2, 4, 700 >> 8, 700 & 0xff};
    static const uint8_t timestamps[10] = {8, 10, 0, 0, 0, 9, 0, 0, 0, 0};

    scene_listen(&scene, 0);
    for (size_t shift = 0; shift < 4; shift++) {
        uint8_t options[REMOTE_OPTIONS] = {0};
        size_t length = 0;
        while (length < shift)
            options[length++] = nop;
        memcpy(options + length, mss, sizeof(mss));
        length += sizeof(mss);
        memcpy(options + length, timestamps, sizeof(timestamps));
        length += sizeof(timestamps);
        peer->port++;
        struct segment segment = segment_with(S, options, length);
        remote_send(peer->remote, &segment);
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.flags, S | A);
        cr_assert(peer->got.has_timestamp, "shift %zu", shift);
        cr_assert_eq(peer->got.tsecr, 9, "shift %zu", shift);
    }
}

/* covers: MUST-65 RFC7323-2.2.1 RFC7323-3.2.1 RFC7323-3.2.3 */
Test(tcp_conformance, after_the_handshake_there_are_timestamps_and_no_mss)
{
    unsigned seen = 0;

    scene_established(&scene, SCENE_TIMESTAMPS | SCENE_SACK | SCENE_SCALE);
    cr_assert_eq(scene_write_pattern(&scene, 5000), 5000);
    scene_says(&scene, A | P, "text", 4);
    scene_close(&scene);
    while (dialogue_take_within(peer, 10 * NS_PER_MS)) {
        const struct segment *got = &peer->got;
        seen++;
        cr_assert_eq(got->mss, 0);
        cr_assert_not(got->has_sack_permitted);
        cr_assert_not(got->has_window_scale);
        if ((got->flags & R) != 0)
            continue;
        cr_assert(got->has_timestamp);
        /* RFC 7323 appendix A: two no-operations before it. */
        cr_assert_eq(got->options_length % 4, 0);
        cr_assert_eq(memcmp(got->options, "\1\1\10\12", 4), 0);
    }
    cr_assert_gt(seen, 3);
}

/* covers: MUST-68 MUST-69 */
Test(tcp_conformance, options_are_padded_to_words_with_nothing)
{
    for (unsigned set = 0; set < 16; set++) {
        uint8_t bytes[TCP_OPTIONS_MAX];
        const struct tcp_header_options options = {
            .mss = (set & 1) != 0 ? 1460 : 0,
            .has_window_scale = (set & 2) != 0,
            .window_scale = 7,
            .has_sack_permitted = (set & 4) != 0,
            .has_timestamp = (set & 8) != 0,
        };
        static const uint8_t known[] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};
        memset(bytes, 0xff, sizeof(bytes));
        size_t length = tcp_options_emit(&options, bytes);
        cr_assert_eq(length % 4, 0);
        for (size_t at = 0; at < length;) {
            if (bytes[at] <= 1) {
                at++; /* end or no-operation */
                continue;
            }
            cr_assert_lt(bytes[at], sizeof(known));
            cr_assert_eq(bytes[at + 1], known[bytes[at]]);
            at += bytes[at + 1];
        }
    }
}

/* covers: MUST-61 */
Test(tcp_conformance, the_last_segment_of_what_is_queued_has_psh)
{
    uint32_t left = 4000;

    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, left), (int)left);
    while (left != 0) {
        cr_assert(dialogue_take(peer));
        left -= (uint32_t)peer->got.payload_length;
        cr_assert_eq((peer->got.flags & P) != 0, left == 0);
    }
}

/* Text until the window is shut; the remote knows from its ACKs. */
static void shut_the_window(void)
{
    static const uint8_t text[1000];

    do {
        scene_says(&scene, A, text,
                   peer->got.window < sizeof(text) && peer->got.window != 0
                       ? peer->got.window
                       : sizeof(text));
        cr_assert(dialogue_take_within(peer, NS_PER_S));
        while (dialogue_take(peer)) {
        }
    } while (peer->got.window != 0);
    cr_assert_eq(peer->got.ack, peer->seq);
}

static void start_with_small_buffer(void)
{
    scene_listen(&scene, 0);
    tcp_listener_options(scene.listener)->receive_buffer = 8000;
    cr_assert(dialogue_open(peer));
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
}

/* covers: MUST-66 */
Test(tcp_conformance, an_ack_counts_with_our_window_shut)
{
    start_with_small_buffer();
    shut_the_window();
    cr_assert_eq(scene_write(&scene, "0123456789", 10, 0), 10);
    cr_assert(dialogue_take(peer));
    peer->ack += 10;
    dialogue_send(peer, A | U, peer->seq, peer->ack, "x", 1);
    cr_assert_eq(scene_status(&scene).flight, 0);
}

/* covers: MUST-66 */
Test(tcp_conformance, a_reset_counts_with_our_window_shut)
{
    start_with_small_buffer();
    shut_the_window();
    dialogue_send(peer, R, peer->seq, 0, NULL, 0);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
}

static struct frame *held[8];
static size_t held_count;

static void hold(struct world_port *port, struct frame *frame)
{
    (void)port;
    held[held_count++] = frame;
}

/* covers: MUST-58 MUST-59 */
Test(tcp_conformance, what_came_together_is_acknowledged_once)
{
    static const uint8_t text[SCENE_MSS];

    scene_established(&scene, 0);
    /* Eight full segments are in the card's ring when it is looked at. */
    struct world_port *port = &scene.bench.device->port;
    void (*arrive)(struct world_port *, struct frame *) = port->arrive;
    port->arrive = hold;
    for (unsigned i = 0; i < 8; i++)
        scene_says(&scene, A, text, sizeof(text));
    cr_assert_eq(held_count, 8);
    port->arrive = arrive;
    for (unsigned i = 0; i < 8; i++)
        arrive(port, held[i]);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, peer->seq);
    cr_assert(scene_is_silent(&scene));
}

/* covers: MUST-57 */
Test(tcp_conformance, a_syn_to_many_is_dropped_in_silence)
{
    static const uint32_t targets[] = {0x0a0000ff, 0xffffffff, 0xe0000001};

    scene_listen(&scene, 0);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        peer->remote->target = targets[i];
        dialogue_send(peer, S, peer->seq, 0, NULL, 0);
        dialogue_send(peer, A, peer->seq, 1, NULL, 0);
        cr_assert(scene_is_silent_for(&scene, NS_PER_S), "%zu", i);
    }
    cr_assert_eq(scene_counter("tcp_connections{state=\"syn-received\"}"), 0);
    peer->remote->target = 0x0a000001;
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer), "the listener is there");
}

/* covers: MUST-50 */
Test(tcp_conformance, ip_options_do_not_disturb)
{
    uint8_t frame[ETHERNET + 24 + 20] = {0};
    uint8_t *ip = frame + ETHERNET;
    uint8_t *tcp = ip + 24;
    uint32_t sum = 0;

    scene_listen(&scene, 0);
    memcpy(frame, peer->remote->target_mac, 6);
    memcpy(frame + 6, peer->remote->mac, 6);
    frame[12] = 8;
    memcpy(ip, (uint8_t[]){0x46, 0, 0, 44, 0, 0, 0, 0, 64, 6}, 10);
    be32_put(ip + 12, peer->remote->address);
    be32_put(ip + 16, peer->remote->target);
    be32_put(ip + 20, 0x5e040102); /* kind 94 means nothing to anybody */
    for (size_t i = 0; i < 24; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = ~((sum & 0xffff) + (sum >> 16));
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
    memcpy(tcp, (uint8_t[]){0x9c, 0x40, 0, SCENE_PORT}, 4);
    memcpy(tcp + 12, (uint8_t[]){0x50, S, 0x20, 0}, 4);
    sum = 6 + 20;
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)tcp[i] << 8 | tcp[i + 1];
    for (size_t i = 12; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    tcp[16] = (uint8_t)(sum >> 8);
    tcp[17] = (uint8_t)sum;
    remote_send_frame(peer->remote, frame, sizeof(frame));
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
}

/* An ICMP error that quotes what the stack sends next. */
static void send_icmp(uint8_t type, uint8_t code)
{
    uint8_t icmp[8 + 28] = {type, code, 0, 0, 0, 0, 0, 0, 0x45};
    uint8_t *ip = icmp + 8;
    uint32_t sum = 0;

    ip[3] = 60;
    ip[8] = 64;
    ip[9] = 6;
    be32_put(ip + 12, peer->remote->target);
    be32_put(ip + 16, peer->remote->address);
    be32_put(ip + 20, (uint32_t)peer->local_port << 16 | peer->port);
    be32_put(ip + 24, peer->ack);
    for (size_t i = 0; i < sizeof(icmp); i += 2)
        sum += (uint32_t)icmp[i] << 8 | icmp[i + 1];
    sum = ~((sum & 0xffff) + (sum >> 16));
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    remote_send_ip(peer->remote, ICMP, icmp, sizeof(icmp));
}

/* covers: MUST-56 */
Test(tcp_conformance, icmp_about_the_way_does_not_end_a_connection)
{
    static const uint8_t messages[][2] = {
        {ICMP_UNREACHABLE, 0},   {ICMP_UNREACHABLE, 1},
        {ICMP_UNREACHABLE, 5},   {ICMP_TIME_EXCEEDED, 0},
        {ICMP_TIME_EXCEEDED, 1}, {ICMP_PARAMETER_PROBLEM, 0},
    };

    scene_established(&scene, 0);
    cr_assert_eq(scene_write(&scene, "0123456789", 10, 0), 10);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        send_icmp(messages[i][0], messages[i][1]);
        cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED, "%zu", i);
    }
    cr_assert_not(scene.notified & TCP_FAILED);
    remote_forget(peer->remote);
    cr_assert(dialogue_take_within(peer, 3 * NS_PER_S), "it is sent again");
    cr_assert_eq(scene_counter("tcp_icmp_ignored_total"), 0);
}

/* covers: SHLD-25 */
Test(tcp_conformance, what_icmp_said_is_the_error_when_it_ends)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_USER_TIMEOUT_MS, 3000), 0);
    cr_assert_eq(scene_write(&scene, "0123456789", 10, 0), 10);
    send_icmp(ICMP_UNREACHABLE, 1);
    world_run_for(10 * NS_PER_S);
    cr_assert_eq(scene_state(&scene), TCP_CLOSED);
    cr_assert_eq(tcp_take_error(scene.connection), EHOSTUNREACH);
}

/* covers: SHLD-17 */
Test(tcp_conformance, data_beyond_a_shrunken_window_does_not_time_out)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 3000), 3000);
    peer->window = 0;
    /* Shut in the middle of what was sent; every probe is answered. */
    peer->ack += SCENE_MSS;
    dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    uint64_t end = world_now() + 3600 * NS_PER_S;
    while (world_now() < end) {
        if (dialogue_take_within(peer, 200 * NS_PER_S))
            dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
        cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    }
    peer->window = 65535;
    remote_forget(peer->remote);
    dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    cr_assert(dialogue_take_within(peer, 200 * NS_PER_S));
    cr_assert_eq(peer->got.seq, peer->ack);
    cr_assert_gt(peer->got.payload_length, 1);
}
