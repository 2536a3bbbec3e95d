/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes TCP with sequences of segments, app calls and pauses. The input is a
 * list of commands; segments are given relative to the numbers of a live
 * connection and get a right checksum, so that the fuzzer spends its time
 * behind the first checks. Every run ends by closing all and asking whether
 * the pools are whole again.
 */
#include "tests/host/invariants.h"
#include "tests/host/scene.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    CONNECTIONS = 4,
    COMMANDS_MAX = 200,
    TEXT_MAX = 1460,
};

struct input {
    const uint8_t *at;
    size_t left;
};

static struct bench bench;
static struct tcp_listener *listener;
static struct tcp_connection *owned[CONNECTIONS];
static bool is_started;
static size_t packets_at_start;
static size_t buffers_at_start;
static size_t timers_at_start;
static uint16_t next_port = 1024;

static uint32_t take(struct input *input, size_t bytes)
{
    uint32_t value = 0;

    for (size_t i = 0; i < bytes; i++) {
        value <<= 8;
        if (input->left > 0) {
            value |= *input->at++;
            input->left--;
        }
    }
    return value;
}

static void tell_nobody(void *owner, uint32_t ready)
{
    (void)owner;
    (void)ready;
}

static void start(void)
{
    const struct tcp_endpoint local = {.port = SCENE_PORT};

    bench = bench_start(1, (size_t)6 << 20);
    const struct stack_functions *call = world_enter(bench.stack);
    call->tcp_set_notify(tell_nobody);
    if (call->tcp_listen(&local, 4, false, &listener, &listener) != 0)
        world_fail("tcp_listen failed");
    world_leave(bench.stack);
    world_run_for(NS_PER_S);
    packets_at_start = call->packet_count_free();
    buffers_at_start = call->buffer_count_free();
    timers_at_start = timers_count();
    is_started = true;
}

/* The numbers as the stack's last segment showed them. */
static void learn(struct dialogue *peer)
{
    while (dialogue_take(peer)) {
        uint32_t end = peer->got.seq + (uint32_t)peer->got.payload_length +
                       ((peer->got.flags & (S | F)) != 0);
        if ((peer->got.flags & R) == 0)
            peer->ack = end;
        if ((peer->got.flags & A) != 0)
            peer->seq = peer->got.ack;
    }
}

static void command_segment(struct dialogue *peer, struct input *input)
{
    static uint8_t text[TEXT_MAX];
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .seq = peer->seq,
        .ack = peer->ack,
        .window = peer->window,
        .payload = text,
    };
    uint32_t shape = take(input, 1);

    segment.flags = (uint16_t)take(input, 1);
    if (shape & 1)
        segment.seq += (uint32_t)(int16_t)take(input, 2);
    if (shape & 2)
        segment.seq += take(input, 4);
    if (shape & 4)
        segment.ack += (uint32_t)(int16_t)take(input, 2);
    if (shape & 8)
        segment.window = (uint16_t)take(input, 2);
    if (shape & 16)
        segment.urgent = (uint16_t)take(input, 2);
    if (shape & 32)
        segment.payload_length = take(input, 2) % TEXT_MAX;
    if (shape & 64) {
        segment.options_length = take(input, 1) % (REMOTE_OPTIONS + 1);
        for (size_t i = 0; i < segment.options_length; i++)
            segment.options[i] = (uint8_t)take(input, 1);
    } else if (peer->has_timestamps) {
        static const uint8_t head[4] = {1, 1, 8, 10};
        memcpy(segment.options, head, 4);
        for (size_t i = 0; i < 4; i++) {
            segment.options[4 + i] = (uint8_t)(peer->tsval >> (24 - 8 * i));
            segment.options[8 + i] = (uint8_t)(peer->tsecr >> (24 - 8 * i));
        }
        segment.options_length = 12;
        peer->tsval += shape >> 7;
    }
    remote_send(bench.remote, &segment);
}

static void accept_all(void)
{
    const struct stack_functions *call = world_enter(bench.stack);

    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (owned[i] == NULL)
            owned[i] = call->tcp_accept(listener, &owned[i]);
    }
    world_leave(bench.stack);
}

