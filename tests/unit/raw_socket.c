/* SPDX-License-Identifier: MIT */
/*
 * Raw and ping sockets as an app of a router sees them.
 * test-links: tests/unit/support_net.c tests/unit/support_router.c
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_router.h"
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "net/ip/input.h"
#include "net/raw/raw.h"
#include "net/socket/epoll.h"
#include "net/wire/checksum.h"

enum {
    SOME_PROTOCOL = 89,
    ALL = 3, /* ETH_P_ALL */
};

static struct test_frame frame;
static uint8_t in[70000];
static struct sockaddr_in sender;

static void start(void)
{
    router_world();
    learn_peer();
    socket_world_use(stack);
}

TestSuite(raw_socket, .init = start, .timeout = 60);
TestSuite(hostile_raw, .init = start, .timeout = 60);

static int open_socket(int domain, int type, int protocol)
{
    int id = socket_open(domain, type | SOCK_NONBLOCK, protocol);

    cr_assert_geq(id, 0, "%d", id);
    return id;
}

static ssize_t receive_from(int id, void *name, socklen_t length)
{
    struct iovec piece = {in, sizeof(in)};
    struct msghdr message = {.msg_name = name,
                             .msg_namelen = length,
                             .msg_iov = &piece,
                             .msg_iovlen = 1};

    return socket_recvmsg(id, &message, 0);
}

static ssize_t receive(int id)
{
    return receive_from(id, &sender, sizeof(sender));
}

static ssize_t send_named(int id, void *name, socklen_t size, const void *bytes,
                          size_t length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    struct msghdr message = {.msg_name = name,
                             .msg_namelen = size,
                             .msg_iov = &piece,
                             .msg_iovlen = 1};
    ssize_t result = socket_sendmsg(id, &message, 0);

    settle();
    return result;
}

static ssize_t send_to(int id, uint32_t address, const void *bytes,
                       size_t length)
{
    struct sockaddr_in name = socket_address(address, 0);

    return send_named(id, &name, sizeof(name), bytes, length);
}

/* ---- raw ------------------------------------------------------------------
 */

Test(raw_socket, a_packet_of_its_protocol_is_heard_from_the_ip_header_on)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    int other = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL + 1);

    make_ip(&frame, SOME_PROTOCOL, PEER_ADDRESS, OUR_ADDRESS, "hello", 5);
    inject(&frame);
    cr_assert_eq(receive(id), 25);
    cr_assert_arr_eq(in, ip_of(&frame), 25);
    cr_assert_eq(ntohl(sender.sin_addr.s_addr), PEER_ADDRESS);
    cr_assert_eq(sender.sin_port, 0);
    cr_assert_eq(receive(other), -EAGAIN);
    cr_assert_null(received_icmp(0), "somebody took it");
    cr_assert_eq(socket_close(id), 0);
    cr_assert_eq(socket_close(other), 0);
    inject(&frame);
    cr_assert_eq(received_icmp(0)->code, ICMP_PROTOCOL_UNREACHABLE);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(raw_socket, every_listener_gets_a_copy_and_the_transport_its_packet)
{
    int one = open_socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    int two = open_socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
    int udp = open_socket(AF_INET, SOCK_DGRAM, 0);

    cr_assert_eq(bind_to(udp, INADDR_ANY, 5000), 0);
    make_udp(&frame, PEER_ADDRESS, 1000, OUR_ADDRESS, 5000, "abc", 3);
    inject(&frame);
    cr_assert_eq(receive(one), 31);
    cr_assert_eq(receive(two), 31);
    cr_assert_eq(receive(udp), 3);
}

Test(raw_socket, bound_and_connected_ones_hear_only_that)
{
    int bound = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    int connected = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    int inner = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);

    cr_assert_eq(bind_to(bound, OUR_ADDRESS, 0), 0);
    cr_assert_eq(bind_to(bound, 0x01020304, 0), -EADDRNOTAVAIL);
    cr_assert_eq(connect_to(connected, PEER_ADDRESS + 1, 0), 0);
    cr_assert_eq(
        socket_setsockopt(inner, SOL_SOCKET, SO_BINDTODEVICE, "eth1", 4), 0);
    cr_assert_eq(
        socket_setsockopt(inner, SOL_SOCKET, SO_BINDTODEVICE, "eth9", 4),
        -ENODEV);
    make_ip(&frame, SOME_PROTOCOL, PEER_ADDRESS, OUR_ADDRESS, "hello", 5);
    inject(&frame);
    cr_assert_eq(receive(bound), 25);
    cr_assert_eq(receive(connected), -EAGAIN);
    cr_assert_eq(receive(inner), -EAGAIN);
    make_ip(&frame, SOME_PROTOCOL, INSIDE_ADDRESS, INSIDE_ROUTER, "hello", 5);
    inject_inside(&frame);
    cr_assert_eq(receive(bound), -EAGAIN);
    cr_assert_eq(receive(inner), 25);
    make_ip(&frame, SOME_PROTOCOL, PEER_ADDRESS + 1, OUR_ADDRESS, "hi", 2);
    inject(&frame);
    cr_assert_eq(receive(connected), 22);
}

