/* SPDX-License-Identifier: MIT */
/*
 * Sockets closed, reset, half-closed and abandoned at random, over a path that
 * does everything a path can do; and afterwards nothing is left of them.
 * CHAOS_SECONDS is how long, in virtual time; `make chaos` runs ten minutes.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/limits.h"
#include "net/timer.h"
#include "tests/host/invariants.h"
#include "tests/host/pair.h"
#include "tests/host/scene.h"

enum {
    SOCKETS = 64, /* of each stack, at one time */
    PORT = 9000,
    SECONDS = 20,
    MEMORY = 4 << 20,
};

static struct pair pair;
static struct tcp_connection *sockets[2][SOCKETS];
static struct tcp_listener *listeners[2];
static uint64_t calls;
static uint64_t opened;
static int owner;

static void tell_nobody(void *who, uint32_t ready)
{
    (void)who;
    (void)ready;
}

static void check(void)
{
    const char *what = tcp_check_invariants();

    cr_assert(what == NULL, "%s at %lu ns", what, (unsigned long)world_now());
    what = peer_tcp_check_invariants();
    cr_assert(what == NULL, "b: %s at %lu ns", what,
              (unsigned long)world_now());
}

static void take_new(size_t side, const struct stack_functions *call)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        if (sockets[side][i] == NULL)
            sockets[side][i] = call->tcp_accept(listeners[side], &owner);
    }
}

static void connect_one(size_t side, size_t slot,
                        const struct stack_functions *call)
{
    struct tcp_endpoint local = {.port = 0};
    /* At times nobody is there. */
    uint32_t address = world_random() % 50 == 0 ? 0x0a000009
                       : side == 0              ? 0x0a000002
                                                : 0x0a000001;
    struct tcp_endpoint remote = {ip_address_from_ipv4(be32_from(address)),
                                  world_random() % 20 == 0 ? PORT + 1 : PORT};

    if (call->tcp_connect(&local, &remote, NULL, &owner, world_now(),
                          &sockets[side][slot]) != 0)
        sockets[side][slot] = NULL;
    opened++;
}

static void use(struct tcp_connection **slot,
                const struct stack_functions *call)
{
    static uint8_t bytes[40000];
    uint64_t now = world_now();
    size_t length = world_random() % sizeof(bytes);
    uint64_t what = world_random() % 100;
    int status = 0;

    if (what < 35) {
        status = call->tcp_write(*slot, bytes, length, 0, now);
    } else if (what < 70) {
        status = call->tcp_read(*slot, bytes, length, 0, now);
    } else if (what < 74) {
        status = call->tcp_shutdown(*slot, what % 2 == 0, what < 73);
    } else if (what < 80) {
        call->tcp_close(*slot, now);
        *slot = NULL;
    } else if (what < 83) {
        call->tcp_abort(*slot);
        *slot = NULL;
    } else if (what < 90) {
        enum tcp_option option =
            (enum tcp_option)(world_random() % TCP_OPTION_TTL);
        /* An orphan may wait as long as its app said: here not for hours. */
        int most = option == TCP_OPTION_LINGER2_S ? 60 : 30000;
        status = call->tcp_set_option(
            *slot, option, (int)(world_random() % (uint64_t)most), now);
    }
    calls += status >= 0;
}

static void act(void)
{
    size_t side = world_random() % 2;
    size_t slot = world_random() % SOCKETS;
    const struct stack_functions *call = world_enter(pair.stack[side]);

    take_new(side, call);
    if (sockets[side][slot] == NULL)
        connect_one(side, slot, call);
    else
        use(&sockets[side][slot], call);
    world_leave(pair.stack[side]);
}

/* Every second the path is another. */
static void weather(void)
{
    struct world_path path = {
        .rate_bits_s = 1000000 + world_random() % 100000000,
        .delay_ns = world_random() % (20 * NS_PER_MS),
        .jitter_ns = world_random() % (3 * NS_PER_MS),
        .queue_bytes = 5000 + world_random() % 100000,
        .loss_ppm = (uint32_t)(world_random() % 30000),
        .burst_enter_ppm = (uint32_t)(world_random() % 3000),
        .burst_leave_ppm = 300000,
        .burst_loss_ppm = 900000,
        .duplicate_ppm = (uint32_t)(world_random() % 20000),
        .corrupt_ppm = (uint32_t)(world_random() % 10000),
        .reorder_ppm = (uint32_t)(world_random() % 30000),
        .reorder_ns = world_random() % (10 * NS_PER_MS),
        .mtu = world_random() % 4 == 0 ? (uint32_t)(600 + world_random() % 900)
                                       : 0,
        .is_black_hole = world_random() % 2 == 0,
        .is_cut = world_random() % 12 == 0,
    };

    pair_set_path(&pair, &path);
}

static void start(size_t memory)
{
    pair = pair_start(7, memory);
    for (size_t i = 0; i < 2; i++) {
        struct tcp_endpoint local = {.port = PORT};
        const struct stack_functions *call = world_enter(pair.stack[i]);
        call->tcp_set_notify(tell_nobody);
        cr_assert_eq(call->net_set("ipv4.tcp_mtu_probing", "1"), 0);
        cr_assert_eq(call->tcp_listen(&local, 16, true, &owner, &listeners[i]),
                     0);
        world_leave(pair.stack[i]);
    }
}

