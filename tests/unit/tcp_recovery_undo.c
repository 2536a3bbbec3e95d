/* SPDX-License-Identifier: MIT */
/*
 * Duplicates told and understood (RFC 2883), and reductions taken back that
 * were in vain: by timestamps (RFC 3522), by DSACK (RFC 3708), by F-RTO (RFC
 * 5682). And what a hostile peer's blocks can do: nothing.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "net/limits.h"
#include "net/tcp/span.h"
#include "tests/host/scene.h"

enum {
    FLIGHT = 10,
    RTT_MS = 100,
    WITHOUT_PROBES = 1 << 8,
};

static struct scene scene;
static struct dialogue *const peer = &scene.peer;
static uint32_t first; /* number of segment 0 */
static uint32_t mss;

static void put32(uint8_t **at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        *(*at)++ = (uint8_t)(value >> (24 - 8 * i));
}

/* A segment with blocks of absolute numbers, and an echoed timestamp. */
static void says(uint32_t ack, uint32_t echo, const uint32_t *edges, int blocks)
{
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = ack,
        .flags = A,
        .window = peer->window,
    };
    uint8_t *at = segment.options;

    if (peer->has_timestamps) {
        *at++ = 1;
        *at++ = 1;
        *at++ = 8;
        *at++ = 10;
        put32(&at, ++peer->tsval);
        put32(&at, echo);
    }
    if (blocks != 0) {
        *at++ = 1;
        *at++ = 1;
        *at++ = 5;
        *at++ = (uint8_t)(2 + 8 * blocks);
        for (int i = 0; i < 2 * blocks; i++)
            put32(&at, edges[i]);
    }
    segment.options_length = (size_t)(at - segment.options);
    remote_send(peer->remote, &segment);
}

/* Segments [from, to) are held, all before `next` too. */
static void holds(unsigned next, uint32_t echo, unsigned from, unsigned to)
{
    const uint32_t edges[2] = {first + from * mss, first + to * mss};

    says(first + next * mss, echo, edges, from != to);
}

static void switch_off(const char *name)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);

    cr_assert_eq(call->net_set(name, "0"), 0);
    world_leave(scene.bench.stack);
}

static void answer_octet(void)
{
    first++;
    says(first, peer->got.tsval, NULL, 0);
}

static void start(unsigned flags)
{
    scene_established(&scene, SCENE_SACK | (flags & SCENE_TIMESTAMPS));
    if ((flags & WITHOUT_PROBES) != 0)
        switch_off("ipv4.tcp_early_retrans");
    mss = scene_status(&scene).send_mss;
    first = peer->ack;
    /* Round trips of 100 ms are measured first. */
    scene_measure(&scene, RTT_MS * NS_PER_MS, answer_octet);
    scene_write_pattern(&scene, FLIGHT * mss);
    for (unsigned i = 0; i < FLIGHT; i++) {
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.seq, first + i * mss);
    }
}

static unsigned number(void)
{
    return (peer->got.seq - first) / mss;
}

static uint32_t window(void)
{
    return scene_status(&scene).congestion_window;
}

/* The peer holds 1, 2, 3: segment 0 comes again, the window shrinks. */
static uint32_t lose_first(void)
{
    uint32_t before = window();
    uint32_t original = peer->got.tsval;

    world_run_for(RTT_MS * NS_PER_MS);
    holds(0, original, 1, 4);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 0);
    cr_assert_lt(scene_status(&scene).slow_start_threshold, before);
    cr_assert_eq(scene_counter("tcp_fast_retransmits_total"), 1);
    return original;
}

/* --- undo ----------------------------------------------------------------- */

Test(tcp_recovery_undo, an_echo_older_than_the_retransmission_undoes_it)
{
    start(SCENE_TIMESTAMPS);
    uint32_t before = window();
    uint32_t original = lose_first();
    world_run_for(5 * NS_PER_MS);
    holds(4, original, 0, 0);
    cr_assert_geq(window(), before);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 1);
}

Test(tcp_recovery_undo, an_echo_of_the_retransmission_does_not)
{
    start(SCENE_TIMESTAMPS);
    uint32_t before = window();
    (void)lose_first();
    uint32_t again = peer->got.tsval;
    world_run_for(RTT_MS * NS_PER_MS);
    holds(4, again, 0, 0);
    cr_assert_lt(window(), before);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 0);
}

