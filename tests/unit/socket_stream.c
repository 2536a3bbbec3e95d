/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets as an app sees them: results and errors are Linux's.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/limits.h"
#include "net/socket/draft.h"

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

Test(socket_stream, every_slot_comes_back)
{
    size_t before = socket_count_free();

    for (int round = 0; round < 50; round++) {
        int ends[2];

        make_connection(ends);
        cr_assert_eq(socket_count_free(), before - 2);
        cr_assert_eq(socket_close(ends[round % 2]), 0);
        cr_assert_eq(socket_close(ends[1 - round % 2]), 0);
    }
    cr_assert_eq(socket_count_free(), before);
}

Test(socket_stream, when_all_slots_are_taken_open_is_emfile)
{
    size_t free_count = socket_count_free();
    int last = -1;

    for (size_t i = 0; i < free_count; i++)
        last = socket_open(AF_INET, SOCK_STREAM, 0);
    cr_assert_geq(last, 0);
    cr_assert_eq(socket_open(AF_INET, SOCK_STREAM, 0), -EMFILE);
    cr_assert_eq(socket_close(last), 0);
    cr_assert_eq(socket_open(AF_INET, SOCK_STREAM, 0), last);
}

Test(socket_stream, calls_on_no_socket_are_ebadf)
{
    cr_assert_eq(socket_close(5), -EBADF);
    cr_assert_eq(socket_listen(-1, 1), -EBADF);
    cr_assert_eq(connect_to(1 << 30, LOOPBACK, 1), -EBADF);
    cr_assert_eq(send_bytes(0, "x", 1, 0), -EBADF);
    cr_assert_eq(socket_poll_events(0), POLLNVAL);
}

Test(socket_stream, odd_families_types_and_protocols_are_refused)
{
    cr_assert_eq(socket_open(AF_UNIX, SOCK_STREAM, 0), -EAFNOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_SEQPACKET, 0), -ESOCKTNOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_STREAM, IPPROTO_UDP),
                 -EPROTONOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_DGRAM, IPPROTO_TCP),
                 -EPROTONOSUPPORT);
}

Test(socket_stream, connecting_where_nobody_listens_is_refused)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -ECONNREFUSED);
    make_listener(1);
    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), 0, "may try again");
}

Test(socket_stream, a_second_connect_is_eisconn)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(connect_to(ends[0], LOOPBACK, TEST_PORT), -EISCONN);
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

Test(socket_stream, names_of_both_ends_agree)
{
    struct sockaddr_in a;
    struct sockaddr_in b;
    socklen_t length = sizeof(a);
    int ends[2];

    make_connection(ends);
    cr_assert_eq(socket_getpeername(ends[0], (struct sockaddr *)&a, &length),
                 0);
    cr_assert_eq(length, sizeof(a));
    cr_assert_eq(ntohs(a.sin_port), TEST_PORT);
    cr_assert_eq(ntohl(a.sin_addr.s_addr), LOOPBACK);
    cr_assert_eq(socket_getsockname(ends[0], (struct sockaddr *)&a, &length),
                 0);
    cr_assert_eq(socket_getpeername(ends[1], (struct sockaddr *)&b, &length),
                 0);
    cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
}

Test(socket_stream, accept_tells_who_came_even_into_a_short_buffer)
{
    int listener = make_listener(1);
    int id = socket_open(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in ours;
    struct sockaddr_in told;
    socklen_t length = sizeof(ours);
    socklen_t told_length = 4;

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), 0);
    cr_assert_eq(socket_getsockname(id, (struct sockaddr *)&ours, &length), 0);
    memset(&told, 0xaa, sizeof(told));
    cr_assert_geq(
        socket_accept(listener, (struct sockaddr *)&told, &told_length, 0), 0);
    cr_assert_eq(told_length, sizeof(told));
    cr_assert_eq(told.sin_port, ours.sin_port);
    cr_assert_eq(told.sin_addr.s_addr, 0xaaaaaaaa);
}

Test(socket_stream, accept_waits_and_gives_up)
{
    int listener = make_listener(1);
    uint64_t start_ns = world_now();

    set_timeouts(listener, 40);
    cr_assert_eq(socket_accept(listener, NULL, NULL, 0), -EAGAIN);
    cr_assert_eq(world_now() - start_ns, 40 * NS_PER_MS);
    cr_assert_eq(socket_set_nonblocking(listener, true), 0);
    cr_assert_eq(socket_accept(listener, NULL, NULL, 0), -EAGAIN);
}

Test(socket_stream, accepted_sockets_are_nonblocking_only_when_asked)
{
    int listener = make_listener(4);
    int id[2];

    cr_assert_eq(socket_set_nonblocking(listener, true), 0);
    for (int i = 0; i < 2; i++) {
        int client = socket_open(AF_INET, SOCK_STREAM, 0);

        cr_assert_eq(connect_to(client, LOOPBACK, TEST_PORT), 0);
        world_run_for(NS_PER_MS);
        id[i] = socket_accept(listener, NULL, NULL, i ? SOCK_NONBLOCK : 0);
    }
    cr_assert_not(socket_is_nonblocking(id[0]));
    cr_assert(socket_is_nonblocking(id[1]));
}