Test(raw_socket, a_payload_is_sent_under_a_header_of_ours)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    const struct ipv4_header *sent;

    cr_assert_eq(set_option(id, IPPROTO_IP, IP_TTL, 7), 0);
    cr_assert_eq(set_option(id, IPPROTO_IP, IP_TOS, 0x20), 0);
    cr_assert_eq(send_bytes(id, "x", 1, 0), -EDESTADDRREQ);
    cr_assert_eq(send_to(id, PEER_ADDRESS, "hello", 5), 5);
    sent = received_ip(SOME_PROTOCOL, 0);
    cr_assert_not_null(sent);
    cr_assert_eq(be16_get(sent->total_length), 25);
    cr_assert_eq(sent->ttl, 7);
    cr_assert_eq(sent->tos, 0x20);
    cr_assert_eq(be32_get(sent->source), OUR_ADDRESS);
    cr_assert_arr_eq(sent + 1, "hello", 5);
    cr_assert_eq(connect_to(id, PEER_ADDRESS, 0), 0);
    cr_assert_eq(send_bytes(id, "again", 5, 0), 5);
    settle();
    cr_assert_not_null(received_ip(SOME_PROTOCOL, 1));
    cr_assert_eq(send_to(id, 0x0a0000ff, "all", 3), -EACCES);
}

Test(raw_socket, what_is_longer_than_the_link_is_cut_and_put_together)
{
    static uint8_t text[60000];
    int out = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    int back = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (uint8_t)(i * 7 >> 3);
    cr_assert_eq(send_to(out, LOOPBACK, text, sizeof(text)), sizeof(text));
    cr_assert_eq(receive(back), sizeof(text) + 20);
    cr_assert_arr_eq(in + 20, text, sizeof(text));
    cr_assert_eq(send_to(out, PEER_ADDRESS, in, 65516), -EMSGSIZE);
}

Test(raw_socket, a_header_of_its_own_is_completed)
{
    int id = open_socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    struct ipv4_header made = {.version_ihl = 0x45,
                               .ttl = 3,
                               .protocol = 50,
                               .total_length = be16_from(9999),
                               .checksum = be16_from(1),
                               .destination = be32_from(PEER_ADDRESS)};
    const struct ipv4_header *sent;

    cr_assert_eq(get_option(id, IPPROTO_IP, IP_HDRINCL), 1);
    cr_assert_eq(send_to(id, PEER_ADDRESS, &made, 20), 20);
    sent = received_ip(50, 0);
    cr_assert_not_null(sent);
    cr_assert_eq(be16_get(sent->total_length), 20);
    cr_assert_eq(be32_get(sent->source), OUR_ADDRESS);
    cr_assert_eq(sent->ttl, 3);
    cr_assert(checksum_is_valid(checksum_add(0, sent, 20)));
    make_ip(&frame, IPPROTO_RAW, PEER_ADDRESS, OUR_ADDRESS, "deaf", 4);
    inject(&frame);
    cr_assert_eq(receive(id), -EAGAIN);
}

Test(hostile_raw, header_lengths_that_lie_are_refused)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    uint8_t bytes[1600] = {0};

    cr_assert_eq(set_option(id, IPPROTO_IP, IP_HDRINCL, 1), 0);
    for (unsigned first = 0; first < 256; first++) {
        ssize_t wanted =
            first >> 4 == 4 && (first & 15) >= 5 && (first & 15) * 4 <= 40
                ? 40
                : -EINVAL;

        bytes[0] = (uint8_t)first;
        bytes[9] = 77;
        cr_assert_eq(send_to(id, PEER_ADDRESS, bytes, 40), wanted, "%x", first);
    }
    bytes[0] = 0x45;
    for (size_t length = 0; length < 20; length++)
        cr_assert_eq(send_to(id, PEER_ADDRESS, bytes, length), -EINVAL);
    cr_assert_eq(send_to(id, PEER_ADDRESS, bytes, 1500), 1500);
    cr_assert_eq(send_to(id, PEER_ADDRESS, bytes, 1501), -EMSGSIZE);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile_raw, a_flood_into_a_socket_nobody_reads_stops_at_its_limit)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    int all = open_socket(AF_PACKET, SOCK_RAW, htons(ALL));
    size_t free_before = packet_count_free();
    size_t held;

    make_ip(&frame, SOME_PROTOCOL, PEER_ADDRESS, OUR_ADDRESS, "hello", 5);
    for (size_t i = 0; i < 5000; i++)
        inject(&frame);
    held = free_before - packet_count_free();
    cr_assert_gt(held, 10);
    cr_assert_leq(held * BUFFER_SIZE,
                  packet_count_total() * BUFFER_SIZE / RAW_TOTAL_POOL_DIVISOR);
    cr_assert_geq(raw_counters.buffer_errors, 10000 - held);
    cr_assert_eq(receive(id), 25, "what came first is kept");
    cr_assert_eq(socket_close(id), 0);
    cr_assert_eq(socket_close(all), 0);
    cr_assert_eq(missing_packets(), 0);
    cr_assert_eq(missing_buffers(), 0);
}

