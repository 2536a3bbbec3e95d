/* SPDX-License-Identifier: MIT */
/*
 * SYN cookies (RFC 4987), and what a flood of SYNs may cost others.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "net/ip/route.h"
#include "net/limits.h"
#include "tests/host/scene.h"

static struct scene scene;

#define peer (&scene.peer)

static void set(const char *name, const char *value)
{
    cr_assert_eq(scene.bench.stack->call->net_set(name, value), 0);
}

static void listen_with_cookies(unsigned flags)
{
    scene_listen(&scene, flags);
    set("ipv4.tcp_syncookies", "2");
}

static void accept_it(void)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
}

static uint64_t half_open(void)
{
    return scene_counter("tcp_connections{state=\"syn-received\"}");
}

static uint64_t failed(void)
{
    return scene_counter("tcp_syncookies_failed_total");
}

/* The SYN and its answer; the ACK is not sent. */
static uint32_t ask(void)
{
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
    return peer->got.seq;
}

Test(tcp_cookie, past_the_backlog_nothing_is_kept_of_a_syn)
{
    scene_listen(&scene, SCENE_TIMESTAMPS);
    for (uint16_t i = 0; i < TCP_SYN_QUEUE_MIN; i++) {
        peer->port = (uint16_t)(2000 + i);
        (void)ask();
    }
    cr_assert_eq(scene_counter("tcp_syncookies_sent_total"), 0);
    cr_assert_eq(half_open(), TCP_SYN_QUEUE_MIN);
    world_run_for(NS_PER_US);
    size_t packets = packet_count_free();
    for (uint16_t i = 0; i < 100; i++) {
        peer->port = (uint16_t)(3000 + i);
        (void)ask();
    }
    world_run_for(NS_PER_US);
    cr_assert_eq(scene_counter("tcp_syncookies_sent_total"), 100);
    cr_assert_eq(half_open(), TCP_SYN_QUEUE_MIN);
    cr_assert_eq(packet_count_free(), packets);
}

Test(tcp_cookie, all_options_survive_in_the_timestamp)
{
    listen_with_cookies(SCENE_TIMESTAMPS | SCENE_SACK | SCENE_SCALE);
    cr_assert(dialogue_open(peer));
    cr_assert(peer->got.has_window_scale);
    cr_assert(peer->got.has_sack_permitted);
    cr_assert_eq(peer->got.tsecr, 5000);
    cr_assert_eq(half_open(), 0);
    accept_it();
    cr_assert_eq(scene_state(&scene), TCP_ESTABLISHED);
    struct tcp_status status = scene_status(&scene);
    cr_assert(status.has_sack);
    cr_assert(status.has_timestamps);
    cr_assert_eq(status.send_mss, SCENE_MSS - 12);
    cr_assert_eq(status.send_window, 65535U << 2);
    cr_assert_eq(scene_counter("tcp_syncookies_received_total"), 1);
}

Test(tcp_cookie, without_timestamps_only_the_mss_survives)
{
    listen_with_cookies(SCENE_SACK | SCENE_SCALE);
    cr_assert(dialogue_open(peer));
    cr_assert_not(peer->got.has_window_scale);
    cr_assert_not(peer->got.has_sack_permitted);
    accept_it();
    cr_assert_eq(scene_status(&scene).send_mss, SCENE_MSS);
    cr_assert_eq(scene_status(&scene).send_window, 65535);
    cr_assert_not(scene_status(&scene).has_sack);
}

Test(tcp_cookie, an_mss_between_those_of_the_table_is_rounded_down)
{
    listen_with_cookies(0);
    peer->syn_options[2] = 1300 >> 8;
    peer->syn_options[3] = 1300 & 0xff;
    cr_assert(dialogue_open(peer));
    accept_it();
    cr_assert_eq(scene_status(&scene).send_mss, 1220);
}

/* covers: MUST-15 */
Test(tcp_cookie, without_an_mss_it_is_536)
{
    listen_with_cookies(0);
    peer->syn_options_length = 0;
    cr_assert(dialogue_open(peer));
    accept_it();
    cr_assert_eq(scene_status(&scene).send_mss, 536);
}

Test(tcp_cookie, data_that_brings_the_cookie_back_is_delivered)
{
    char bytes[8];
    listen_with_cookies(SCENE_TIMESTAMPS);
    peer->ack = ask() + 1;
    peer->seq++;
    /* The ACK itself was lost. */
    scene_says(&scene, A | P, "hello", 5);
    accept_it();
    cr_assert_eq(scene_read(&scene, bytes, sizeof(bytes)), 5);
    cr_assert_arr_eq(bytes, "hello", 5);
    cr_assert(dialogue_take_within(peer, NS_PER_S));
    cr_assert_eq(peer->got.ack, peer->seq);
}

