/* SPDX-License-Identifier: MIT */
/*
 * The socket calls, as an app makes them, against a peer that sends segments
 * and datagrams, with pauses between. No call waits. The input is a list of
 * commands of a few bytes. At the end all is closed, and every pool must be
 * whole and no timer left.
 */
#include "tests/host/scene.h"

#include "net/socket/socket.h"
#include "net/timer.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    SOCKETS = 8,
    COMMANDS_MAX = 200,
    BYTES = 20000,
    CONGESTION = 13, /* TCP_CONGESTION: its header names our states */
};

struct input {
    const uint8_t *at;
    size_t left;
};

static struct bench bench;
static int sockets[SOCKETS];
static uint8_t bytes[BYTES];
static struct {
    size_t packets;
    size_t buffers;
    size_t sockets;
    size_t timers;
} at_start;
static uint16_t next_port = 1024;

static uint32_t take(struct input *input, size_t count)
{
    uint32_t value = 0;

    for (size_t i = 0; i < count; i++) {
        value <<= 8;
        if (input->left > 0) {
            value |= *input->at++;
            input->left--;
        }
    }
    return value;
}

static void start(void)
{
    bench = bench_start(1, (size_t)6 << 20);
    (void)world_enter(bench.stack);
    world_leave(bench.stack);
    for (size_t i = 0; i < SOCKETS; i++)
        sockets[i] = -1;
    world_run_for(NS_PER_S);
    at_start.packets = packet_count_free();
    at_start.buffers = buffer_count_free();
    at_start.sockets = socket_count_free();
    at_start.timers = timers_count();
}

static int *slot(struct input *input)
{
    return &sockets[take(input, 1) % SOCKETS];
}

static void command_open(struct input *input)
{
    int *id = slot(input);
    int type = take(input, 1) % 4 == 0 ? SOCK_DGRAM : SOCK_STREAM;

    if (*id < 0)
        *id = socket_open(AF_INET, type | SOCK_NONBLOCK, 0);
}

static struct sockaddr_in address(uint32_t ip, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    in.sin_addr.s_addr = htonl(ip);
    return in;
}

static void command_name(struct input *input)
{
    int id = *slot(input);
    uint32_t shape = take(input, 1);
    /* Mostly what can work. */
    struct sockaddr_in in =
        address(shape & 1 ? bench.remote->address : 0,
                shape & 2 ? next_port++ : SCENE_PORT + (shape >> 4) % 4);
    socklen_t length = sizeof(in);

    switch (shape >> 2 & 3) {
    case 0:
        (void)!socket_bind(id, (struct sockaddr *)&in, length);
        break;
    case 1:
        (void)!socket_connect(id, (struct sockaddr *)&in, length);
        break;
    case 2:
        (void)!socket_getsockname(id, (struct sockaddr *)&in, &length);
        (void)!socket_getpeername(id, (struct sockaddr *)&in, &length);
        break;
    default:
        (void)!socket_listen(id, (int)(shape >> 4) - 2);
        break;
    }
}

static void command_accept(struct input *input)
{
    int *id = slot(input);
    int *to = slot(input);

    if (*to < 0)
        *to = socket_accept(*id, NULL, NULL, SOCK_NONBLOCK);
}

static void command_data(struct input *input)
{
    static const int flags[] = {0,        MSG_OOB,     MSG_MORE,
                                MSG_PEEK, MSG_WAITALL, MSG_TRUNC};
    int id = *slot(input);
    uint32_t shape = take(input, 1);
    uint32_t length = take(input, 2);
    int flag = MSG_DONTWAIT | flags[(shape >> 1) % 6];
    struct sockaddr_in to = address(bench.remote->address, SCENE_REMOTE_PORT);
    struct iovec pieces[2] = {{bytes, length % BYTES}, {bytes, shape}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 1 + shape % 2};

    if (shape & 1) {
        (void)!socket_recvmsg(id, &message, flag);
        return;
    }
    if (shape & 64) {
        message.msg_name = &to;
        message.msg_namelen = sizeof(to);
    }
    if (shape & 128)
        (void)!socket_send_static(id, bytes, length % BYTES, flag);
    else
        (void)!socket_sendmsg(id, &message, flag);
}

static void command_option(struct input *input)
{
    static const int levels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP};
    int id = *slot(input);
    int level = levels[take(input, 1) % 3];
    int number = (int)take(input, 1) % 32;
    int value = (int)take(input, 4);
    uint8_t out[256];
    socklen_t length = take(input, 1) % sizeof(out);

    if (level == IPPROTO_TCP && number == CONGESTION)
        (void)!socket_setsockopt(id, level, number, "vegas", 5);
    else if (level == SOL_SOCKET && number == SO_LINGER)
        value = 0; /* so that close does not wait */
    else if (length & 1)
        (void)!socket_setsockopt(id, level, number, &value, sizeof(value));
    else
        (void)!socket_getsockopt(id, level, number, out, &length);
}

