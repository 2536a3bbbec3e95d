/* SPDX-License-Identifier: MIT */
/*
 * Opening stream sockets: names, ports, connecting, accepting. Results and
 * errors are Linux's.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/limits.h"
#include "net/socket/draft.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

TestSuite(socket_open, .init = socket_world);

Test(socket_open, every_slot_comes_back)
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

Test(socket_open, when_all_slots_are_taken_open_is_emfile)
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

Test(socket_open, calls_on_no_socket_are_ebadf)
{
    cr_assert_eq(socket_close(5), -EBADF);
    cr_assert_eq(socket_listen(-1, 1), -EBADF);
    cr_assert_eq(connect_to(1 << 30, LOOPBACK, 1), -EBADF);
    cr_assert_eq(send_bytes(0, "x", 1, 0), -EBADF);
    cr_assert_eq(socket_poll_events(0), POLLNVAL);
}

Test(socket_open, odd_families_types_and_protocols_are_refused)
{
    cr_assert_eq(socket_open(AF_UNIX, SOCK_STREAM, 0), -EAFNOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_SEQPACKET, 0), -ESOCKTNOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_STREAM, IPPROTO_UDP),
                 -EPROTONOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_DGRAM, IPPROTO_TCP),
                 -EPROTONOSUPPORT);
}

Test(socket_open, connecting_where_nobody_listens_is_refused)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), -ECONNREFUSED);
    make_listener(1);
    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), 0, "may try again");
}

Test(socket_open, connecting_to_no_address_is_connecting_to_ourselves)
{
    struct sockaddr_in peer;
    socklen_t length = sizeof(peer);
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    make_listener(1);
    cr_assert_eq(connect_to(id, 0, TEST_PORT), 0);
    cr_assert_eq(socket_getpeername(id, (struct sockaddr *)&peer, &length), 0);
    cr_assert_eq(ntohl(peer.sin_addr.s_addr), LOOPBACK);
}

Test(socket_open, a_second_connect_is_eisconn)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(connect_to(ends[0], LOOPBACK, TEST_PORT), -EISCONN);
}

Test(socket_open, names_of_both_ends_agree)
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

Test(socket_open, accept_tells_who_came_even_into_a_short_buffer)
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

Test(socket_open, accept_waits_and_gives_up)
{
    int listener = make_listener(1);
    uint64_t start_ns = world_now();

    set_timeouts(listener, 40);
    cr_assert_eq(socket_accept(listener, NULL, NULL, 0), -EAGAIN);
    cr_assert_eq(world_now() - start_ns, 40 * NS_PER_MS);
    cr_assert_eq(socket_set_nonblocking(listener, true), 0);
    cr_assert_eq(socket_accept(listener, NULL, NULL, 0), -EAGAIN);
}

Test(socket_open, accepted_sockets_are_nonblocking_only_when_asked)
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

Test(socket_open, a_nonblocking_connect_ends_in_writable)
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

Test(socket_open, a_nonblocking_connect_refused_is_told_once)
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

Test(socket_open, a_bound_port_is_taken_before_anybody_listens)
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

Test(socket_open, two_that_allow_reuse_may_be_bound_but_one_listens)
{
    int first = socket_open(AF_INET, SOCK_STREAM, 0);
    int second = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(bind_to(first, INADDR_ANY, TEST_PORT), 0);
    cr_assert_eq(bind_to(second, INADDR_ANY, TEST_PORT), -EADDRINUSE);
    cr_assert_eq(set_option(second, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(set_option(first, SOL_SOCKET, SO_REUSEADDR, 0), 0);
    cr_assert_eq(bind_to(second, INADDR_ANY, TEST_PORT), -EADDRINUSE);
    cr_assert_eq(set_option(first, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(bind_to(second, INADDR_ANY, TEST_PORT), 0);
    cr_assert_eq(socket_listen(first, 1), 0);
    cr_assert_eq(socket_listen(second, 1), -EADDRINUSE);
}

Test(socket_open, chosen_ports_differ)
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

Test(socket_open, an_address_that_is_not_ours_cannot_be_bound)
{
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(bind_to(id, 0x08080808, TEST_PORT), -EADDRNOTAVAIL);
}

Test(socket_open, bad_addresses_are_named)
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

Test(socket_open, closing_a_listener_resets_who_was_not_accepted)
{
    uint8_t in[1];
    int listener = make_listener(4);
    int id = socket_open(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect_to(id, LOOPBACK, TEST_PORT), 0);
    world_run_for(NS_PER_MS);
    cr_assert_eq(socket_close(listener), 0);
    world_run_for(NS_PER_MS);
    cr_assert_eq(receive_bytes(id, in, 1, 0), -ECONNRESET);
}

/* What is bound but neither listens nor connects takes an object of which
 * there are fewer than sockets; who finds none can try again. */
Test(socket_open, bound_sockets_run_out_before_sockets_do)
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
