/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets as an app sees them: results and errors are Linux's.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

enum { LARGE = 1 << 20 };

static uint8_t out[LARGE];
static uint8_t in[LARGE];

TestSuite(socket_stream, .init = socket_world);

Test(socket_stream, bytes_go_both_ways)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "ping", 4, 0), 4);
    cr_assert_eq(receive_bytes(ends[1], in, LARGE, 0), 4);
    cr_assert_eq(memcmp(in, "ping", 4), 0);
    cr_assert_eq(send_bytes(ends[1], "pong!", 5, 0), 5);
    cr_assert_eq(receive_bytes(ends[0], in, LARGE, 0), 5);
}

Test(socket_stream, unconnected_sockets_cannot_talk)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(receive_bytes(id, in, 1, 0), -ENOTCONN);
    cr_assert_eq(socket_shutdown(id, SHUT_RDWR), -ENOTCONN);
    cr_assert_eq(socket_accept(id, NULL, NULL, 0), -EINVAL);
    cr_assert_eq(socket_poll_events(id), POLLOUT | POLLHUP);
}

Test(socket_stream, receive_waits_for_data)
{
    int ends[2];
    uint64_t start_ns;

    make_connection(ends);
    start_ns = world_now();
    send_later(70 * NS_PER_MS, ends[0], "late");
    cr_assert_eq(receive_bytes(ends[1], in, LARGE, 0), 4);
    cr_assert_geq(world_now() - start_ns, 70 * NS_PER_MS);
    cr_assert_lt(world_now() - start_ns, 75 * NS_PER_MS);
}

Test(socket_stream, receive_gives_up_after_its_timeout)
{
    int ends[2];
    uint64_t start_ns;

    make_connection(ends);
    set_timeouts(ends[1], 250);
    start_ns = world_now();
    cr_assert_eq(receive_bytes(ends[1], in, LARGE, 0), -EAGAIN);
    cr_assert_eq(world_now() - start_ns, 250 * NS_PER_MS);
}

Test(socket_stream, waiting_for_all_gathers_pieces)
{
    int ends[2];

    make_connection(ends);
    send_later(10 * NS_PER_MS, ends[0], "abc");
    send_later(20 * NS_PER_MS, ends[0], "def");
    cr_assert_eq(receive_bytes(ends[1], in, 6, MSG_WAITALL), 6);
    cr_assert_eq(memcmp(in, "abcdef", 6), 0);
    send_later(10 * NS_PER_MS, ends[0], "gh");
    close_later(20 * NS_PER_MS, ends[0]);
    cr_assert_eq(receive_bytes(ends[1], in, 6, MSG_WAITALL), 2);
}

Test(socket_stream, peeking_leaves_the_data)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "peek", 4, 0), 4);
    cr_assert_eq(receive_bytes(ends[1], in, 2, MSG_PEEK), 2);
    send_later(10 * NS_PER_MS, ends[0], "ing");
    cr_assert_eq(receive_bytes(ends[1], in, 7, MSG_PEEK | MSG_WAITALL), 7);
    cr_assert_eq(receive_bytes(ends[1], in, 10, 0), 7);
    cr_assert_eq(receive_bytes(ends[1], in, 10, MSG_DONTWAIT), -EAGAIN);
}

Test(socket_stream, a_nonblocking_socket_sends_what_fits)
{
    int ends[2];
    size_t sent = 0;
    size_t received = 0;
    ssize_t result;

    make_connection(ends);
    for (size_t i = 0; i < LARGE; i++)
        out[i] = (uint8_t)(i * 31 >> 3);
    cr_assert_eq(socket_set_nonblocking(ends[0], true), 0);
    cr_assert_eq(socket_set_nonblocking(ends[1], true), 0);
    while (received < LARGE) {
        result =
            sent < LARGE ? send_bytes(ends[0], out + sent, LARGE - sent, 0) : 0;
        cr_assert(result >= 0 || result == -EAGAIN);
        sent += result > 0 ? (size_t)result : 0;
        result = receive_bytes(ends[1], in + received, LARGE - received, 0);
        cr_assert(result > 0 || result == -EAGAIN);
        received += result > 0 ? (size_t)result : 0;
        world_run_for(NS_PER_MS);
    }
    cr_assert_eq(memcmp(in, out, LARGE), 0);
}

Test(socket_stream, a_full_socket_is_eagain_and_not_writable)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(socket_set_nonblocking(ends[0], true), 0);
    while (send_bytes(ends[0], out, 65536, 0) > 0)
        world_run_for(NS_PER_MS);
    cr_assert_eq(send_bytes(ends[0], out, 1, 0), -EAGAIN);
    cr_assert_eq(socket_poll_events(ends[0]) & POLLOUT, 0);
    while (receive_bytes(ends[1], in, LARGE, MSG_DONTWAIT) > 0)
        world_run_for(NS_PER_MS);
    world_run_for(NS_PER_S);
    cr_assert_neq(socket_poll_events(ends[0]) & POLLOUT, 0);
}