/* Half of the sockets are closed, half left to keep-alive and the peer. */
static void finish(void)
{
    const struct world_path clear = {.delay_ns = NS_PER_MS};

    pair_set_path(&pair, &clear);
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(pair.stack[i]);
        call->tcp_listener_close(listeners[i]);
        for (size_t j = 0; j < SOCKETS; j++) {
            if (sockets[i][j] != NULL && j % 2 == 0)
                call->tcp_abort(sockets[i][j]);
            else if (sockets[i][j] != NULL)
                call->tcp_close(sockets[i][j], world_now());
        }
        world_leave(pair.stack[i]);
    }
    /* What is unacknowledged is tried for so long (TCP_ORPHAN_RETRIES), then
     * comes TIME-WAIT. */
    world_run_for(2000 * NS_PER_S);
    check();
}

static void chaos(size_t memory)
{
    const char *text = getenv("CHAOS_SECONDS");
    uint64_t seconds = text == NULL ? SECONDS : strtoull(text, NULL, 10);

    start(memory);
    for (uint64_t i = 0; i < seconds; i++) {
        uint64_t until = world_now() + NS_PER_S;
        weather();
        while (world_now() < until) {
            act();
            world_run_for(world_random() % (4 * NS_PER_MS));
            check();
        }
    }
    finish();
    cr_assert_gt(opened, seconds);
    cr_assert_gt(calls, 10 * seconds);
    cr_assert(pair_is_clean(&pair), "a pool is not at its level");
}

static void expect_no_timer(void)
{
    for (size_t i = 0; i < 2; i++) {
        size_t left = pair.stack[i]->call->timers_count();
        cr_assert_eq(left, 0, "stack %zu: %zu timers are left", i, left);
    }
}

Test(tcp_chaos, leaves_nothing_behind, .timeout = 600)
{
    chaos((size_t)32 << 20);
    expect_no_timer();
}

Test(tcp_chaos, leaves_nothing_behind_with_pools_nearly_empty, .timeout = 600)
{
    chaos(MEMORY);
    expect_no_timer();
}

/* ---- what chaos found ------------------------------------------------------
 */

static struct scene scene;

#define peer (&scene.peer)

/* A router's word on the first segment in flight (RFC 1191 4). */
static void router_says(uint16_t mtu, uint32_t seq)
{
    uint8_t icmp[36] = {3, 4, [8] = 0x45, [11] = 40, [16] = 64, 6};
    uint32_t sum = 0;

    icmp[6] = (uint8_t)(mtu >> 8);
    icmp[7] = (uint8_t)mtu;
    memcpy(icmp + 20, (uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
    icmp[28] = (uint8_t)(peer->local_port >> 8);
    icmp[29] = (uint8_t)peer->local_port;
    icmp[30] = (uint8_t)(peer->port >> 8);
    icmp[31] = (uint8_t)peer->port;
    for (size_t i = 0; i < 4; i++)
        icmp[32 + i] = (uint8_t)(seq >> (24 - 8 * i));
    for (size_t i = 0; i < sizeof(icmp); i += 2)
        sum += (uint32_t)icmp[i] << 8 | icmp[i + 1];
    sum = ~((sum & 0xffff) + (sum >> 16));
    icmp[2] = (uint8_t)(sum >> 8);
    icmp[3] = (uint8_t)sum;
    remote_send_ip(scene.bench.remote, 1, icmp, sizeof(icmp));
}

Test(hostile, C7_too_long_for_a_router_while_much_is_in_flight)
{
    scene_established(&scene, SCENE_SACK);
    cr_assert_eq(scene_write_pattern(&scene, 20000), 20000);
    remote_forget(scene.bench.remote);
    router_says(1200, peer->ack);
    uint32_t total = 0;
    while (dialogue_take(peer)) {
        cr_assert_leq(peer->got.payload_length, 1160);
        total += (uint32_t)peer->got.payload_length;
    }
    cr_assert_gt(total, 5000, "again, at once");
    const char *what = tcp_check_invariants();
    cr_assert(what == NULL, "%s", what);
    /* The first is acknowledged, then all. */
    peer->ack += 1160;
    scene_says(&scene, A, NULL, 0);
    while (tcp_write_queued(scene.connection) != 0) {
        cr_assert(dialogue_take_within(peer, NS_PER_S));
        uint32_t end = peer->got.seq + (uint32_t)peer->got.payload_length;
        if ((int32_t)(end - peer->ack) > 0)
            peer->ack = end;
        scene_says(&scene, A, NULL, 0);
    }
    scene_abort(&scene);
    cr_assert(scene_is_clean(&scene));
}

/* There is nothing yet that an ACK could tell (RFC 9293 3.10.7.3). */
Test(tcp_chaos, a_receive_buffer_set_while_connecting_owes_no_acknowledgement)
{
    scene_syn_sent(&scene, 0);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_RECEIVE_BUFFER, 500000), 0);
    cr_assert(scene_is_silent(&scene));
    const char *what = tcp_check_invariants();
    cr_assert(what == NULL, "%s", what);
    /* Both connected at the same time. */
    dialogue_send(peer, S, peer->seq, 0, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(peer->got.flags, S | A);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_RECEIVE_BUFFER, 2000000), 0);
    cr_assert(scene_is_silent(&scene));
    scene_abort(&scene);
    cr_assert(scene_is_clean(&scene));
}

/* Nothing more will come: nobody has to hear of a window. */
Test(tcp_chaos, a_receive_buffer_set_after_the_end_owes_no_acknowledgement)
{
    scene_established(&scene, SCENE_SCALE);
    scene_says(&scene, A | F, NULL, 0);
    cr_assert(dialogue_take(peer));
    cr_assert_eq(scene_set(&scene, TCP_OPTION_RECEIVE_BUFFER, 500000), 0);
    cr_assert(scene_is_silent(&scene));
    scene_abort(&scene);
    cr_assert(scene_is_clean(&scene));
}
