/* SPDX-License-Identifier: MIT */
/*
 * Connections in named states.
 */
#include "tests/host/scene.h"

#include <string.h>

static size_t packets_at_start;
static size_t buffers_at_start;
static struct scene *current;

static void notify(void *owner, uint32_t ready)
{
    if (owner == &current->listener)
        current->listener_notified |= ready;
    else
        current->notified |= ready;
}

static void start(struct scene *scene, unsigned flags)
{
    *scene = (struct scene){.notified = 0};
    current = scene;
    scene->bench = bench_start(
        7, (flags & SCENE_SMALL) != 0 ? (size_t)6 << 20 : (size_t)32 << 20);
    scene->bench.stack->call->tcp_set_notify(notify);
    packets_at_start = scene->bench.stack->call->packet_count_free();
    buffers_at_start = scene->bench.stack->call->buffer_count_free();
    struct dialogue *peer = &scene->peer;
    peer->bench = &scene->bench;
    peer->remote = scene->bench.remote;
    peer->port = SCENE_REMOTE_PORT;
    peer->local_port = SCENE_PORT;
    peer->seq = 1000;
    peer->window = 65535;
    peer->tsval = 5000;
    peer->has_timestamps = (flags & SCENE_TIMESTAMPS) != 0;
    uint8_t *option = peer->syn_options;
    static const uint8_t mss[4] = {2, 4, SCENE_MSS >> 8, SCENE_MSS & 0xff};
    static const uint8_t sack[4] = {1, 1, 4, 2};
    static const uint8_t scale[4] = {1, 3, 3, 2};
    memcpy(option, mss, 4);
    option += 4;
    if ((flags & SCENE_SACK) != 0) {
        memcpy(option, sack, 4);
        option += 4;
    }
    if ((flags & SCENE_SCALE) != 0) {
        memcpy(option, scale, 4);
        option += 4;
    }
    peer->syn_options_length = (size_t)(option - peer->syn_options);
}

static void expect(bool claim, const char *text)
{
    if (!claim)
        world_fail(text);
}

static void listen_on(struct scene *scene)
{
    const struct tcp_endpoint local = {.port = SCENE_PORT};
    const struct stack_functions *call = world_enter(scene->bench.stack);

    expect(call->tcp_listen(&local, 8, false, &scene->listener,
                            &scene->listener) == 0,
           "tcp_listen failed");
    world_leave(scene->bench.stack);
}

void scene_listen(struct scene *scene, unsigned flags)
{
    start(scene, flags);
    listen_on(scene);
}

void scene_established(struct scene *scene, unsigned flags)
{
    scene_listen(scene, flags);
    expect(dialogue_open(&scene->peer), "no handshake");
    const struct stack_functions *call = world_enter(scene->bench.stack);
    scene->connection = call->tcp_accept(scene->listener, &scene->connection);
    world_leave(scene->bench.stack);
    expect(scene->connection != NULL, "nothing to accept");
    remote_forget(scene->bench.remote);
}

void scene_syn_sent(struct scene *scene, unsigned flags)
{
    start(scene, flags);
    const struct tcp_endpoint any = {.port = 0};
    const struct tcp_endpoint remote = {
        ip_address_from_ipv4(be32_from(scene->bench.remote->address)), 9};
    const struct stack_functions *call = world_enter(scene->bench.stack);
    expect(call->tcp_connect(&any, &remote, NULL, &scene->connection,
                             world_now(), &scene->connection) == 0,
           "tcp_connect failed");
    world_leave(scene->bench.stack);
    struct dialogue *peer = &scene->peer;
    expect(dialogue_take_within(peer, NS_PER_S) && peer->got.flags == S,
           "no SYN");
    peer->local_port = peer->got.source_port;
    peer->port = peer->got.destination_port;
    peer->iss = peer->got.seq;
    peer->ack = peer->got.seq + 1;
}

void scene_connected(struct scene *scene, unsigned flags)
{
    scene_syn_sent(scene, flags);
    struct dialogue *peer = &scene->peer;
    dialogue_send(peer, S | A, peer->seq, peer->ack, NULL, 0);
    peer->seq++;
    expect(dialogue_take(peer) && peer->got.flags == A, "no ACK of SYN-ACK");
    remote_forget(scene->bench.remote);
}

void scene_says(struct scene *scene, uint16_t flags, const void *payload,
                size_t length)
{
    struct dialogue *peer = &scene->peer;

    dialogue_send(peer, flags, peer->seq, peer->ack, payload, length);
    peer->seq += (uint32_t)length + ((flags & F) != 0) + ((flags & S) != 0);
}

/* The app closes its direction; the FIN is taken and counted. */
static void app_shuts_down(struct scene *scene)
{
    const struct stack_functions *call = world_enter(scene->bench.stack);

    expect(call->tcp_shutdown(scene->connection, false, true) == 0,
           "tcp_shutdown failed");
    world_leave(scene->bench.stack);
    expect(dialogue_take(&scene->peer) && (scene->peer.got.flags & F) != 0,
           "no FIN");
    scene->peer.ack++;
}

