/* SPDX-License-Identifier: MIT */
/*
 * epoll as an app sees it, by the words of Linux's epoll(7).
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/platform.h"
#include "net/socket/epoll.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 64, MANY = 200 };

static struct epoll_watch memory[MANY];
static size_t watch_count; /* taken and not given back */
static size_t memory_used;
static struct epoll_event seen[ROOM];

static void release(struct epoll_watch *watch)
{
    cr_assert(watch >= memory && watch < memory + MANY);
    watch_count--;
}

static struct epoll epoll = {.release = release};
static struct epoll other = {.release = release};

TestSuite(socket_epoll, .init = socket_world);

static int add_to(struct epoll *to, int id, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = id}};
    int error = socket_epoll_add(to, &memory[memory_used], id, &event);

    if (error == 0) {
        memory_used++;
        watch_count++;
    }
    return error;
}

static void add(int id, uint32_t events)
{
    cr_assert_eq(add_to(&epoll, id, events), 0);
}

static int modify(int id, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.fd = id}};

    return socket_epoll_modify(&epoll, id, &event);
}

/* What is there now; nothing is waited for. */
static int look(void)
{
    return socket_epoll_wait(&epoll, seen, ROOM, 0);
}

static int wait_ms(uint64_t timeout_ms)
{
    return socket_epoll_wait(&epoll, seen, ROOM,
                             world_now() + timeout_ms * NS_PER_MS);
}

static void expect_one(int id, uint32_t events)
{
    cr_assert_eq(look(), 1);
    cr_assert_eq(seen[0].data.fd, id);
    cr_assert_eq(seen[0].events, events, "0x%x", seen[0].events);
}

static void expect_nothing(void)
{
    int count = look();

    cr_assert_eq(count, 0, "0x%x of %d", seen[0].events, seen[0].data.fd);
}

static void receive_all(int id)
{
    char bytes[256];

    while (receive_bytes(id, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

static void settle(void)
{
    world_run_for(NS_PER_S);
}

Test(socket_epoll, waiting_ends_when_data_comes)
{
    int ends[2];
    uint64_t start_ns;

    make_connection(ends);
    add(ends[1], EPOLLIN);
    start_ns = world_now();
    send_later(70 * NS_PER_MS, ends[0], "late");
    cr_assert_eq(wait_ms(1000), 1);
    cr_assert_eq(seen[0].events, (uint32_t)EPOLLIN);
    cr_assert_geq(world_now() - start_ns, 70 * NS_PER_MS);
    cr_assert_lt(world_now() - start_ns, 75 * NS_PER_MS);
}

Test(socket_epoll, waiting_ends_in_time_when_nothing_comes)
{
    int ends[2];
    uint64_t start_ns = world_now();

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLET);
    cr_assert_eq(wait_ms(250), 0);
    cr_assert_geq(world_now() - start_ns, 250 * NS_PER_MS);
}

Test(socket_epoll, level_is_told_until_it_is_read)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLRDNORM);
    expect_nothing();
    cr_assert_eq(send_bytes(ends[0], "twice", 5, 0), 5);
    settle();
    for (int i = 0; i < 3; i++)
        expect_one(ends[1], EPOLLIN | EPOLLRDNORM);
    receive_all(ends[1]);
    expect_nothing();
    expect_nothing();
    cr_assert_eq(send_bytes(ends[0], "again", 5, 0), 5);
    settle();
    expect_one(ends[1], EPOLLIN | EPOLLRDNORM);
}

Test(socket_epoll, edge_is_told_once_and_again_when_more_comes)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLET);
    cr_assert_eq(send_bytes(ends[0], "one", 3, 0), 3);
    settle();
    expect_one(ends[1], EPOLLIN);
    expect_nothing();
    cr_assert_eq(send_bytes(ends[0], "two", 3, 0), 3);
    settle();
    expect_one(ends[1], EPOLLIN); /* though "one" is still unread */
    expect_nothing();
}

Test(socket_epoll, edge_of_what_is_read_before_the_wait_is_not_told)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLET);
    cr_assert_eq(send_bytes(ends[0], "gone", 4, 0), 4);
    settle();
    receive_all(ends[1]);
    expect_nothing();
}

Test(socket_epoll, edge_of_reading_is_not_told_for_writing)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    settle();
    add(ends[1], EPOLLIN | EPOLLET);
    expect_one(ends[1], EPOLLIN);
    cr_assert_eq(send_bytes(ends[1], "y", 1, 0), 1);
    settle(); /* acknowledged: it is writable, but nobody asked */
    expect_nothing();
}

Test(socket_epoll, edge_is_armed_again_by_modify)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    settle();
    add(ends[1], EPOLLIN | EPOLLET);
    expect_one(ends[1], EPOLLIN);
    expect_nothing();
    cr_assert_eq(modify(ends[1], EPOLLIN | EPOLLET), 0);
    expect_one(ends[1], EPOLLIN);
    expect_nothing();
}

