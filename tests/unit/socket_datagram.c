/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets as an app sees them.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

enum { PORT_A = 5001, PORT_B = 5002 };

static uint8_t in[70000];

TestSuite(socket_datagram, .init = socket_world);

static ssize_t send_to(int id, uint16_t port, const void *bytes, size_t length)
{
    struct sockaddr_in name = socket_address(LOOPBACK, port);
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof(name),
                             .msg_iov = &piece,
                             .msg_iovlen = 1};

    return socket_sendmsg(id, &message, 0);
}

Test(socket_datagram, a_datagram_arrives_with_its_sender)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    struct sockaddr_in sender = {0};
    struct iovec piece = {in, sizeof(in)};
    struct msghdr message = {.msg_name = &sender,
                             .msg_namelen = sizeof(sender),
                             .msg_iov = &piece,
                             .msg_iovlen = 1};

    cr_assert_eq(send_to(a, PORT_B, "hello", 5), 5);
    cr_assert_eq(socket_recvmsg(b, &message, 0), 5);
    cr_assert_eq(memcmp(in, "hello", 5), 0);
    cr_assert_eq(message.msg_namelen, sizeof(sender));
    cr_assert_eq(ntohs(sender.sin_port), PORT_A);
    cr_assert_eq(ntohl(sender.sin_addr.s_addr), LOOPBACK);
    cr_assert_eq(message.msg_flags, 0);
}

Test(socket_datagram, boundaries_are_kept_and_the_rest_of_a_long_one_is_lost)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    struct iovec piece = {in, 4};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    cr_assert_eq(send_to(a, PORT_B, "abcdefgh", 8), 8);
    cr_assert_eq(send_to(a, PORT_B, "", 0), 0);
    cr_assert_eq(send_to(a, PORT_B, "ijklmnop", 8), 8);
    cr_assert_eq(socket_recvmsg(b, &message, 0), 4);
    cr_assert_eq(message.msg_flags, MSG_TRUNC);
    cr_assert_eq(socket_recvmsg(b, &message, 0), 0);
    cr_assert_eq(message.msg_flags, 0);
    cr_assert_eq(socket_recvmsg(b, &message, MSG_TRUNC), 8);
    cr_assert_eq(memcmp(in, "ijkl", 4), 0);
    cr_assert_eq(socket_recvmsg(b, &message, MSG_DONTWAIT), -EAGAIN);
}

Test(socket_datagram, peeking_leaves_the_datagram)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    int bytes = -1;

    cr_assert_eq(send_to(a, PORT_B, "one", 3), 3);
    cr_assert_eq(send_to(a, PORT_B, "three", 5), 5);
    world_run_for(NS_PER_MS);
    cr_assert_eq(receive_bytes(b, in, 9, MSG_PEEK), 3);
    cr_assert_eq(socket_readable_bytes(b, &bytes), 0);
    cr_assert_eq(bytes, 3);
    cr_assert_eq(receive_bytes(b, in, 9, 0), 3);
    cr_assert_eq(receive_bytes(b, in, 9, 0), 5);
}

Test(socket_datagram, pieces_are_gathered_and_scattered)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    struct sockaddr_in name = socket_address(LOOPBACK, PORT_B);
    char text[] = "abcdef";
    struct iovec pieces[3] = {{text, 2}, {text + 2, 0}, {text + 2, 4}};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof(name),
                             .msg_iov = pieces,
                             .msg_iovlen = 3};

    cr_assert_eq(socket_sendmsg(a, &message, 0), 6);
    pieces[0] = (struct iovec){in, 1};
    pieces[1] = (struct iovec){in + 1, 3};
    pieces[2] = (struct iovec){in + 4, 10};
    message.msg_name = NULL;
    cr_assert_eq(socket_recvmsg(b, &message, 0), 6);
    cr_assert_eq(memcmp(in, "abcdef", 6), 0);
    message.msg_iovlen = 100;
    cr_assert_eq(socket_sendmsg(a, &message, 0), -EMSGSIZE);
}

Test(socket_datagram, a_connected_socket_hears_only_its_peer)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    int stranger = make_datagram(PORT_B + 1);

    cr_assert_eq(send_bytes(a, "x", 1, 0), -EDESTADDRREQ);
    cr_assert_eq(connect_to(a, LOOPBACK, PORT_B), 0);
    cr_assert_eq(send_to(stranger, PORT_A, "no", 2), 2);
    cr_assert_eq(send_to(b, PORT_A, "yes", 3), 3);
    cr_assert_eq(receive_bytes(a, in, 9, 0), 3);
    cr_assert_eq(send_bytes(a, "back", 4, 0), 4);
    cr_assert_eq(receive_bytes(b, in, 9, 0), 4);
}

