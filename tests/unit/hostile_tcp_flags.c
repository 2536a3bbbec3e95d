/* SPDX-License-Identifier: MIT */
/*
 * Every combination of the six flags in every state, asserted one by one.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/wire/sequence.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

/* ---- T12: every combination of the six flags in every state -------------- */

static const enum tcp_state all_states[] = {
    TCP_SYN_SENT,   TCP_ESTABLISHED, TCP_FIN_WAIT_1, TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT, TCP_CLOSING,     TCP_LAST_ACK,   TCP_TIME_WAIT};

/* What RFC 9293 3.10.7.4, with RFC 5961, makes of an empty segment with these
 * flags at RCV.NXT that acknowledges nothing new. */
static enum tcp_state expected_state(enum tcp_state state, unsigned flags)
{
    if (state == TCP_TIME_WAIT)
        return TCP_TIME_WAIT;
    if (flags & S)
        return flags & R ? TCP_CLOSED : state; /* the RST comes first */
    if (flags & R)
        return TCP_CLOSED;
    if (!(flags & A) || !(flags & F))
        return state;
    if (state == TCP_ESTABLISHED)
        return TCP_CLOSE_WAIT;
    if (state == TCP_FIN_WAIT_1)
        return TCP_CLOSING;
    return state == TCP_FIN_WAIT_2 ? TCP_TIME_WAIT : state;
}

static enum tcp_state syn_sent_expected(unsigned flags)
{
    if (flags & R)
        return flags & A ? TCP_CLOSED : TCP_SYN_SENT;
    if (!(flags & S))
        return TCP_SYN_SENT;
    if (!(flags & A))
        return TCP_SYN_RECEIVED;
    return flags & F ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
}

static bool is_in(enum tcp_state state)
{
    return scene_state(&scene) == state ||
           (state == TCP_TIME_WAIT && scene_state(&scene) == TCP_CLOSED &&
            scene_counter("tcp_connections{state=\"time-wait\"}") == 1);
}

/* In a process of its own, which Criterion does not know of. */
static bool passes_flags(enum tcp_state state, unsigned flags)
{
    enum tcp_state expected;

    if (state == TCP_SYN_SENT) {
        scene_syn_sent(&scene, 0);
        expected = syn_sent_expected(flags);
    } else {
        scene_in_state(&scene, state, 0);
        expected = expected_state(state, flags);
        /* Our FIN, if it is out and not acknowledged, stays so. */
        if (state == TCP_FIN_WAIT_1 || state == TCP_CLOSING ||
            state == TCP_LAST_ACK)
            peer->ack--;
    }
    dialogue_send(peer, (uint16_t)flags, peer->seq, peer->ack, NULL, 0);
    world_run_for(NS_PER_MS);
    if (is_in(expected))
        return true;
    fprintf(stderr, "%s, flags %02x: %s instead of %s\n", tcp_state_name(state),
            flags, tcp_state_name(scene_state(&scene)),
            tcp_state_name(expected));
    return false;
}

/* A stack lives once per process, and each test is one: a state each. */
#define FLAG_TEST(name, state)                                                 \
    Test(hostile, T12_##name)                                                  \
    {                                                                          \
        for (unsigned flags = 0; flags < 64; flags++)                          \
            check_in_child(state, flags);                                      \
    }

#include <sys/wait.h>
#include <unistd.h>

static void check_in_child(enum tcp_state state, unsigned flags)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        _exit(passes_flags(state, flags) ? 0 : 1);
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s, flags %02x",
              tcp_state_name(state), flags);
}

FLAG_TEST(all_flags_in_syn_sent, all_states[0])
FLAG_TEST(all_flags_in_established, all_states[1])
FLAG_TEST(all_flags_in_fin_wait_1, all_states[2])
FLAG_TEST(all_flags_in_fin_wait_2, all_states[3])
FLAG_TEST(all_flags_in_close_wait, all_states[4])
FLAG_TEST(all_flags_in_closing, all_states[5])
FLAG_TEST(all_flags_in_last_ack, all_states[6])
FLAG_TEST(all_flags_in_time_wait, all_states[7])

Test(hostile, T12_all_flags_at_a_listener)
{
    scene_listen(&scene, 0);
    for (unsigned flags = 0; flags < 64; flags++) {
        peer->port = (uint16_t)(1000 + flags);
        dialogue_send(peer, (uint16_t)flags, 77, 99, NULL, 0);
        bool answered = dialogue_take(peer);
        if (flags & R) {
            cr_assert_not(answered, "flags %02x", flags);
        } else if (flags & A) {
            cr_assert(answered && peer->got.flags == R, "flags %02x", flags);
            cr_assert_eq(peer->got.seq, 99);
        } else if ((flags & (S | F)) == S) {
            cr_assert(answered && peer->got.flags == (S | A), "flags %02x",
                      flags);
        } else {
            cr_assert_not(answered, "flags %02x", flags);
        }
    }
}

Test(hostile, T12_all_flags_at_a_half_open_connection)
{
    scene_listen(&scene, 0);
    cr_assert_eq(tcp_set("ipv4.tcp_syncookies", "0"), 0);
    for (unsigned flags = 0; flags < 64; flags++) {
        peer->port = (uint16_t)(1000 + flags);
        dialogue_send(peer, S, 77, 0, NULL, 0);
        cr_assert(dialogue_take(peer));
        uint32_t ack = peer->got.seq + 1;
        uint64_t before =
            scene_counter("tcp_connections{state=\"syn-received\"}");
        dialogue_send(peer, (uint16_t)flags, 78, ack, NULL, 0);
        uint64_t after =
            scene_counter("tcp_connections{state=\"syn-received\"}");
        bool leaves = (flags & R) || ((flags & (S | A)) == A);
        cr_assert_eq(before - after, leaves, "flags %02x: %lu of %lu left",
                     flags, before - after, before);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
        const struct stack_functions *call = world_enter(scene.bench.stack);
        struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
        if (c != NULL)
            call->tcp_abort(c);
        world_leave(scene.bench.stack);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
}

Test(hostile, T12_all_flags_at_a_closed_port)
{
    scene_listen(&scene, 0);
    peer->local_port = 81;
    for (unsigned flags = 0; flags < 64; flags++) {
        dialogue_send(peer, (uint16_t)flags, 77, 99, "abc", 3);
        bool answered = dialogue_take(peer);
        cr_assert_eq(answered, !(flags & R), "flags %02x", flags);
        if (answered && (flags & A)) {
            cr_assert_eq(peer->got.flags, R);
            cr_assert_eq(peer->got.seq, 99);
        } else if (answered) {
            unsigned space = 3U + (flags & S ? 1U : 0U) + (flags & F ? 1U : 0U);
            cr_assert_eq(peer->got.flags, R | A);
            cr_assert_eq(peer->got.seq, 0);
            cr_assert_eq(peer->got.ack, 77 + space);
        }
    }
}

Test(hostile, T12_data_without_ack_is_not_taken)
{
    scene_established(&scene, 0);
    dialogue_send(peer, P, peer->seq, 0, "data", 4);
    cr_assert_eq(tcp_read_queued(scene.connection), 0);
    cr_assert(scene_is_silent_for(&scene, NS_PER_S));
}

Test(hostile, T13_syn_ack_or_ack_to_a_listener_is_reset)
{
    scene_listen(&scene, 0);
    dialogue_send(peer, S | A, 10, 20, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(peer->got.seq, 20);
    dialogue_send(peer, A, 10, 30, "x", 1);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(peer->got.seq, 30);
}
