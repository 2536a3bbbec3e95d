/* SPDX-License-Identifier: MIT */
/*
 * Memory runs short while many send: whoever was told to wait is told when to
 * go on, and nobody waits for ever. The apps here act only on notification, so
 * a wake-up that is lost stops them.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/host/pair.h"
#include "tests/host/scene.h"

enum {
    CLIENTS = 100,
    REQUEST = 100,
    PORT = 80,
    TEXT = 200000,
    PART = 8192, /* of one write */
};

/* One end of a keep-alive dialogue: a client asks `rounds` times, the server
 * answers each request with a text whose length follows from its number. */
struct talker {
    struct world_stack *stack;
    struct tcp_connection *connection;
    bool is_server;
    bool is_told; /* notified since it last looked */
    bool is_over;
    uint32_t number; /* of the request */
    uint32_t rounds;
    uint32_t asked; /* bytes of the request sent, or received */
    uint32_t done;  /* bytes of the answer */
    uint32_t flags; /* of its writes */
};

static uint8_t text[TEXT];
static uint8_t scratch[TEXT];
static struct talker clients[CLIENTS];
static struct talker servers[CLIENTS];
static struct talker listening;

static void told(void *owner, uint32_t ready)
{
    (void)ready;
    ((struct talker *)owner)->is_told = true;
}

static uint32_t answer_length(uint32_t number)
{
    return 1 + number * 7919 % TEXT;
}

static void serve(struct talker *t, const struct stack_functions *call)
{
    for (;;) {
        while (t->asked < REQUEST) {
            int length = call->tcp_read(t->connection, scratch,
                                        REQUEST - t->asked, 0, world_now());
            if (length == 0) {
                call->tcp_close(t->connection, world_now());
                t->is_over = true;
            }
            if (length <= 0)
                return;
            t->asked += (uint32_t)length;
        }
        uint32_t total = answer_length(t->number);
        while (t->done < total) {
            if ((call->tcp_ready(t->connection) & TCP_WRITABLE) == 0)
                return;
            int length =
                call->tcp_write(t->connection, text + t->done,
                                total - t->done < PART ? total - t->done : PART,
                                t->flags, world_now());
            if (length < 0)
                return;
            t->done += (uint32_t)length;
            t->is_told = true;
            return; /* the others' turn */
        }
        t->number += CLIENTS;
        t->asked = 0;
        t->done = 0;
    }
}

static void ask(struct talker *t, const struct stack_functions *call)
{
    for (;;) {
        while (t->asked < REQUEST) {
            if ((call->tcp_ready(t->connection) & TCP_WRITABLE) == 0)
                return;
            int length = call->tcp_write(t->connection, text,
                                         REQUEST - t->asked, 0, world_now());
            if (length < 0)
                return;
            t->asked += (uint32_t)length;
        }
        uint32_t total = answer_length(t->number);
        while (t->done < total) {
            int length = call->tcp_read(t->connection, scratch, total - t->done,
                                        0, world_now());
            if (length <= 0)
                return;
            cr_assert_eq(memcmp(scratch, text + t->done, (size_t)length), 0);
            t->done += (uint32_t)length;
        }
        t->number += CLIENTS;
        t->asked = 0;
        t->done = 0;
        if (--t->rounds == 0) {
            call->tcp_close(t->connection, world_now());
            t->is_over = true;
            return;
        }
    }
}

static void accept_all(struct world_stack *stack, struct tcp_listener *listener)
{
    const struct stack_functions *call = world_enter(stack);
    static size_t count;

    listening.is_told = false;
    while (count < CLIENTS) {
        struct talker *t = &servers[count];
        t->connection = call->tcp_accept(listener, t);
        if (t->connection == NULL)
            break;
        t->stack = stack;
        t->is_server = true;
        t->is_told = true;
        struct tcp_status status;
        call->tcp_get_status(t->connection, &status);
        t->number = status.remote.port;
        count++;
    }
    world_leave(stack);
}