Test(tcp_recovery_undo, nothing_is_undone_when_switched_off)
{
    start(SCENE_TIMESTAMPS);
    switch_off("ipv4.tcp_undo");
    uint32_t original = lose_first();
    world_run_for(5 * NS_PER_MS);
    holds(4, original, 0, 0);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 0);
}

/* covers: RFC2883-5.1 */
Test(tcp_recovery_undo, a_dsack_for_all_that_was_repeated_undoes_it)
{
    start(0);
    uint32_t before = window();
    (void)lose_first();
    world_run_for(5 * NS_PER_MS);
    holds(4, 0, 0, 0);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 0);
    world_run_for(RTT_MS * NS_PER_MS);
    holds(4, 0, 0, 1);
    cr_assert_eq(scene_counter("tcp_dsacks_received_total"), 1);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 1);
    cr_assert_geq(window(), before);
}

/* covers: RFC2883-5.2 */
Test(tcp_recovery_undo, a_dsack_for_what_was_not_repeated_does_not)
{
    start(0);
    (void)lose_first();
    holds(4, 0, 0, 0);
    /* Before this episode began. */
    const uint32_t old[2] = {first - 1, first};
    says(first + 4 * mss, 0, old, 1);
    cr_assert_eq(scene_counter("tcp_dsacks_received_total"), 1);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 0);
}

/* --- F-RTO ---------------------------------------------------------------- */

/* Nothing is heard until the timer expires; the probe is passed over. */
static void time_out(void)
{
    uint64_t timeouts = scene_counter("tcp_timeouts_total");

    while (scene_counter("tcp_timeouts_total") == timeouts)
        cr_assert(dialogue_take_within(peer, 3 * NS_PER_S));
    while (dialogue_take(peer))
        ;
    cr_assert_eq(number(), 0);
}

/* covers: RFC5682-3.1.3 */
Test(tcp_recovery_frto, acks_of_what_was_sent_once_tell_a_spurious_timeout)
{
    start(WITHOUT_PROBES);
    uint32_t before = window();
    time_out();
    cr_assert_eq(window(), mss);
    /* The originals were only late. */
    holds(2, 0, 0, 0);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 1);
    cr_assert_geq(window(), before);
    cr_assert(scene_is_silent(&scene));
    holds(10, 0, 0, 0);
    cr_assert_eq(scene_status(&scene).retransmits, 1);
}

/* covers: RFC5682-3.1.2 */
Test(tcp_recovery_frto, new_data_goes_before_the_rest_is_repeated)
{
    start(WITHOUT_PROBES);
    scene_write_pattern(&scene, 4 * mss);
    time_out();
    holds(1, 0, 0, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 10);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 11);
    cr_assert(scene_is_silent(&scene));
    /* Only the new arrived: the timeout was right. */
    world_run_for(RTT_MS * NS_PER_MS);
    holds(1, 0, 10, 12);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 1);
    cr_assert_eq(scene_counter("tcp_undone_reductions_total"), 0);
}

/* covers: RFC5682-3.1.1 */
Test(tcp_recovery_frto, without_it_the_rest_is_repeated_at_once)
{
    start(WITHOUT_PROBES);
    switch_off("ipv4.tcp_frto");
    scene_write_pattern(&scene, 4 * mss);
    time_out();
    holds(1, 0, 0, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 1);
}

/* --- PRR ------------------------------------------------------------------ */

/* RFC 9937: what leaves during recovery is ssthresh / RecoverFS of what was
 * delivered, spread over it, not a silence and then a burst. */
Test(tcp_recovery_prr, recovery_sends_in_proportion_to_what_arrives)
{
    unsigned sent = 1; /* the fast retransmit, taken below */

    start(0);
    scene_write_pattern(&scene, 20 * mss);
    (void)lose_first();
    while (dialogue_take(peer))
        sent++;
    for (unsigned to = 5; to <= FLIGHT; to++) {
        unsigned now = 0;
        holds(0, 0, 1, to);
        while (dialogue_take(peer))
            now++;
        cr_assert_leq(now, 2, "a burst of %u", now);
        sent += now;
    }
    /* Nine delivered; CUBIC's beta is 0.7. */
    cr_assert_geq(sent, 5);
    cr_assert_leq(sent, 8);
}