Test(socket_datagram, connecting_to_no_family_disconnects)
{
    int a = make_datagram(PORT_A);
    struct sockaddr_in name = {.sin_family = AF_UNSPEC};
    socklen_t length = sizeof(name);

    cr_assert_eq(socket_getpeername(a, (struct sockaddr *)&name, &length),
                 -ENOTCONN);
    cr_assert_eq(connect_to(a, LOOPBACK, PORT_B), 0);
    cr_assert_eq(socket_getpeername(a, (struct sockaddr *)&name, &length), 0);
    cr_assert_eq(ntohs(name.sin_port), PORT_B);
    name.sin_family = AF_UNSPEC;
    cr_assert_eq(socket_connect(a, (struct sockaddr *)&name, sizeof(name)), 0);
    cr_assert_eq(send_bytes(a, "x", 1, 0), -EDESTADDRREQ);
}

/* A connected socket is shut down as on Linux; another says ENOTCONN. */
Test(socket_datagram, what_is_shut_down_neither_sends_nor_waits)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);

    cr_assert_eq(socket_shutdown(a, SHUT_WR), -ENOTCONN);
    cr_assert_eq(connect_to(a, LOOPBACK, PORT_B), 0);
    cr_assert_eq(socket_shutdown(a, 3), -EINVAL);
    cr_assert_eq(send_to(b, PORT_A, "last", 4), 4);
    cr_assert_eq(socket_shutdown(a, SHUT_RD), 0);
    cr_assert_eq(receive_bytes(a, in, 9, 0), 4, "what is there is read");
    cr_assert_eq(receive_bytes(a, in, 9, 0), 0, "then it is the end");
    cr_assert_eq(socket_poll_events(a),
                 POLLIN | POLLRDNORM | POLLRDHUP | POLLOUT | POLLWRNORM);
    cr_assert_eq(send_bytes(a, "x", 1, 0), 1);
    cr_assert_eq(receive_bytes(b, in, 9, 0), 1);
    cr_assert_eq(socket_shutdown(a, SHUT_WR), 0);
    cr_assert_eq(send_bytes(a, "x", 1, 0), -EPIPE);
    cr_assert_eq(socket_poll_events(a) & POLLHUP, POLLHUP);
    cr_assert_eq(socket_close(a), 0);
    cr_assert_eq(socket_poll_events(make_datagram(PORT_A)) & POLLHUP, 0,
                 "a new one in its place is open");
}

Test(socket_datagram, connecting_to_port_0_tells_the_way_and_no_peer)
{
    int id = socket_open(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in name = socket_address(LOOPBACK, 0);
    socklen_t length = sizeof(name);

    cr_assert_eq(socket_connect(id, (void *)&name, sizeof(name)), 0);
    cr_assert_eq(socket_getpeername(id, (void *)&name, &length), -ENOTCONN);
    cr_assert_eq(socket_getsockname(id, (void *)&name, &length), 0);
    cr_assert_eq(ntohl(name.sin_addr.s_addr), LOOPBACK);
    cr_assert_eq(send_to(id, 0, "x", 1), 1, "as on Linux: into the void");
    id = socket_open(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(send_to(id, 0, "x", 1), -EINVAL);
}

Test(socket_datagram, connecting_to_no_address_is_connecting_to_ourselves)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);

    cr_assert_eq(connect_to(a, 0, PORT_B), 0);
    cr_assert_eq(send_bytes(a, "x", 1, 0), 1);
    cr_assert_eq(receive_bytes(b, in, 9, 0), 1);
}

Test(socket_datagram, a_connect_that_fails_leaves_the_peer)
{
    int a = make_datagram(PORT_A);
    struct sockaddr_in peer = socket_address(LOOPBACK, PORT_B);
    struct sockaddr_in nowhere = socket_address(0xffffffff, 9);
    struct sockaddr_in name;
    socklen_t length = sizeof(name);

    cr_assert_eq(socket_connect(a, (void *)&peer, sizeof(peer)), 0);
    cr_assert_lt(socket_connect(a, (void *)&nowhere, sizeof(nowhere)), 0);
    cr_assert_eq(socket_getpeername(a, (void *)&name, &length), 0);
    cr_assert_eq(ntohs(name.sin_port), PORT_B);
}

Test(socket_datagram, an_empty_queue_takes_one_datagram_of_any_size)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    int least = 1;

    cr_assert_eq(
        socket_setsockopt(b, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)), 0);
    memset(in, 'x', sizeof(in));
    cr_assert_eq(send_to(a, PORT_B, in, 20000), 20000);
    cr_assert_eq(send_to(a, PORT_B, in, 20000), 20000);
    cr_assert_eq(receive_bytes(b, in, sizeof(in), 0), 20000);
    cr_assert_eq(receive_bytes(b, in, sizeof(in), MSG_DONTWAIT), -EAGAIN);
}

/* dnsperf begins with 100 questions at once. */
Test(socket_datagram, as_many_small_datagrams_wait_as_on_linux)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    unsigned int count = 0;

    for (unsigned int i = 0; i < 300; i++) {
        cr_assert_eq(send_to(a, PORT_B, &i, sizeof(i)), sizeof(i));
        world_run_for(NS_PER_US);
    }
    while (receive_bytes(b, in, sizeof(in), MSG_DONTWAIT) > 0)
        count++;
    cr_assert_geq(count, 277, "%u", count);
    cr_assert_lt(count, 300);
}