Test(hostile_raw, small_receive_buffers_hold_one_packet_and_huge_ones_the_limit)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);

    cr_assert_eq(set_option(id, SOL_SOCKET, SO_RCVBUF, 1), 0);
    make_ip(&frame, SOME_PROTOCOL, PEER_ADDRESS, OUR_ADDRESS, "hello", 5);
    inject(&frame);
    inject(&frame);
    cr_assert_eq(receive(id), 25);
    cr_assert_eq(receive(id), -EAGAIN);
    cr_assert_eq(set_option(id, SOL_SOCKET, SO_RCVBUF, 0x7fffffff), 0);
    cr_assert_leq(get_option(id, SOL_SOCKET, SO_RCVBUF),
                  (int)(packet_count_total() * BUFFER_SIZE / 4));
    cr_assert_eq(set_option(id, SOL_SOCKET, SO_RCVBUF, -1), -EINVAL);
}

Test(raw_socket, there_are_so_many_and_no_more)
{
    int id = 0;

    for (size_t i = 0; i < RAW_SOCKETS_MAX; i++)
        id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    cr_assert_eq(socket_open(AF_INET, SOCK_RAW, SOME_PROTOCOL), -ENOBUFS);
    cr_assert_eq(socket_close(id), 0);
    (void)open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
}

Test(raw_socket, calls_of_streams_are_refused_and_kinds_are_told)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);

    cr_assert_eq(socket_listen(id, 1), -EOPNOTSUPP);
    cr_assert_eq(socket_accept(id, NULL, NULL, 0), -EOPNOTSUPP);
    cr_assert_eq(socket_shutdown(id, SHUT_RDWR), -EOPNOTSUPP);
    cr_assert_eq(socket_send_static(id, "x", 1, 0), -EINVAL);
    cr_assert_eq(socket_at_mark(id), -EINVAL);
    cr_assert_eq(set_option(id, IPPROTO_TCP, 1, 1), -ENOPROTOOPT);
    cr_assert_eq(get_option(id, IPPROTO_TCP, 11), -ENOPROTOOPT);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_TYPE), SOCK_RAW);
    cr_assert_eq(get_option(open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
                            SOL_SOCKET, SO_TYPE),
                 SOCK_DGRAM);
    cr_assert_eq(get_option(id, SOL_SOCKET, SO_PROTOCOL), SOME_PROTOCOL);
    cr_assert_eq(socket_open(AF_INET, SOCK_RAW, 0), -EPROTONOSUPPORT);
    cr_assert_eq(socket_open(AF_INET, SOCK_RAW, 256), -EPROTONOSUPPORT);
    cr_assert_eq(socket_open(AF_PACKET, SOCK_STREAM, 0), -ESOCKTNOSUPPORT);
}

Test(raw_socket, names_of_both_ends_are_told)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    int frames = open_socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_in name = {.sin_port = 1};
    struct sockaddr *any = (struct sockaddr *)&name;
    socklen_t length = sizeof(name);

    cr_assert_eq(socket_getpeername(id, any, &length), -ENOTCONN);
    cr_assert_eq(socket_getpeername(frames, any, &length), -EOPNOTSUPP);
    cr_assert_eq(socket_getsockname(id, any, &length), 0);
    cr_assert_eq(name.sin_family, AF_INET);
    cr_assert_eq(name.sin_addr.s_addr, INADDR_ANY);
    cr_assert_eq(connect_to(id, LOOPBACK, 0), 0);
    cr_assert_eq(socket_getpeername(id, any, &length), 0);
    cr_assert_eq(name.sin_addr.s_addr, htonl(LOOPBACK));
}