static void command_look(struct input *input)
{
    int id = *slot(input);
    int value;

    (void)socket_poll_events(id);
    (void)!socket_readable_bytes(id, &value);
    (void)!socket_at_mark(id);
    (void)!socket_shutdown(id, (int)take(input, 1) % 4);
}

static void command_close(struct input *input)
{
    int *id = slot(input);

    (void)!socket_close(*id);
    *id = -1;
}

/* As the stack's last segment showed them. */
static void learn(struct dialogue *peer)
{
    while (dialogue_take(peer)) {
        peer->local_port = peer->got.source_port;
        peer->port = peer->got.destination_port;
        if ((peer->got.flags & R) == 0)
            peer->ack = peer->got.seq + (uint32_t)peer->got.payload_length +
                        ((peer->got.flags & (S | F)) != 0);
        if ((peer->got.flags & A) != 0)
            peer->seq = peer->got.ack;
    }
}

static void command_segment(struct dialogue *peer, struct input *input)
{
    uint32_t shape = take(input, 1);
    struct segment segment = {
        .source_port = peer->port,
        .destination_port = peer->local_port,
        .flags = (uint16_t)take(input, 1),
        .seq = peer->seq,
        .ack = peer->ack,
        .window = (shape & 1) != 0 ? (uint16_t)take(input, 2) : 65535,
        .payload = bytes,
        .payload_length = (shape & 2) != 0 ? take(input, 2) % 1460 : 0,
    };

    if (shape & 4)
        segment.seq += (uint32_t)(int16_t)take(input, 2);
    if (shape & 8)
        segment.ack += (uint32_t)(int16_t)take(input, 2);
    if (shape & 16)
        segment.urgent = (uint16_t)take(input, 2);
    remote_send(bench.remote, &segment);
}

static void command_datagram(struct input *input)
{
    uint8_t datagram[8 + 256] = {0};
    uint32_t shape = take(input, 1);
    size_t length = 8 + take(input, 1);
    uint16_t to = (uint16_t)(SCENE_PORT + shape % 4);

    datagram[0] = SCENE_REMOTE_PORT >> 8;
    datagram[1] = SCENE_REMOTE_PORT & 0xff;
    datagram[2] = (uint8_t)(to >> 8);
    datagram[3] = (uint8_t)to;
    datagram[4] = (uint8_t)(length >> 8);
    datagram[5] = (uint8_t)length;
    remote_send_ip(bench.remote, 17, datagram, length);
}

static void command(struct dialogue *peer, struct input *input)
{
    static void (*const calls[])(struct input *) = {
        command_open, command_name, command_accept, command_data,
        command_data, command_look, command_option, command_close,
    };
    uint32_t which = take(input, 1);

    if (which < 128)
        calls[which % 8](input);
    else if (which < 208)
        command_segment(peer, input);
    else if (which < 216)
        command_datagram(input);
    else if (which < 240)
        world_run_for(take(input, 2) * NS_PER_MS);
    else if (which < 248)
        peer->port = next_port++, peer->local_port = SCENE_PORT;
    else
        world_run_for((uint64_t)take(input, 1) * NS_PER_S);
    world_run_for(NS_PER_US);
    if (which % 4 != 0)
        learn(peer);
}

static void end(void)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        (void)!socket_close(sockets[i]);
        sockets[i] = -1;
    }
    /* Half-open ones, TIME-WAITs and orphans run out. */
    world_run_for(4000 * NS_PER_S);
    remote_forget(bench.remote);
    if (packet_count_free() != at_start.packets ||
        buffer_count_free() != at_start.buffers ||
        socket_count_free() != at_start.sockets)
        world_fail("the pools are not whole");
    if (scene_counter("tcp_orphans") != 0)
        world_fail("orphans live on");
    if (timers_count() > at_start.timers)
        world_fail("timers live on");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct input input = {data, size};
    struct dialogue peer = {.bench = &bench, .seq = 1000};

    if (!is_started)
        start();
    is_started = true;
    peer.remote = bench.remote;
    peer.port = next_port++;
    peer.local_port = SCENE_PORT;
    for (int i = 0; i < COMMANDS_MAX && input.left > 0; i++)
        command(&peer, &input);
    end();
    return 0;
}