Test(socket_epoll, edge_of_writing_comes_when_the_peer_has_made_room)
{
    static const char block[65536];
    int ends[2];

    make_connection(ends);
    add(ends[0], EPOLLOUT | EPOLLET);
    expect_one(ends[0], EPOLLOUT);
    while (send_bytes(ends[0], block, sizeof(block), MSG_DONTWAIT) > 0)
        ;
    settle();
    expect_nothing();
    for (int i = 0; i < 50; i++) {
        receive_all(ends[1]);
        settle();
    }
    expect_one(ends[0], EPOLLOUT);
    expect_nothing();
}

Test(socket_epoll, one_shot_is_told_once_until_it_is_armed)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLONESHOT);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    settle();
    expect_one(ends[1], EPOLLIN);
    expect_nothing();
    cr_assert_eq(send_bytes(ends[0], "y", 1, 0), 1);
    cr_assert_eq(socket_shutdown(ends[0], SHUT_WR), 0);
    settle();
    expect_nothing();
    cr_assert_eq(modify(ends[1], EPOLLIN | EPOLLONESHOT), 0);
    expect_one(ends[1], EPOLLIN);
}

Test(socket_epoll, one_shot_used_up_tells_no_hang_up_either)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLOUT | EPOLLONESHOT);
    expect_one(ends[1], EPOLLOUT);
    cr_assert_eq(socket_shutdown(ends[1], SHUT_WR), 0);
    cr_assert_eq(socket_close(ends[0]), 0);
    settle();
    expect_nothing();
}

Test(socket_epoll, end_of_the_peer_is_rdhup_for_who_asks)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLRDHUP);
    expect_nothing();
    cr_assert_eq(socket_shutdown(ends[0], SHUT_WR), 0);
    settle();
    expect_one(ends[1], EPOLLRDHUP);
    cr_assert_eq(modify(ends[1], EPOLLIN), 0);
    expect_one(ends[1], EPOLLIN);
}

Test(socket_epoll, reset_is_told_to_who_asks_for_nothing)
{
    static const struct linger reset = {1, 0};
    int ends[2];

    make_connection(ends);
    add(ends[1], 0);
    expect_nothing();
    cr_assert_eq(socket_setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &reset,
                                   sizeof(reset)),
                 0);
    cr_assert_eq(socket_close(ends[0]), 0);
    settle();
    expect_one(ends[1], EPOLLERR | EPOLLHUP);
}

Test(socket_epoll, what_was_ready_before_add_is_told)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    settle();
    add(ends[1], EPOLLIN | EPOLLOUT | EPOLLET);
    expect_one(ends[1], EPOLLIN | EPOLLOUT);
}

Test(socket_epoll, listener_is_told_of_each_connection)
{
    int listener = make_listener(8);
    int clients[3];

    add(listener, EPOLLIN | EPOLLET);
    for (int i = 0; i < 3; i++) {
        clients[i] = socket_open(AF_INET, SOCK_STREAM, 0);
        cr_assert_eq(connect_to(clients[i], LOOPBACK, TEST_PORT), 0);
        expect_one(listener, EPOLLIN);
        expect_nothing();
    }
    cr_assert_eq(modify(listener, EPOLLIN), 0);
    for (int i = 0; i < 3; i++) {
        expect_one(listener, EPOLLIN);
        cr_assert_geq(socket_accept(listener, NULL, NULL, SOCK_NONBLOCK), 0);
    }
    expect_nothing();
}

Test(socket_epoll, accepted_connection_is_not_watched_with_its_listener)
{
    int listener = make_listener(8);
    int client = socket_open(AF_INET, SOCK_STREAM, 0);
    int accepted;

    add(listener, EPOLLIN);
    cr_assert_eq(connect_to(client, LOOPBACK, TEST_PORT), 0);
    accepted = socket_accept(listener, NULL, NULL, 0);
    cr_assert_geq(accepted, 0);
    cr_assert_eq(send_bytes(client, "x", 1, 0), 1);
    settle();
    expect_nothing();
    cr_assert_eq(modify(accepted, EPOLLIN), -ENOENT);
    add(accepted, EPOLLIN);
    expect_one(accepted, EPOLLIN);
}

Test(socket_epoll, connecting_without_waiting_ends_in_out)
{
    int id = socket_open(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    make_listener(1);
    add(id, EPOLLOUT);
    expect_one(id, EPOLLOUT | EPOLLHUP); /* as Linux, before connect() */
    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -EINPROGRESS);
    settle();
    expect_one(id, EPOLLOUT);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_ERROR), 0);
}

Test(socket_epoll, datagrams_are_told_each)
{
    int id = make_datagram(5000);
    int sender = make_datagram(5001);

    cr_assert_eq(connect_to(sender, LOOPBACK, 5000), 0);
    add(id, EPOLLIN | EPOLLET);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(send_bytes(sender, "x", 1, 0), 1);
        settle();
        expect_one(id, EPOLLIN);
        expect_nothing();
    }
    receive_all(id);
    cr_assert_eq(modify(id, EPOLLIN), 0);
    expect_nothing();
}