void scene_in_state(struct scene *scene, enum tcp_state state, unsigned flags)
{
    scene_established(scene, flags);
    if (state == TCP_CLOSE_WAIT || state == TCP_LAST_ACK)
        scene_says(scene, F | A, NULL, 0);
    if (state == TCP_FIN_WAIT_1 || state == TCP_FIN_WAIT_2 ||
        state == TCP_CLOSING || state == TCP_LAST_ACK ||
        state == TCP_TIME_WAIT) {
        world_run_for(NS_PER_S / 10);
        remote_forget(scene->bench.remote);
        app_shuts_down(scene);
    }
    if (state == TCP_CLOSING) {
        /* A FIN that does not acknowledge ours. */
        scene->peer.ack--;
        scene_says(scene, F | A, NULL, 0);
        scene->peer.ack++;
    }
    if (state == TCP_FIN_WAIT_2 || state == TCP_TIME_WAIT)
        scene_says(scene, A, NULL, 0);
    if (state == TCP_TIME_WAIT)
        scene_says(scene, F | A, NULL, 0);
    world_run_for(NS_PER_S / 10);
    remote_forget(scene->bench.remote);
    expect(state == TCP_TIME_WAIT || scene_state(scene) == state,
           "the state was not reached");
}

int scene_write(struct scene *scene, const void *bytes, size_t length,
                uint32_t flags)
{
    const struct stack_functions *call = world_enter(scene->bench.stack);
    int done =
        call->tcp_write(scene->connection, bytes, length, flags, world_now());

    world_leave(scene->bench.stack);
    world_run_for(0);
    return done;
}

int scene_write_pattern(struct scene *scene, size_t length)
{
    static uint8_t bytes[1 << 20];

    expect(length <= sizeof(bytes), "a write too long");
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    return scene_write(scene, bytes, length, 0);
}

int scene_read(struct scene *scene, void *bytes, size_t length)
{
    const struct stack_functions *call = world_enter(scene->bench.stack);
    int done = call->tcp_read(scene->connection, bytes, length, 0, world_now());

    world_leave(scene->bench.stack);
    world_run_for(0);
    return done;
}

void scene_close(struct scene *scene)
{
    const struct stack_functions *call = world_enter(scene->bench.stack);

    call->tcp_close(scene->connection, world_now());
    scene->connection = NULL;
    world_leave(scene->bench.stack);
    world_run_for(0);
}

void scene_abort(struct scene *scene)
{
    const struct stack_functions *call = world_enter(scene->bench.stack);

    call->tcp_abort(scene->connection);
    scene->connection = NULL;
    world_leave(scene->bench.stack);
    world_run_for(0);
}

int scene_set(struct scene *scene, enum tcp_option option, int value)
{
    const struct stack_functions *call = world_enter(scene->bench.stack);
    int status =
        call->tcp_set_option(scene->connection, option, value, world_now());

    world_leave(scene->bench.stack);
    world_run_for(0);
    return status;
}

enum tcp_state scene_state(const struct scene *scene)
{
    return scene->bench.stack->call->tcp_get_state(scene->connection);
}

struct tcp_status scene_status(const struct scene *scene)
{
    struct tcp_status status;

    scene->bench.stack->call->tcp_get_status(scene->connection, &status);
    return status;
}

void scene_measure(struct scene *scene, uint64_t rtt_ns, void (*answer)(void))
{
    for (int i = 0; i < 40; i++) {
        if (scene_write(scene, "a", 1, 0) != 1 || !dialogue_take(&scene->peer))
            world_fail("an octet did not leave");
        world_run_for(rtt_ns);
        remote_forget(scene->bench.remote);
        answer();
    }
}

bool scene_is_silent(struct scene *scene)
{
    return scene_is_silent_for(scene, 0);
}

bool scene_is_silent_for(struct scene *scene, uint64_t duration_ns)
{
    return !dialogue_take_within(&scene->peer, duration_ns);
}

struct search {
    const char *name;
    uint64_t value;
};

static void compare(void *context, const char *name, uint64_t value,
                    const char *help)
{
    struct search *search = context;

    (void)help;
    if (strcmp(name, search->name) == 0)
        search->value = value;
}

uint64_t scene_counter(const char *name)
{
    struct search search = {name, UINT64_MAX};

    stack_functions.tcp_visit_counters(compare, &search);
    return search.value;
}

bool scene_is_clean(struct scene *scene)
{
    const struct stack_functions *call = scene->bench.stack->call;

    world_run_for(NS_PER_MS); /* the device gives back what it sent */
    return call->packet_count_free() == packets_at_start &&
           call->buffer_count_free() == buffers_at_start;
}
