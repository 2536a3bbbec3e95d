/* SPDX-License-Identifier: MIT */
/*
 * Sockets on a loopback in virtual time.
 */
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/time.h>

enum {
    MEMORY = 16 << 20,
    LATER_MAX = 8,
};

struct world_stack *socket_stack;

static struct later {
    int id;
    const char *text;
} laters[LATER_MAX];
static size_t later_count;

void socket_world_use(struct world_stack *stack)
{
    socket_stack = stack;
    (void)world_enter(stack);
    world_leave(stack);
}

void socket_world(void)
{
    const struct stack_functions *call;

    world_start(1);
    socket_stack = world_stack_add("host", MEMORY);
    call = world_enter(socket_stack);
    call->net_start(world_now());
    world_leave(socket_stack);
    world_run_for(NS_PER_S);
}

struct sockaddr_in socket_address(uint32_t address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    in.sin_addr.s_addr = htonl(address);
    return in;
}

int bind_to(int id, uint32_t address, uint16_t port)
{
    struct sockaddr_in in = socket_address(address, port);

    return socket_bind(id, (struct sockaddr *)&in, sizeof(in));
}

int connect_to(int id, uint32_t address, uint16_t port)
{
    struct sockaddr_in in = socket_address(address, port);

    return socket_connect(id, (struct sockaddr *)&in, sizeof(in));
}

int make_listener(int backlog)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_geq(id, 0);
    cr_assert_eq(set_option(id, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(bind_to(id, INADDR_ANY, TEST_PORT), 0);
    cr_assert_eq(socket_listen(id, backlog), 0);
    return id;
}

void make_connection(int ends[2])
{
    int listener = make_listener(1);

    ends[0] = socket_open(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect_to(ends[0], LOOPBACK, TEST_PORT), 0);
    ends[1] = socket_accept(listener, NULL, NULL, 0);
    cr_assert_geq(ends[1], 0);
    cr_assert_eq(socket_close(listener), 0);
}

int make_datagram(uint16_t port)
{
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);

    cr_assert_geq(id, 0);
    cr_assert_eq(bind_to(id, LOOPBACK, port), 0);
    return id;
}

ssize_t send_bytes(int id, const void *bytes, size_t length, int flags)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    return socket_sendmsg(id, &message, flags);
}

ssize_t receive_bytes(int id, void *bytes, size_t size, int flags)
{
    struct iovec piece = {bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    return socket_recvmsg(id, &message, flags);
}

int set_option(int id, int level, int option, int value)
{
    return socket_setsockopt(id, level, option, &value, sizeof(value));
}

int get_option(int id, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);
    int error = socket_getsockopt(id, level, option, &value, &length);

    return error != 0 ? error : value;
}

void set_timeouts(int id, uint64_t timeout_ms)
{
    struct timeval time = {(time_t)(timeout_ms / 1000),
                           (suseconds_t)(timeout_ms % 1000 * 1000)};

    cr_assert_eq(
        socket_setsockopt(id, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), 0);
    cr_assert_eq(
        socket_setsockopt(id, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)), 0);
}

static struct later *remember(int id, const char *text)
{
    struct later *later = &laters[later_count++];

    cr_assert_leq(later_count, LATER_MAX);
    *later = (struct later){id, text};
    return later;
}

static void send_now(void *context)
{
    const struct later *later = context;

    cr_assert_eq(
        send_bytes(later->id, later->text, strlen(later->text), MSG_DONTWAIT),
        (ssize_t)strlen(later->text));
}

static void close_now(void *context)
{
    const struct later *later = context;

    cr_assert_eq(socket_close(later->id), 0);
}

void send_later(uint64_t delay_ns, int id, const char *text)
{
    world_at(world_now() + delay_ns, send_now, remember(id, text));
}

void close_later(uint64_t delay_ns, int id)
{
    world_at(world_now() + delay_ns, close_now, remember(id, NULL));
}