static void act(struct talker *t)
{
    if (!t->is_told || t->is_over || t->connection == NULL)
        return;
    const struct stack_functions *call = world_enter(t->stack);
    t->is_told = false;
    if (t->is_server)
        serve(t, call);
    else
        ask(t, call);
    world_leave(t->stack);
}

static void connect_all(struct pair *pair, uint32_t rounds)
{
    const struct stack_functions *call = world_enter(pair->stack[0]);

    for (size_t i = 0; i < CLIENTS; i++) {
        struct talker *t = &clients[i];
        struct tcp_endpoint local = {.port = (uint16_t)(10000 + i)};
        struct tcp_endpoint remote = {
            ip_address_from_ipv4(be32_from(0x0a000002)), PORT};
        t->stack = pair->stack[0];
        t->rounds = rounds;
        t->number = local.port;
        cr_assert_eq(call->tcp_connect(&local, &remote, NULL, t, world_now(),
                                       &t->connection),
                     0);
    }
    world_leave(pair->stack[0]);
}

static size_t talk(struct pair *pair, struct tcp_listener *listener,
                   uint64_t limit_ns)
{
    uint64_t until = world_now() + limit_ns;
    size_t over = 0;

    while (over < CLIENTS && world_step(until)) {
        over = 0;
        if (listening.is_told)
            accept_all(pair->stack[1], listener);
        for (size_t i = 0; i < CLIENTS; i++) {
            act(&clients[i]);
            act(&servers[i]);
            over += clients[i].is_over;
        }
    }
    return over;
}

static void hundred_clients(size_t memory, uint32_t flags)
{
    struct pair pair = pair_start(1, memory);
    struct world_path path = {
        .rate_bits_s = 100000000, .delay_ns = NS_PER_MS, .loss_ppm = 1000};
    struct tcp_endpoint local = {.port = PORT};
    struct tcp_listener *listener;

    pair_set_path(&pair, &path);
    for (size_t i = 0; i < TEXT; i++)
        text[i] = pattern_byte(3, i);
    for (size_t i = 0; i < CLIENTS; i++)
        servers[i].flags = flags;
    for (size_t i = 0; i < 2; i++)
        pair.stack[i]->call->tcp_set_notify(told);
    const struct stack_functions *call = world_enter(pair.stack[1]);
    cr_assert_eq(call->tcp_listen(&local, 128, true, &listening, &listener), 0);
    world_leave(pair.stack[1]);
    connect_all(&pair, 4);
    size_t over = talk(&pair, listener, 300 * NS_PER_S);
    cr_assert_eq(over, CLIENTS, "%zu of %d are done", over, CLIENTS);
    call = world_enter(pair.stack[1]);
    call->tcp_listener_close(listener);
    world_leave(pair.stack[1]);
    cr_assert(pair_is_clean(&pair));
}

Test(hostile, S2_a_hundred_keep_alive_clients_on_a_machine_of_8_MB)
{
    hundred_clients((size_t)4 << 20, 0);
}

Test(hostile, S2_a_hundred_keep_alive_clients_of_files_on_a_machine_of_8_MB)
{
    hundred_clients((size_t)4 << 20, TCP_WRITE_STATIC);
}

static struct scene scene;

#define peer (&scene.peer)

Test(hostile, S2_a_writer_that_found_no_memory_is_told_by_the_next_ack)
{
    static struct packet *hoard[8192];
    size_t held = 0;
    scene_established(&scene, SCENE_SMALL);
    cr_assert_eq(scene_set(&scene, TCP_OPTION_NO_DELAY, 1), 0);
    cr_assert_eq(scene_write_pattern(&scene, 2500), 2500);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    while ((hoard[held] = call->packet_alloc(0)) != NULL)
        held++;
    world_leave(scene.bench.stack);
    /* It fits behind what is queued, but no packet takes it away. */
    cr_assert_eq(scene_write_pattern(&scene, 100), 100);
    cr_assert_eq(tcp_ready(scene.connection) & TCP_WRITABLE, 0);
    scene.notified = 0;
    (void)world_enter(scene.bench.stack);
    while (held > 0)
        call->packet_free(hoard[--held]);
    world_leave(scene.bench.stack);
    peer->ack += 2500;
    scene_says(&scene, A, NULL, 0);
    world_run_for(NS_PER_S);
    cr_assert(scene.notified & TCP_WRITABLE);
}

