/* SPDX-License-Identifier: MIT */
/*
 * EPOLL_CORK: what an app sends between two waits leaves at the second.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/limits.h"
#include "net/link/netif.h"
#include "net/socket/epoll.h"

#include <criterion/criterion.h>

TestSuite(socket_epoll_cork, .init = socket_world);

static struct epoll_watch memory;
static struct epoll_event event = {.events = EPOLLIN | EPOLLOUT};
static int ends[2];

static void release(struct epoll_watch *watch)
{
    cr_assert_eq(watch, &memory);
}

static struct epoll epoll = {.release = release};

static uint64_t sent_packets(void)
{
    return netif_by_name("lo")->counters.tx_packets;
}

static int wait_now(void)
{
    return socket_epoll_wait(&epoll, &event, 1, 0);
}

static void start(bool is_corked)
{
    epoll.is_corked = is_corked;
    make_connection(ends);
    cr_assert_eq(socket_epoll_add(&epoll, &memory, ends[0], &event), 0);
    cr_assert_eq(set_option(ends[0], IPPROTO_TCP, 1 /* TCP_NODELAY */, 1), 0);
    world_run_for(NS_PER_S);
    cr_assert_eq(wait_now(), 1);
}

Test(socket_epoll_cork, without_it_each_call_sends)
{
    start(false);
    uint64_t before = sent_packets();
    cr_assert_eq(send_bytes(ends[0], "a", 1, 0), 1);
    cr_assert_gt(sent_packets(), before);
}

Test(socket_epoll_cork, with_it_the_next_wait_sends)
{
    start(true);
    uint64_t before = sent_packets();
    cr_assert_eq(send_bytes(ends[0], "a", 1, 0), 1);
    cr_assert_eq(send_bytes(ends[0], "b", 1, 0), 1);
    cr_assert_eq(sent_packets(), before);
    cr_assert_eq(wait_now(), 1);
    cr_assert_gt(sent_packets(), before);
}

Test(socket_epoll_cork, a_call_that_sleeps_sends)
{
    char byte;

    start(true);
    cr_assert_eq(send_bytes(ends[0], "a", 1, 0), 1);
    send_later(NS_PER_MS, ends[1], "b");
    cr_assert_eq(receive_bytes(ends[0], &byte, 1, 0), 1);
    cr_assert_eq(receive_bytes(ends[1], &byte, 1, 0), 1);
    cr_assert_eq(byte, 'a');
}

Test(socket_epoll_cork, an_app_that_never_waits_again_sends_all_the_same)
{
    start(true);
    uint64_t before = sent_packets();
    for (int i = 0; i <= SOCKET_CALLS_HELD; i++)
        cr_assert_eq(send_bytes(ends[0], "a", 1, 0), 1);
    cr_assert_gt(sent_packets(), before);
}