Test(tcp_cookie, our_clock_does_not_go_back_after_a_cookie)
{
    listen_with_cookies(SCENE_TIMESTAMPS | SCENE_SACK);
    for (uint16_t i = 0; i < 100; i++) {
        peer->port = (uint16_t)(2000 + i);
        peer->seq = 1000;
        world_run_for(NS_PER_MS);
        cr_assert(dialogue_open(peer));
        uint32_t first = peer->got.tsval;
        accept_it();
        scene_write(&scene, "x", 1, 0);
        cr_assert(dialogue_take(peer));
        cr_assert(peer->got.tsval - first < 128, "%u after %u", peer->got.tsval,
                  first);
        scene_abort(&scene);
        remote_forget(scene.bench.remote);
        peer->tsecr = 0;
    }
}

Test(hostile, T15_an_ack_with_a_wrong_cookie_is_reset_and_leaves_nothing)
{
    listen_with_cookies(SCENE_TIMESTAMPS);
    uint32_t iss = ask();
    for (uint32_t bit = 0; bit < 32; bit++) {
        uint32_t ack = (iss ^ UINT32_C(1) << bit) + 1;
        dialogue_send(peer, A, peer->seq + 1, ack, NULL, 0);
        cr_assert(dialogue_take(peer));
        cr_assert_eq(peer->got.flags, R);
        cr_assert_eq(peer->got.seq, ack);
    }
    cr_assert_eq(failed(), 32);
    /* Nor for another number, port or address of the peer. */
    dialogue_send(peer, A, peer->seq + 2, iss + 1, NULL, 0);
    cr_assert(dialogue_take(peer) && peer->got.flags == R);
    peer->port++;
    dialogue_send(peer, A, peer->seq + 1, iss + 1, NULL, 0);
    cr_assert(dialogue_take(peer) && peer->got.flags == R);
    peer->port--;
    scene.bench.remote->address++;
    dialogue_send(peer, A, peer->seq + 1, iss + 1, NULL, 0);
    cr_assert(dialogue_take(peer) && peer->got.flags == R);
    scene.bench.remote->address--;
    cr_assert_eq(scene.listener_notified, 0);
    /* The honest ACK still works. */
    dialogue_send(peer, A, peer->seq + 1, iss + 1, NULL, 0);
    cr_assert(scene.listener_notified & TCP_ACCEPTABLE);
}