Test(socket_stream, a_blocking_send_gives_up_after_its_timeout)
{
    int ends[2];
    uint64_t start_ns;
    ssize_t sent;

    make_connection(ends);
    set_timeouts(ends[0], 100);
    start_ns = world_now();
    do
        sent = send_bytes(ends[0], out, LARGE, 0);
    while (sent == LARGE);
    cr_assert(sent > 0 || sent == -EAGAIN);
    cr_assert_geq(world_now() - start_ns, 100 * NS_PER_MS);
    cr_assert_eq(send_bytes(ends[0], out, 1, MSG_DONTWAIT), -EAGAIN);
}

Test(socket_stream, many_pieces_arrive_in_order)
{
    struct iovec pieces[40];
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 40};
    int ends[2];

    make_connection(ends);
    for (size_t i = 0; i < 40; i++) {
        out[i] = (uint8_t)i;
        pieces[i] = (struct iovec){out + i, i % 4 == 3 ? 0 : 1};
    }
    cr_assert_eq(socket_sendmsg(ends[0], &message, 0), 30);
    for (size_t i = 0; i < 40; i++)
        pieces[i] = (struct iovec){in + i, 1};
    cr_assert_eq(socket_recvmsg(ends[1], &message, 0), 30);
    for (size_t i = 0, expected = 0; i < 30; i++, expected++) {
        expected += expected % 4 == 3;
        cr_assert_eq(in[i], expected);
    }
}

Test(socket_stream, static_memory_is_sent_as_it_lies)
{
    static uint8_t file[200000];
    int ends[2];
    size_t sent = 0;
    size_t received = 0;

    make_connection(ends);
    for (size_t i = 0; i < sizeof(file); i++)
        file[i] = (uint8_t)(i >> 5);
    while (received < sizeof(file)) {
        ssize_t result = socket_send_static(ends[0], file + sent,
                                            sizeof(file) - sent, MSG_DONTWAIT);

        sent += result > 0 ? (size_t)result : 0;
        result = receive_bytes(ends[1], in + received, LARGE - received,
                               MSG_DONTWAIT);
        received += result > 0 ? (size_t)result : 0;
        world_run_for(NS_PER_MS);
    }
    cr_assert_eq(memcmp(in, file, sizeof(file)), 0);
}

Test(socket_stream, the_end_of_file_is_zero_and_readable)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    cr_assert_eq(socket_shutdown(ends[0], SHUT_WR), 0);
    world_run_for(NS_PER_MS);
    cr_assert_eq(socket_poll_events(ends[1]) & (POLLIN | POLLRDHUP | POLLHUP),
                 POLLIN | POLLRDHUP);
    cr_assert_eq(receive_bytes(ends[1], in, 9, 0), 1);
    cr_assert_eq(receive_bytes(ends[1], in, 9, 0), 0);
    cr_assert_eq(receive_bytes(ends[1], in, 9, 0), 0);
    cr_assert_eq(send_bytes(ends[0], "y", 1, 0), -EPIPE);
    cr_assert_eq(send_bytes(ends[1], "back", 4, 0), 4);
    cr_assert_eq(receive_bytes(ends[0], in, 9, 0), 4);
}

Test(socket_stream, a_closed_peer_with_unread_data_resets)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "unread", 6, 0), 6);
    world_run_for(NS_PER_MS);
    cr_assert_eq(socket_close(ends[1]), 0);
    world_run_for(NS_PER_MS);
    cr_assert_neq(socket_poll_events(ends[0]) & POLLERR, 0);
    cr_assert_eq(get_option(ends[0], SOL_SOCKET, SO_ERROR), ECONNRESET);
    cr_assert_eq(get_option(ends[0], SOL_SOCKET, SO_ERROR), 0);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), -EPIPE);
    cr_assert_eq(receive_bytes(ends[0], in, 1, 0), 0);
}

Test(socket_stream, queued_bytes_are_counted)
{
    int ends[2];
    int bytes = -1;

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "12345", 5, 0), 5);
    world_run_for(NS_PER_MS);
    cr_assert_eq(socket_readable_bytes(ends[1], &bytes), 0);
    cr_assert_eq(bytes, 5);
}

Test(socket_stream, waiting_for_any_socket_ends_when_one_is_ready)
{
    int ends[2];
    uint64_t generation;
    uint64_t start_ns;

    make_connection(ends);
    world_run_for(NS_PER_MS);
    generation = socket_generation();
    start_ns = world_now();
    send_later(30 * NS_PER_MS, ends[0], "x");
    socket_wait(generation, start_ns + NS_PER_S);
    cr_assert_lt(world_now() - start_ns, 35 * NS_PER_MS);
    cr_assert_neq(socket_generation(), generation);
    socket_wait(socket_generation() - 1, PLATFORM_NEVER);
}

Test(socket_stream, several_sockets_are_looked_at_in_one_go)
{
    int ends[2];
    uint64_t now_ns;

    make_connection(ends);
    cr_assert_eq(send_bytes(ends[0], "x", 1, 0), 1);
    world_run_for(NS_PER_MS);
    now_ns = socket_look_begin();
    cr_assert_eq(socket_look(ends[1]) & POLLIN, POLLIN);
    cr_assert_eq(socket_look(ends[0]) & (POLLIN | POLLOUT), POLLOUT);
    cr_assert_eq(socket_look(999999), POLLNVAL);
    socket_look_end(now_ns);
}
