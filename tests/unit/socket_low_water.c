/* SPDX-License-Identifier: MIT */
/*
 * SO_RCVLOWAT where packet scripts cannot look: epoll, and memory that runs
 * short.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/limits.h"
#include "net/platform.h"
#include "net/socket/epoll.h"
#include "net/tcp/queues.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

enum { BUFFER = 65536, SMALL = 300 };

static struct epoll_watch watch;
static struct epoll_event seen;
static char bytes[1024];

static void release(struct epoll_watch *given)
{
    cr_assert_eq(given, &watch);
}

static struct epoll epoll = {.release = release};

TestSuite(socket_low_water, .init = socket_world);

static void make_watched(int ends[2], int low, uint32_t events)
{
    make_connection(ends);
    cr_assert_eq(set_option(ends[1], SOL_SOCKET, SO_RCVLOWAT, low), 0);
    struct epoll_event event = {.events = events};
    cr_assert_eq(socket_epoll_add(&epoll, &watch, ends[1], &event), 0);
}

static void send_now(int id, size_t length)
{
    cr_assert_eq(send_bytes(id, bytes, length, 0), (ssize_t)length);
    world_run_for(NS_PER_S);
}

static bool is_told(void)
{
    return socket_epoll_wait(&epoll, &seen, 1, 0) == 1;
}

static bool is_readable(int id)
{
    return (socket_poll_events(id) & POLLIN) != 0;
}

Test(socket_low_water, level_is_told_while_there_is_enough)
{
    int ends[2];

    make_watched(ends, 10, EPOLLIN);
    send_now(ends[0], 9);
    cr_assert(!is_told());
    send_now(ends[0], 2);
    cr_assert(is_told());
    cr_assert(is_told());
    cr_assert_eq(receive_bytes(ends[1], bytes, 2, MSG_DONTWAIT), 2);
    cr_assert(!is_told());
    send_now(ends[0], 1);
    cr_assert(is_told());
}

Test(socket_low_water, edge_is_told_of_each_arrival_once_there_is_enough)
{
    int ends[2];

    make_watched(ends, 10, EPOLLIN | EPOLLET);
    send_now(ends[0], 9);
    cr_assert(!is_told());
    send_now(ends[0], 1);
    cr_assert(is_told());
    cr_assert(!is_told());
    send_now(ends[0], 1);
    cr_assert(is_told());
}

Test(socket_low_water, edge_is_told_when_the_mark_sinks)
{
    int ends[2];

    make_watched(ends, 10, EPOLLIN | EPOLLET);
    send_now(ends[0], 9);
    cr_assert(!is_told());
    cr_assert_eq(set_option(ends[1], SOL_SOCKET, SO_RCVLOWAT, 9), 0);
    cr_assert(is_told());
    cr_assert(!is_told());
}

Test(socket_low_water, the_end_is_told_whatever_is_there)
{
    int ends[2];

    make_watched(ends, 10, EPOLLIN | EPOLLET);
    send_now(ends[0], 1);
    cr_assert_eq(socket_shutdown(ends[0], SHUT_WR), 0);
    world_run_for(NS_PER_S);
    cr_assert(is_told());
    cr_assert_eq(receive_bytes(ends[1], bytes, 10, 0), 1);
}

/* Nobody may wait for what memory will not take. */
Test(socket_low_water, short_memory_makes_readable)
{
    size_t used = receive_memory.used;
    int ends[2];

    make_watched(ends, 10, EPOLLIN | EPOLLET);
    send_now(ends[0], 1);
    cr_assert(!is_told());
    receive_memory.used = receive_memory.limit;
    send_now(ends[0], 9); /* which is dropped */
    cr_assert(is_told());
    cr_assert_eq(receive_bytes(ends[1], bytes, 10, MSG_PEEK), 1);
    receive_memory.used = used + 1;
}

/* There may be so many packets, however little is in them: first those that
 * are not small enough to be moved together, then those of which no two fit
 * into one buffer. */
Test(socket_low_water, as_many_packets_as_there_may_be_make_readable)
{
    int ends[2];
    size_t sent = 0;

    make_connection(ends);
    cr_assert_eq(set_option(ends[1], SOL_SOCKET, SO_RCVBUF, BUFFER), 0);
    cr_assert_eq(set_option(ends[1], SOL_SOCKET, SO_RCVLOWAT, BUFFER), 0);
    while (!is_readable(ends[1])) {
        size_t length = sent < SMALL * BUFFER / 2048 ? SMALL : sizeof(bytes);

        send_now(ends[0], length);
        sent += length;
        cr_assert_lt(sent, (size_t)BUFFER);
    }
    cr_assert_lt(sent, (size_t)BUFFER - 2 * sizeof(bytes));
}

Test(socket_low_water, datagrams_have_none)
{
    int id = make_datagram(5000);

    cr_assert_eq(set_option(id, SOL_SOCKET, SO_RCVLOWAT, 1), -ENOPROTOOPT);
}