Test(tcp_cookie, options_cannot_be_added_on_the_way_back)
{
    listen_with_cookies(SCENE_TIMESTAMPS);
    uint32_t iss = ask();
    peer->tsecr |= 16; /* SACK */
    dialogue_send(peer, A, peer->seq + 1, iss + 1, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    peer->tsecr &= ~UINT32_C(16);
    peer->has_timestamps = false;
    dialogue_send(peer, A, peer->seq + 1, iss + 1, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
}

Test(hostile, T15_a_cookie_is_good_for_two_epochs)
{
    listen_with_cookies(0);
    uint64_t epoch = TCP_COOKIE_EPOCH_NS;
    world_run_until(3 * epoch - NS_PER_S);
    uint32_t iss = ask();
    peer->seq++;
    peer->ack = iss + 1;
    world_run_until(4 * epoch - NS_PER_S);
    remote_forget(scene.bench.remote);
    dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    accept_it();
    scene_abort(&scene);
    world_run_for(NS_PER_MS);
    remote_forget(scene.bench.remote);
    /* Others ask, too, so that cookies are still looked at. */
    peer->port++;
    (void)ask();
    peer->port--;
    world_run_until(4 * epoch + NS_PER_S);
    dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(failed(), 1);
    /* Nor when the same bit of the epoch comes round again. */
    (void)world_now();
    world_run_until(4 * epoch + 3 * epoch / 2);
    peer->port++;
    (void)ask();
    peer->port--;
    dialogue_send(peer, A, peer->seq, peer->ack, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(failed(), 2);
}

Test(hostile, T36_in_cookie_mode_one_syn_causes_one_syn_ack)
{
    listen_with_cookies(0);
    (void)ask();
    cr_assert(scene_is_silent_for(&scene, 300 * NS_PER_S));
    cr_assert(scene_is_clean(&scene));
}

Test(tcp_cookie, acks_are_not_searched_for_cookies_when_none_were_sent)
{
    scene_listen(&scene, 0);
    dialogue_send(peer, A, 1, 2, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(failed(), 0);
    set("ipv4.tcp_syncookies", "2");
    (void)ask();
    world_run_for(3 * TCP_COOKIE_EPOCH_NS);
    dialogue_send(peer, A, 1, 2, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, R);
    cr_assert_eq(failed(), 0);
}

Test(tcp_cookie, a_cookie_waits_for_room_in_the_accept_queue)
{
    listen_with_cookies(0);
    tcp_listener_set_backlog(scene.listener, 1);
    uint32_t iss = ask();
    for (uint16_t i = 0; i < 2; i++) {
        peer->port = (uint16_t)(2000 + i);
        peer->seq = 1000;
        cr_assert(dialogue_open(peer));
    }
    peer->port = SCENE_REMOTE_PORT;
    dialogue_send(peer, A, 1001, iss + 1, NULL, 0);
    cr_assert(scene_is_silent(&scene));
    peer->port = 3000;
    dialogue_send(peer, S, 1, 0, NULL, 0);
    cr_assert(scene_is_silent(&scene));
    accept_it();
    peer->port = SCENE_REMOTE_PORT;
    dialogue_send(peer, A, 1001, iss + 1, "x", 1);
    accept_it();
    accept_it();
    cr_assert_eq(tcp_read_queued(scene.connection), 1);
}

Test(tcp_cookie, switched_off_the_oldest_half_open_ones_go)
{
    scene_listen(&scene, SCENE_SMALL);
    set("ipv4.tcp_syncookies", "0");
    cr_assert_neq(net_set("ipv4.tcp_syncookies", "3"), 0);
    for (uint16_t i = 0; i < 2000; i++) {
        peer->port = (uint16_t)(2000 + i);
        dialogue_send(peer, S, 1, 0, NULL, 0);
        world_run_for(NS_PER_US);
        remote_forget(scene.bench.remote);
    }
    cr_assert_eq(scene_counter("tcp_syncookies_sent_total"), 0);
    cr_assert_gt(scene_counter("tcp_syn_evictions_total"), 0);
}

/* ---- the flood ------------------------------------------------------------
 */

enum {
    SPOOFED = 200000,
    SPOOFED_PER_HONEST = 200,
    HONEST = SPOOFED / SPOOFED_PER_HONEST,
    HONEST_PORT = 20000,
    HONEST_ADDRESS = 0x0a000002,
};

static struct {
    uint64_t began_ns[HONEST];
    uint64_t took_ns[HONEST];
    unsigned begun;
    unsigned connected;
    unsigned accepted;
} honest;

static void accept_all(void *context)
{
    const struct stack_functions *call = scene.bench.stack->call;
    struct tcp_connection *c;

    (void)context;
    if (scene.bench.stack->is_locked)
        return;
    while ((c = call->tcp_accept(scene.listener, &scene)) != NULL) {
        call->tcp_abort(c);
        honest.accepted++;
    }
}

static void honest_begins(void)
{
    peer->port = (uint16_t)(HONEST_PORT + honest.begun);
    honest.began_ns[honest.begun++] = world_now();
    dialogue_send(peer, S, 1, 0, NULL, 0);
}

static void honest_answers(void)
{
    struct segment got;

    while (remote_take(scene.bench.remote, &got)) {
        if (got.destination_port < HONEST_PORT || got.flags != (S | A))
            continue;
        unsigned index = got.destination_port - HONEST_PORT;
        honest.took_ns[index] = world_now() - honest.began_ns[index];
        honest.connected++;
        peer->port = got.destination_port;
        peer->tsecr = got.tsval;
        dialogue_send(peer, A, 2, got.seq + 1, NULL, 0);
    }
}

static void spoofed_syn(void)
{
    struct remote *remote = scene.bench.remote;
    uint64_t random = world_random();

    remote->address = 0xc0000000 | (uint32_t)(random >> 40);
    peer->port = (uint16_t)(1024 + random % (HONEST_PORT - 1024));
    dialogue_send(peer, S, (uint32_t)(random >> 8), 0, NULL, 0);
    remote->address = HONEST_ADDRESS;
}

static int by_size(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* A million a second, on a gigabit. */
Test(hostile, T14_a_flood_of_syns_keeps_no_honest_client_out, .timeout = 60)
{
    scene_listen(&scene, SCENE_TIMESTAMPS | SCENE_SACK | SCENE_SCALE);
    tcp_listener_set_backlog(scene.listener, 128);
    struct be32 gateway = be32_from(HONEST_ADDRESS);
    cr_assert_eq(
        ip_route_add(be32_from(0), 0, gateway, &scene.bench.device->netif), 0);
    scene.bench.stack->application = accept_all;
    const struct world_path path = {.rate_bits_s = 1000000000,
                                    .delay_ns = 100 * NS_PER_US};
    scene.bench.remote->port.path = path;
    scene.bench.device->port.path = path;
    for (unsigned i = 0; i < 10; i++) {
        honest_begins();
        world_run_for(NS_PER_MS);
        honest_answers();
    }
    cr_assert_eq(honest.connected, 10);
    uint64_t idle_ns = honest.took_ns[9];
    size_t packets = packet_count_free();
    honest.begun = 0;
    honest.connected = 0;
    honest.accepted = 0;
    for (unsigned i = 0; i < SPOOFED; i++) {
        spoofed_syn();
        if (i % SPOOFED_PER_HONEST == 0)
            honest_begins();
        world_run_for(NS_PER_US);
        honest_answers();
    }
    world_run_for(NS_PER_MS);
    honest_answers();
    world_run_for(NS_PER_MS);
    cr_assert_geq(honest.connected, HONEST - HONEST / 1000);
    cr_assert_geq(honest.accepted, HONEST - HONEST / 1000);
    qsort(honest.took_ns, HONEST, sizeof(honest.took_ns[0]), by_size);
    uint64_t p99_ns = honest.took_ns[HONEST * 99 / 100];
    cr_assert_lt(p99_ns, 2 * idle_ns, "%lu ns, idle %lu", p99_ns, idle_ns);
    cr_assert_eq(half_open(), 128);
    cr_assert_gt(scene_counter("tcp_syncookies_sent_total"),
                 SPOOFED - SPOOFED / 100);
    cr_assert_geq(packet_count_free() + 64, packets);
}