/* Another connection, whose send queue is filled. */
static void fill_another(uint16_t port, int length)
{
    static uint8_t bytes[1 << 20];
    struct dialogue other = *peer;
    other.port = port;
    remote_forget(scene.bench.remote);
    cr_assert(dialogue_open(&other));
    const struct stack_functions *call = world_enter(scene.bench.stack);
    struct tcp_connection *c = call->tcp_accept(scene.listener, &scene);
    cr_assert_gt(call->tcp_write(c, bytes, (size_t)length, 0, world_now()), 0);
    world_leave(scene.bench.stack);
    world_run_for(0);
    remote_forget(scene.bench.remote);
}

Test(hostile, S2_a_writer_kept_back_for_others_is_told_when_its_queue_drains)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 100000), 100000);
    cr_assert(tcp_ready(scene.connection) & TCP_WRITABLE);
    for (uint16_t i = 0; i < 8; i++)
        fill_another((uint16_t)(1024 + i), 200000);
    remote_forget(scene.bench.remote);
    /* Half the memory is gone: now it counts as too much. */
    cr_assert_eq(tcp_ready(scene.connection) & TCP_WRITABLE, 0);
    scene.notified = 0;
    while (tcp_write_queued(scene.connection) != 0) {
        peer->ack += 1460;
        if (peer->ack - peer->iss > 100001)
            peer->ack = peer->iss + 100001;
        scene_says(&scene, A, NULL, 0);
        remote_forget(scene.bench.remote);
    }
    cr_assert(tcp_ready(scene.connection) & TCP_WRITABLE);
    cr_assert(scene.notified & TCP_WRITABLE);
}

Test(hostile, S2_a_window_update_without_a_packet_is_sent_later)
{
    static struct packet *hoard[8192];
    static uint8_t bytes[1 << 16];
    size_t held = 0;
    scene_established(&scene, SCENE_SMALL);
    do {
        scene_says(&scene, A, bytes, 1024);
        world_run_for(NS_PER_S);
        while (dialogue_take(peer))
            ;
        cr_assert_lt(held++, 64, "the window does not close");
    } while (peer->got.window != 0);
    held = 0;
    world_run_for(NS_PER_S);
    remote_forget(scene.bench.remote);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_gt(
        call->tcp_read(scene.connection, bytes, sizeof(bytes), 0, world_now()),
        4096);
    while ((hoard[held] = call->packet_alloc(0)) != NULL)
        held++;
    world_leave(scene.bench.stack);
    cr_assert(scene_is_silent(&scene));
    (void)world_enter(scene.bench.stack);
    while (held > 0)
        call->packet_free(hoard[--held]);
    world_leave(scene.bench.stack);
    cr_assert(dialogue_take_within(peer, NS_PER_S), "no window update");
    cr_assert_gt(peer->got.window, 4096);
}

Test(tcp_memory, who_waits_until_all_is_acknowledged_is_told_of_it)
{
    scene_established(&scene, 0);
    cr_assert_eq(scene_write_pattern(&scene, 1000), 1000);
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_shutdown(scene.connection, false, true), 0);
    world_leave(scene.bench.stack);
    scene.notified = 0;
    peer->ack += 1001;
    scene_says(&scene, A, NULL, 0);
    cr_assert_eq(tcp_write_queued(scene.connection), 0);
    cr_assert_neq(scene.notified, 0);
}