Test(socket_datagram, a_port_unreachable_comes_back_as_an_error)
{
    int a = make_datagram(PORT_A);

    cr_assert_eq(connect_to(a, LOOPBACK, PORT_B), 0);
    cr_assert_eq(send_bytes(a, "x", 1, 0), 1);
    world_run_for(NS_PER_MS);
    cr_assert_neq(socket_poll_events(a) & POLLERR, 0);
    cr_assert_eq(receive_bytes(a, in, 9, 0), -ECONNREFUSED);
    cr_assert_eq(socket_poll_events(a) & POLLERR, 0);
}

Test(socket_datagram, receive_waits_and_gives_up)
{
    int a = make_datagram(PORT_A);
    int b = make_datagram(PORT_B);
    uint64_t start_ns = world_now();

    set_timeouts(b, 20);
    cr_assert_eq(receive_bytes(b, in, 9, 0), -EAGAIN);
    cr_assert_eq(world_now() - start_ns, 20 * NS_PER_MS);
    cr_assert_eq(connect_to(a, LOOPBACK, PORT_B), 0);
    send_later(10 * NS_PER_MS, a, "late");
    cr_assert_eq(receive_bytes(b, in, 9, 0), 4);
}

Test(socket_datagram, a_datagram_too_long_for_udp_is_emsgsize)
{
    int a = make_datagram(PORT_A);

    cr_assert_eq(send_to(a, PORT_B, in, 65508), -EMSGSIZE);
}

Test(socket_datagram, stream_calls_are_not_supported)
{
    int a = make_datagram(PORT_A);

    cr_assert_eq(socket_listen(a, 1), -EOPNOTSUPP);
    cr_assert_eq(socket_accept(a, NULL, NULL, 0), -EOPNOTSUPP);
    cr_assert_eq(socket_send_static(a, in, 1, 0), -EINVAL);
}

Test(socket_datagram, ports_are_exclusive_unless_shared_by_option)
{
    int a = socket_open(AF_INET, SOCK_DGRAM, 0);
    int b = socket_open(AF_INET, SOCK_DGRAM, 0);

    cr_assert_eq(bind_to(a, INADDR_ANY, PORT_A), 0);
    cr_assert_eq(bind_to(b, INADDR_ANY, PORT_A), -EADDRINUSE);
    cr_assert_eq(set_option(a, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(set_option(b, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    cr_assert_eq(bind_to(b, INADDR_ANY, PORT_A), 0);
}

Test(socket_datagram, every_slot_comes_back)
{
    size_t before = socket_count_free();

    for (int i = 0; i < 5000; i++) {
        int a = make_datagram(PORT_A);

        cr_assert_eq(socket_close(a), 0);
    }
    cr_assert_eq(socket_count_free(), before);
}

static void batch(struct mmsghdr *messages, struct iovec *pieces, char *bytes,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        pieces[i] = (struct iovec){bytes + 8 * i, 8};
        messages[i] = (struct mmsghdr){
            .msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
    }
}

Test(socket_datagram, several_messages_go_and_come_by_one_call)
{
    enum { COUNT = 5 };
    int sender = make_datagram(5001), receiver = make_datagram(5000);
    struct mmsghdr messages[COUNT + 1];
    struct iovec pieces[COUNT + 1];
    char bytes[8 * (COUNT + 1)] = {0};

    cr_assert_eq(connect_to(sender, LOOPBACK, 5000), 0);
    batch(messages, pieces, bytes, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        pieces[i].iov_len = i + 1;
    cr_assert_eq(socket_sendmmsg(sender, messages, COUNT, 0), COUNT);
    cr_assert_eq(messages[4].msg_len, 5);
    world_run_for(NS_PER_MS);
    batch(messages, pieces, bytes, COUNT + 1);
    cr_assert_eq(socket_recvmmsg(receiver, messages, 2, 0, UINT64_MAX), 2);
    cr_assert_eq(messages[1].msg_len, 2);
    cr_assert_eq(socket_recvmmsg(receiver, messages, COUNT + 1, MSG_WAITFORONE,
                                 UINT64_MAX),
                 3);
    cr_assert_eq(messages[2].msg_len, 5);
    cr_assert_eq(
        socket_recvmmsg(receiver, messages, 1, MSG_DONTWAIT, UINT64_MAX),
        -EAGAIN);
    cr_assert_eq(socket_sendmmsg(1 << 20, messages, 1, 0), -EBADF);
}

Test(socket_datagram, an_error_after_the_first_message_is_not_told)
{
    int sender = make_datagram(5001);
    struct mmsghdr messages[2];
    struct iovec pieces[2];
    char bytes[16] = {0};

    make_datagram(5000);
    cr_assert_eq(connect_to(sender, LOOPBACK, 5000), 0);
    batch(messages, pieces, bytes, 2);
    pieces[1].iov_len = 70000;
    pieces[1].iov_base = NULL;
    cr_assert_eq(socket_sendmmsg(sender, messages, 2, 0), 1);
    cr_assert_eq(socket_sendmmsg(sender, messages + 1, 1, 0), -EMSGSIZE);
}