/* --- DSACK, the receiver -------------------------------------------------- */

static void takes_block(uint32_t left, uint32_t right, unsigned which)
{
    cr_assert_gt(peer->got.sack_count, which);
    cr_assert_eq(peer->got.sack[which][0], left);
    cr_assert_eq(peer->got.sack[which][1], right);
}

/* RFC 2883 4.1.1. */
/* covers: RFC2883-4.1 */
Test(tcp_recovery_dsack, a_whole_segment_again_is_told_once)
{
    scene_established(&scene, SCENE_SACK);
    uint32_t seq = peer->seq;
    scene_says(&scene, A, "hello", 5);
    world_run_for(NS_PER_S);
    remote_forget(peer->remote);
    dialogue_send(peer, A, seq, peer->ack, "hello", 5);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, seq + 5);
    cr_assert_eq(peer->got.sack_count, 1);
    takes_block(seq, seq + 5, 0);
    scene_says(&scene, A, "x", 1);
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.sack_count, 0);
}

/* 4.1.2 */
/* covers: RFC2883-4.2 */
Test(tcp_recovery_dsack, the_part_that_came_before_is_told)
{
    scene_established(&scene, SCENE_SACK);
    uint32_t seq = peer->seq;
    scene_says(&scene, A, "hello", 5);
    world_run_for(NS_PER_S);
    remote_forget(peer->remote);
    dialogue_send(peer, A, seq + 2, peer->ack, "llo you", 7);
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.ack, seq + 9);
    takes_block(seq + 2, seq + 5, 0);
}

/* 4.1.3 */
/* covers: RFC2883-4.3 */
Test(tcp_recovery_dsack, a_duplicate_above_a_hole_comes_before_its_block)
{
    scene_established(&scene, SCENE_SACK);
    uint32_t seq = peer->seq;
    dialogue_send(peer, A, seq + 10, peer->ack, "0123456789", 10);
    cr_assert(dialogue_take(peer));
    takes_block(seq + 10, seq + 20, 0);
    dialogue_send(peer, A, seq + 12, peer->ack, "23456", 5);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.ack, seq);
    cr_assert_eq(peer->got.sack_count, 2);
    takes_block(seq + 12, seq + 17, 0);
    takes_block(seq + 10, seq + 20, 1);
}

/* What comes from now on within a millisecond is one turn's. */
static void in_one_turn(void)
{
    remote_forget(peer->remote);
    scene.bench.device->moderation_ns = NS_PER_MS;
}

static void repeats_three(unsigned a, unsigned b, unsigned c)
{
    static const char text[] = "first, second, third";
    const unsigned order[] = {a, b, c};

    scene_established(&scene, SCENE_SACK);
    uint32_t seq = peer->seq;
    scene_says(&scene, A, text, 20);
    world_run_for(NS_PER_S);
    in_one_turn();
    for (size_t i = 0; i < 3; i++)
        dialogue_send(peer, A, seq + 5 * order[i], peer->ack,
                      text + 5 * order[i], 5);
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.ack, seq + 20);
    cr_assert_eq(peer->got.sack_count, 1);
    takes_block(seq, seq + 15, 0);
    cr_assert_not(dialogue_take_within(peer, NS_PER_S));
}

/* One ACK answers what came in one turn. A peer counts the octets it tells. */
/* covers: RFC2883-4.4 */
Test(tcp_recovery_dsack, duplicates_that_follow_each_other_are_one)
{
    repeats_three(0, 1, 2);
}

Test(tcp_recovery_dsack, duplicates_are_one_also_from_the_last_to_the_first)
{
    repeats_three(2, 1, 0);
}

Test(tcp_recovery_dsack, of_duplicates_apart_the_last_is_told)
{
    scene_established(&scene, SCENE_SACK);
    uint32_t seq = peer->seq;
    scene_says(&scene, A, "first, second, third", 20);
    world_run_for(NS_PER_S);
    in_one_turn();
    dialogue_send(peer, A, seq, peer->ack, "first", 5);
    dialogue_send(peer, A, seq + 10, peer->ack, "ond,", 4);
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    takes_block(seq + 10, seq + 14, 0);
    cr_assert_not(dialogue_take_within(peer, NS_PER_S));
}