static void command_app(struct input *input)
{
    static uint8_t bytes[65536];
    uint32_t which = take(input, 1);
    uint32_t size = take(input, 2);
    struct tcp_connection **slot = &owned[which % CONNECTIONS];

    accept_all();
    if (*slot == NULL)
        return;
    const struct stack_functions *call = world_enter(bench.stack);
    uint64_t now = world_now();
    switch (which / CONNECTIONS % 8) {
    case 0:
    case 1:
        (void)call->tcp_write(*slot, bytes, size, size & 1, now);
        break;
    case 2:
        (void)call->tcp_write(*slot, bytes, size, TCP_WRITE_STATIC, now);
        break;
    case 3:
        (void)call->tcp_read(*slot, bytes, size, size & 1, now);
        break;
    case 4:
        (void)call->tcp_shutdown(*slot, size & 1, size & 2);
        break;
    case 5:
        call->tcp_close(*slot, now);
        *slot = NULL;
        break;
    case 6:
        call->tcp_abort(*slot);
        *slot = NULL;
        break;
    case 7:
        (void)call->tcp_set_option(*slot,
                                   (enum tcp_option)(size % TCP_OPTION_COUNT),
                                   (int)(size >> 4), now);
        break;
    default:
        break;
    }
    world_leave(bench.stack);
    world_run_for(0);
}

static void command_connect(struct dialogue *peer, struct input *input)
{
    const struct tcp_endpoint any = {.port = 0};
    const struct tcp_endpoint remote = {
        ip_address_from_ipv4(be32_from(bench.remote->address)), next_port++};
    struct tcp_connection **slot = &owned[take(input, 1) % CONNECTIONS];

    accept_all();
    if (*slot != NULL)
        return;
    const struct stack_functions *call = world_enter(bench.stack);
    if (call->tcp_connect(&any, &remote, NULL, slot, world_now(), slot) != 0)
        *slot = NULL;
    world_leave(bench.stack);
    if (*slot != NULL && dialogue_take(peer)) {
        peer->local_port = peer->got.source_port;
        peer->port = peer->got.destination_port;
        peer->ack = peer->got.seq + 1;
    }
}

static void end(void)
{
    const struct stack_functions *call;

    accept_all();
    call = world_enter(bench.stack);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (owned[i] != NULL)
            call->tcp_abort(owned[i]);
        owned[i] = NULL;
    }
    struct tcp_connection *c;
    while ((c = call->tcp_accept(listener, &listener)) != NULL)
        call->tcp_abort(c);
    world_leave(bench.stack);
    /* Half-open ones, TIME-WAITs and orphans run out. */
    world_run_for(2000 * NS_PER_S);
    remote_forget(bench.remote);
    if (call->packet_count_free() != packets_at_start ||
        call->buffer_count_free() != buffers_at_start)
        world_fail("the pools are not whole");
    if (scene_counter("tcp_orphans") != 0)
        world_fail("orphans live on");
    if (timers_count() > timers_at_start)
        world_fail("timers live on");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct dialogue peer = {.bench = &bench};

    if (!is_started)
        start();
    uint32_t shape = take(&input, 1);
    peer.remote = bench.remote;
    peer.port = next_port++;
    peer.local_port = SCENE_PORT;
    peer.seq = shape & 1 ? 0xfffffff0 : 1000;
    peer.window = 65535;
    peer.has_timestamps = (shape & 2) != 0;
    if (shape & 4)
        (void)dialogue_open(&peer);
    accept_all();
    for (int i = 0; i < COMMANDS_MAX && input.left > 0; i++) {
        uint32_t command = take(&input, 1);
        if (command < 160)
            command_segment(&peer, &input);
        else if (command < 220)
            command_app(&input);
        else if (command < 240)
            world_run_for(take(&input, 2) * NS_PER_MS);
        else if (command < 250)
            learn(&peer);
        else
            command_connect(&peer, &input);
        world_run_for(NS_PER_US);
        if (command % 2 == 0)
            learn(&peer);
        const char *broken = tcp_check_invariants();
        if (broken != NULL)
            world_fail(broken);
    }
    end();
    return 0;
}