Test(raw_socket, poll_epoll_and_waiting_tell_when_there_is_something)
{
    int id = open_socket(AF_INET, SOCK_RAW, SOME_PROTOCOL);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    struct epoll epoll = {0};
    struct epoll_watch watch;
    int bytes = -1;

    cr_assert_eq(socket_epoll_add(&epoll, &watch, id, &event), 0);
    cr_assert_eq(socket_poll_events(id), POLLOUT | POLLWRNORM);
    make_ip(&frame, SOME_PROTOCOL, PEER_ADDRESS, OUR_ADDRESS, "hello", 5);
    inject(&frame);
    cr_assert_neq(socket_poll_events(id) & POLLIN, 0);
    cr_assert_eq(socket_epoll_wait(&epoll, &event, 1, 0), 1);
    cr_assert_eq(socket_readable_bytes(id, &bytes), 0);
    cr_assert_eq(bytes, 25);
    cr_assert_eq(receive_bytes(id, in, 4, MSG_PEEK), 4);
    cr_assert_eq(receive(id), 25);
    cr_assert_eq(socket_set_nonblocking(id, false), 0);
    world_port_send(&peer.port, frame_new(frame.bytes, frame.length));
    cr_assert_eq(receive(id), 25, "it waited");
    set_timeouts(id, 20);
    cr_assert_eq(receive(id), -EAGAIN);
}

/* ---- ping -----------------------------------------------------------------
 */

static const uint8_t echo[12] = {8, 0, 0, 0, 9, 9, 0, 1, 'p', 'i', 'n', 'g'};

static void answer(uint16_t identifier, uint8_t type)
{
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, type, 0,
              (uint32_t)identifier << 16 | 1, "ping", 4);
    inject(&frame);
}

Test(raw_socket, a_ping_goes_out_under_our_identifier_and_its_answer_comes_back)
{
    int id = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    const struct icmp_header *sent;

    cr_assert_eq(bind_to(id, INADDR_ANY, 4711), 0);
    cr_assert_eq(send_to(id, PEER_ADDRESS, echo, sizeof(echo)), sizeof(echo));
    sent = received_icmp(0);
    cr_assert_not_null(sent);
    cr_assert_eq(sent->rest[0] << 8 | sent->rest[1], 4711);
    cr_assert(checksum_is_valid(checksum_add(0, sent, sizeof(echo))));
    answer(4711, 0);
    cr_assert_eq(receive(id), sizeof(echo));
    cr_assert_eq(in[0], 0);
    cr_assert_arr_eq(in + 8, "ping", 4);
    cr_assert_eq(ntohl(sender.sin_addr.s_addr), PEER_ADDRESS);
}

Test(hostile_raw, answers_to_others_and_broken_ones_are_not_heard)
{
    int id = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    int other = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

    cr_assert_eq(bind_to(id, INADDR_ANY, 4711), 0);
    cr_assert_eq(bind_to(other, INADDR_ANY, 4711), -EADDRINUSE);
    answer(4712, 0);
    answer(4711, 8);
    make_icmp(&frame, PEER_ADDRESS, OUR_ADDRESS, 0, 0, 4711u << 16, "ping", 4);
    ip_payload_of(&frame)[9] ^= 1;
    inject(&frame);
    make_ip(&frame, 1, PEER_ADDRESS, OUR_ADDRESS, "\0\0\xff", 3);
    inject(&frame);
    cr_assert_eq(receive(id), -EAGAIN);
    cr_assert_eq(send_to(id, PEER_ADDRESS, echo, 7), -EINVAL);
    cr_assert_eq(send_to(id, PEER_ADDRESS, "\0\0\0\0\0\0\0\0", 8), -EINVAL);
    cr_assert_eq(missing_packets(), 0);
}

Test(raw_socket, an_error_about_our_ping_is_the_sockets_and_no_other)
{
    int id = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    uint8_t quote[28];

    cr_assert_eq(bind_to(id, INADDR_ANY, 4711), 0);
    cr_assert_eq(connect_to(id, PEER_ADDRESS, 0), 0);
    cr_assert_eq(send_bytes(id, echo, sizeof(echo), 0), sizeof(echo));
    settle();
    memcpy(quote, received_ip(1, 0), sizeof(quote));
    quote[25] ^= 1; /* another's identifier */
    make_icmp(&frame, 0x0a000009, OUR_ADDRESS, 3, 1, 0, quote, sizeof(quote));
    inject(&frame);
    cr_assert_eq(receive(id), -EAGAIN);
    quote[25] ^= 1;
    make_icmp(&frame, 0x0a000009, OUR_ADDRESS, 3, 1, 0, quote, sizeof(quote));
    inject(&frame);
    cr_assert_neq(socket_poll_events(id) & POLLERR, 0);
    cr_assert_eq(receive(id), -EHOSTUNREACH);
    cr_assert_eq(receive(id), -EAGAIN);
}