Test(tcp_recovery_dsack, none_is_told_when_switched_off)
{
    scene_established(&scene, SCENE_SACK);
    switch_off("ipv4.tcp_dsack");
    uint32_t seq = peer->seq;
    scene_says(&scene, A, "hello", 5);
    world_run_for(NS_PER_S);
    remote_forget(peer->remote);
    dialogue_send(peer, A, seq, peer->ack, "hello", 5);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.sack_count, 0);
}

/* --- hostile -------------------------------------------------------------- */

Test(tcp_recovery_hostile, hostile_T10_blocks_of_nonsense_change_nothing)
{
    start(0);
    const uint32_t edges[][2] = {
        {first + 3 * mss, first + 3 * mss},          /* empty */
        {first + 5 * mss, first + 2 * mss},          /* reversed */
        {first + 5 * mss, first + FLIGHT * mss + 1}, /* never sent */
        {first - mss, first + mss},                  /* across SND.UNA */
        {first + 0x80000000U, first + 0x80000010U},
        {first - 0x40000000U, first - 0x3ffffff0U},
    };
    for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
        for (unsigned times = 0; times < 5; times++)
            says(first, 0, edges[i], 1);
    cr_assert(scene_is_silent(&scene));
    cr_assert_eq(scene_counter("tcp_fast_retransmits_total"), 0);
    says(first + FLIGHT * mss, 0, NULL, 0);
    cr_assert(scene_is_silent_for(&scene, 3 * NS_PER_S));
}

/* What one turn sends again is bounded; the rest follows in others. */
static size_t sent_in_one_turn(uint64_t duration_ns)
{
    uint64_t until = world_now() + duration_ns;
    size_t most = 0;
    bool goes_on = true;

    while (goes_on && world_now() < until) {
        uint64_t before = scene_counter("tcp_retransmitted_segments_total");
        goes_on = world_step(until);
        uint64_t sent =
            scene_counter("tcp_retransmitted_segments_total") - before;
        most = sent > most ? sent : most;
    }
    return most;
}

Test(tcp_recovery_hostile, hostile_T4_blocks_of_one_byte_end_in_a_transfer)
{
    start(0);
    scene_write_pattern(&scene, 40 * mss);
    for (uint32_t i = 1; i < FLIGHT * mss; i += 2) {
        const uint32_t edges[2] = {first + i, first + i + 1};
        says(first, 0, edges, 1);
    }
    remote_forget(peer->remote);
    cr_assert_leq(spans_used(), TCP_SPANS_MAX);
    cr_assert_leq(sent_in_one_turn(NS_PER_S), TCP_TURN_STEPS / TCP_TURN_PACKET);
    remote_forget(peer->remote);
    /* It goes on as if nothing had been. */
    for (int i = 0; i < 200 && scene_status(&scene).write_queued != 0; i++) {
        struct tcp_status status = scene_status(&scene);
        says(first + 50 * mss - status.write_queued + status.flight, 0, NULL,
             0);
        world_run_for(10 * NS_PER_MS);
    }
    cr_assert_eq(scene_status(&scene).write_queued, 0);
}

Test(tcp_recovery_hostile, hostile_T11_a_peer_that_reneges_gets_all_again)
{
    uint8_t came[FLIGHT] = {0};

    start(0);
    world_run_for(RTT_MS * NS_PER_MS);
    holds(0, 0, 1, FLIGHT);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(number(), 0);
    /* It takes that, and has forgotten the rest. */
    unsigned next = 1;
    world_run_for(RTT_MS * NS_PER_MS);
    holds(next, 0, 0, 0);
    for (int i = 0; i < 100 && next < FLIGHT; i++) {
        if (!dialogue_take_within(peer, 10 * NS_PER_S))
            break;
        came[number()]++;
        if (number() == next)
            next++;
        holds(next, 0, 0, 0);
    }
    cr_assert_eq(next, (unsigned)FLIGHT);
    for (unsigned i = 1; i < FLIGHT; i++)
        cr_assert_geq(came[i], 1, "segment %u", i);
}