Test(socket_stream, a_nonblocking_connect_ends_in_writable)
{
    int listener = make_listener(1);
    int id = socket_open(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -EINPROGRESS);
    world_run_for(NS_PER_MS);
    cr_assert_neq(socket_poll_events(id) & POLLOUT, 0);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_ERROR), 0);
    cr_assert_eq(socket_getpeername(id, (struct sockaddr *)&peer, &length), 0);
    cr_assert_eq(send_bytes(id, "hi", 2, 0), 2);
    cr_assert_geq(socket_accept(listener, NULL, NULL, 0), 0);
}

Test(socket_stream, a_nonblocking_connect_refused_is_told_once)
{
    int id = socket_open(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -EINPROGRESS);
    world_run_for(NS_PER_MS);
    cr_assert_neq(socket_poll_events(id) & POLLERR, 0);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    cr_assert_eq(socket_getpeername(id, (struct sockaddr *)&peer, &length),
                 -ENOTCONN);
    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -ECONNABORTED,
                 "the failed attempt is over, not successful");
    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -EINPROGRESS);
}

Test(socket_stream, a_bound_port_is_taken_before_anybody_listens)
{
    int first = socket_open(AF_INET, SOCK_STREAM, 0);
    int second = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind_to(first, INADDR_ANY, TEST_PORT), 0);
    cr_assert_eq(bind_to(first, INADDR_ANY, TEST_PORT + 1), -EINVAL);
    cr_assert_eq(bind_to(second, INADDR_ANY, TEST_PORT), -EADDRINUSE);
    cr_assert_eq(bind_to(second, LOOPBACK, TEST_PORT), -EADDRINUSE);
    cr_assert_eq(socket_close(first), 0);
    cr_assert_eq(bind_to(second, INADDR_ANY, TEST_PORT), 0);
}

Test(socket_stream, two_that_allow_reuse_may_be_bound_but_one_listens)
{
    int first = socket_open(AF_INET, SOCK_STREAM, 0);
    int second = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(set_option(second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(bind_to(first, INADDR_ANY, TEST_PORT), 0);
    cr_assert_eq(bind_to(second, INADDR_ANY, TEST_PORT), 0);
    cr_assert_eq(socket_listen(first, 1), 0);
    cr_assert_eq(socket_listen(second, 1), -EADDRINUSE);
}

Test(socket_stream, chosen_ports_differ)
{
    struct sockaddr_in names[20];

    for (int i = 0; i < 20; i++) {
        int id = socket_open(AF_INET, SOCK_STREAM, 0);
        socklen_t length = sizeof(names[i]);

        cr_assert_eq(bind_to(id, LOOPBACK, 0), 0);
        cr_assert_eq(
            socket_getsockname(id, (struct sockaddr *)&names[i], &length), 0);
        cr_assert_neq(names[i].sin_port, 0);
        for (int j = 0; j < i; j++)
            cr_assert_neq(names[i].sin_port, names[j].sin_port);
    }
}

Test(socket_stream, an_address_that_is_not_ours_cannot_be_bound)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind_to(id, 0x08080808, TEST_PORT), -EADDRNOTAVAIL);
}

Test(socket_stream, bad_addresses_are_named)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in name = socket_address(LOOPBACK, TEST_PORT);

    cr_assert_eq(socket_bind(id, (struct sockaddr *)&name, 8), -EINVAL);
    cr_assert_eq(socket_bind(id, NULL, sizeof(name)), -EINVAL);
    name.sin_family = AF_INET6;
    cr_assert_eq(socket_bind(id, (struct sockaddr *)&name, sizeof(name)),
                 -EAFNOSUPPORT);
    cr_assert_eq(socket_connect(id, (struct sockaddr *)&name, sizeof(name)),
                 -EAFNOSUPPORT);
}

Test(socket_stream, closing_a_listener_resets_who_was_not_accepted)
{
    int listener = make_listener(4);
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), 0);
    world_run_for(NS_PER_MS);
    cr_assert_eq(socket_close(listener), 0);
    world_run_for(NS_PER_MS);
    cr_assert_eq(receive_bytes(id, in, 1, 0), -ECONNRESET);
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

/* What is bound but neither listens nor connects takes an object of which
 * there are fewer than sockets; who finds none can try again. */
Test(socket_stream, bound_sockets_run_out_before_sockets_do)
{
    static int ids[SOCKETS_MAX];
    int on = 1;
    size_t bound = 0;

    while (true) {
        ids[bound] = socket_open(AF_INET, SOCK_STREAM, 0);
        cr_assert_geq(ids[bound], 0);
        int result = socket_setsockopt(ids[bound], SOL_SOCKET, SO_KEEPALIVE,
                                       &on, sizeof(on));
        bound++;
        if (result != 0) {
            cr_assert_eq(result, -ENOBUFS);
            break;
        }
        cr_assert_lt(bound, socket_count_total());
    }
    cr_assert_gt(bound, socket_count_total() / STREAM_DRAFT_DIVISOR);
    struct sockaddr_in any = {.sin_family = AF_INET};
    cr_assert_eq(
        socket_bind(ids[bound - 1], (struct sockaddr *)&any, sizeof(any)),
        -ENOBUFS);
    cr_assert_eq(socket_close(ids[0]), 0);
    cr_assert_eq(
        socket_bind(ids[bound - 1], (struct sockaddr *)&any, sizeof(any)), 0);
    for (size_t i = 1; i < bound; i++)
        cr_assert_eq(socket_close(ids[i]), 0);
    cr_assert_eq(drafts_used(), 0);
}