Test(socket_epoll, closing_ends_the_watching)
{
    int ends[2];
    int again;

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLOUT);
    expect_one(ends[1], EPOLLOUT);
    cr_assert_eq(socket_close(ends[1]), 0);
    cr_assert_eq(watch_count, 0, "its memory came back");
    expect_nothing();
    cr_assert_eq(modify(ends[1], EPOLLIN), -EBADF);
    cr_assert_eq(socket_epoll_remove(&epoll, ends[1]), -EBADF);
    again = socket_open(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(again, ends[1]);
    expect_nothing(); /* the new one with this id is not watched */
    cr_assert_eq(modify(again, EPOLLIN), -ENOENT);
}

Test(socket_epoll, removing_ends_the_watching)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLOUT);
    cr_assert_eq(socket_epoll_remove(&epoll, ends[1]), 0);
    cr_assert_eq(watch_count, 0);
    expect_nothing();
    cr_assert_eq(socket_epoll_remove(&epoll, ends[1]), -ENOENT);
    add(ends[1], EPOLLOUT);
    expect_one(ends[1], EPOLLOUT);
}

Test(socket_epoll, adding_twice_is_eexist_and_nobody_is_ebadf)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLIN);
    cr_assert_eq(add_to(&epoll, ends[1], EPOLLIN), -EEXIST);
    cr_assert_eq(add_to(&epoll, 1 << 20, EPOLLIN), -EBADF);
    cr_assert_eq(add_to(&epoll, -1, EPOLLIN), -EBADF);
}

Test(socket_epoll, two_epolls_see_the_same_socket)
{
    int ends[2];

    make_connection(ends);
    add(ends[1], EPOLLIN | EPOLLET);
    cr_assert_eq(add_to(&other, ends[1], EPOLLIN), 0);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    settle();
    expect_one(ends[1], EPOLLIN);
    expect_nothing();
    cr_assert_eq(socket_epoll_wait(&other, seen, ROOM, 0), 1);
    cr_assert_eq(socket_epoll_wait(&other, seen, ROOM, 0), 1);
    socket_epoll_close(&other);
    cr_assert_eq(watch_count, 1);
    cr_assert_eq(modify(ends[1], EPOLLIN), 0);
    expect_one(ends[1], EPOLLIN);
    socket_epoll_close(&epoll);
    cr_assert_eq(watch_count, 0);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    settle(); /* nobody is told */
}

Test(socket_epoll, little_room_shows_all_in_turn)
{
    int ids[5];
    int told[5] = {0};

    for (int i = 0; i < 5; i++) {
        ids[i] = make_datagram((uint16_t)(6000 + i));
        add(ids[i], EPOLLOUT);
    }
    for (int round = 0; round < 10; round++) {
        cr_assert_eq(socket_epoll_wait(&epoll, seen, 2, 0), 2);
        for (int i = 0; i < 5; i++)
            told[i] +=
                (seen[0].data.fd == ids[i]) + (seen[1].data.fd == ids[i]);
    }
    for (int i = 0; i < 5; i++)
        cr_assert_eq(told[i], 4);
}

/* A model beside it: any order of calls, and each look must say what the
 * sockets say (level), or what has come since it was last told (edge). */
Test(socket_epoll, random_calls_agree_with_a_model)
{
    enum { PEERS = 8, STEPS = 3000 };
    int ids[PEERS], senders[PEERS];
    uint32_t asked[PEERS] = {0};
    bool has_come[PEERS] = {0}, is_unread[PEERS] = {0};
    uint32_t random = 12345;

    for (int i = 0; i < PEERS; i++) {
        ids[i] = make_datagram((uint16_t)(7000 + i));
        senders[i] = make_datagram((uint16_t)(7100 + i));
        cr_assert_eq(connect_to(senders[i], LOOPBACK, (uint16_t)(7000 + i)), 0);
        add(ids[i], 0);
    }
    for (int step = 0; step < STEPS; step++) {
        int i = (int)(random >> 8) % PEERS;

        random = random * 1664525 + 1013904223;
        switch ((random >> 20) % 4) {
        case 0:
            cr_assert_eq(send_bytes(senders[i], "x", 1, 0), 1);
            world_run_for(NS_PER_MS);
            is_unread[i] = true;
            has_come[i] = true;
            break;
        case 1:
            receive_all(ids[i]);
            is_unread[i] = false;
            break;
        case 2:
            asked[i] = (random >> 28 & 1 ? (uint32_t)EPOLLIN : 0) |
                       (random >> 29 & 1 ? (uint32_t)EPOLLET : 0);
            cr_assert_eq(modify(ids[i], asked[i]), 0);
            has_come[i] = is_unread[i];
            break;
        default:
            for (int count = look(), j = 0; j < PEERS; j++) {
                bool expected = (asked[j] & EPOLLIN) && is_unread[j] &&
                                (has_come[j] || !(asked[j] & EPOLLET));
                int told = 0;

                for (int k = 0; k < count; k++)
                    told += seen[k].data.fd == ids[j];
                cr_assert_eq(told, expected, "step %d, socket %d", step, j);
                has_come[j] = false;
            }
        }
    }
}
