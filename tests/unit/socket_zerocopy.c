/* SPDX-License-Identifier: MIT */
/*
 * MSG_ZEROCOPY: the app's memory is read where it lies, and the error queue
 * tells when it may be changed, with Linux's numbers. What the wire shows is in
 * tests/script/sockets/zerocopy-*.pkt.
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_socket.h"

#include "net/loan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <string.h>

enum { LARGE = 1 << 20, SOME = 4000 };

static uint8_t out[LARGE];
static uint8_t in[LARGE];

TestSuite(socket_zerocopy, .init = socket_world);

static void make_sender(int ends[2])
{
    make_connection(ends);
    cr_assert_eq(set_option(ends[0], SOL_SOCKET, SO_ZEROCOPY, 1), 0);
}

static ssize_t lend(int id, size_t length)
{
    return send_bytes(id, out, length, MSG_ZEROCOPY | MSG_DONTWAIT);
}

/* The next notice; false: there is none. */
static bool take_notice(int id, uint32_t *first, uint32_t *last)
{
    uint8_t control[100];
    struct msghdr message = {.msg_control = control,
                             .msg_controllen = sizeof(control)};
    ssize_t result = socket_recvmsg(id, &message, MSG_ERRQUEUE);
    struct sock_extended_err error;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    if (result == -EAGAIN)
        return false;
    cr_assert_eq(result, 0);
    cr_assert_eq(message.msg_flags, MSG_ERRQUEUE);
    cr_assert_eq(header->cmsg_level, IPPROTO_IP);
    cr_assert_eq(header->cmsg_type, IP_RECVERR);
    cr_assert_eq(header->cmsg_len, CMSG_LEN(sizeof(error) + 16));
    memcpy(&error, CMSG_DATA(header), sizeof(error));
    cr_assert_eq(error.ee_errno, 0);
    cr_assert_eq(error.ee_origin, SO_EE_ORIGIN_ZEROCOPY);
    *first = error.ee_info;
    *last = error.ee_data;
    return true;
}

static void assert_notice(int id, uint32_t first, uint32_t last)
{
    uint32_t from = 0, to = 0;

    cr_assert(take_notice(id, &from, &to));
    cr_assert_eq(from, first);
    cr_assert_eq(to, last);
}

static void assert_no_notice(int id)
{
    uint32_t from, to;

    cr_assert_not(take_notice(id, &from, &to));
}

Test(socket_zerocopy, sends_that_arrived_are_told_as_one_range)
{
    int ends[2];

    make_sender(ends);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(lend(ends[0], SOME), SOME);
    world_run_for(NS_PER_S);
    cr_assert_eq(loans_out(), 0);
    assert_notice(ends[0], 0, 2);
    assert_no_notice(ends[0]);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    world_run_for(NS_PER_S);
    assert_notice(ends[0], 3, 3);
}

Test(socket_zerocopy, memory_is_read_when_it_leaves)
{
    int ends[2];
    size_t length = 0;

    make_sender(ends);
    cr_assert_eq(set_option(ends[0], IPPROTO_TCP, 3 /* TCP_CORK */, 1), 0);
    cr_assert_eq(lend(ends[0], 500), 500);
    memcpy(out, "changed", 7);
    cr_assert_eq(set_option(ends[0], IPPROTO_TCP, 3, 0), 0);
    while (length < 500)
        length += (size_t)receive_bytes(ends[1], in + length, LARGE, 0);
    cr_assert_arr_eq(in, "changed", 7);
}

/* Until the peer, who does not read, takes no more: the bytes sent. What
 * arrived was told. */
static ssize_t fill(int id)
{
    ssize_t sent, all = 0;
    uint32_t from, to;

    while ((sent = lend(id, LARGE)) > 0) {
        all += sent;
        world_run_for(NS_PER_S);
        while (take_notice(id, &from, &to))
            continue;
    }
    cr_assert_eq(sent, -EAGAIN);
    return all;
}

static void drain(int id, ssize_t length)
{
    for (ssize_t done = 0; done < length;)
        done += receive_bytes(id, in, LARGE, 0);
    world_run_for(NS_PER_S);
}

Test(socket_zerocopy, nothing_is_told_of_memory_in_use)
{
    int ends[2];
    ssize_t sent;
    uint32_t from, to;

    make_sender(ends);
    sent = fill(ends[0]);
    assert_no_notice(ends[0]);
    cr_assert_eq(socket_poll_events(ends[0]) & POLLERR, 0);
    cr_assert_gt(loans_out(), 0);
    drain(ends[1], sent);
    cr_assert_neq(socket_poll_events(ends[0]) & POLLERR, 0);
    cr_assert_eq(loans_out(), 0);
    cr_assert(take_notice(ends[0], &from, &to));
    cr_assert_eq(socket_poll_events(ends[0]) & POLLERR, 0);
}

Test(socket_zerocopy, a_send_that_failed_has_no_number)
{
    int ends[2];
    ssize_t sent;
    uint32_t from, last;

    make_sender(ends);
    sent = fill(ends[0]);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(lend(ends[0], LARGE), -EAGAIN);
    drain(ends[1], sent);
    cr_assert(take_notice(ends[0], &from, &last));
    cr_assert_eq(lend(ends[0], SOME), SOME);
    world_run_for(NS_PER_S);
    assert_notice(ends[0], last + 1, last + 1);
    cr_assert_eq(loans_out(), 0);
}

Test(socket_zerocopy, who_did_not_ask_for_it_is_copied)
{
    int ends[2];

    make_connection(ends);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    cr_assert_eq(loans_out(), 0);
    world_run_for(NS_PER_S);
    assert_no_notice(ends[0]);
    cr_assert_eq(set_option(ends[0], SOL_SOCKET, SO_ZEROCOPY, 1), 0);
    cr_assert_eq(send_bytes(ends[0], out, SOME, 0), SOME);
    cr_assert_eq(loans_out(), 0);
}

Test(socket_zerocopy, notices_must_be_read_now_and_then)
{
    int ends[2];

    make_sender(ends);
    for (int i = 0; i < ZEROCOPY_SENDS_MAX; i++)
        cr_assert_eq(lend(ends[0], 10), 10);
    cr_assert_eq(lend(ends[0], 10), -ENOBUFS);
    world_run_for(NS_PER_S);
    cr_assert_eq(lend(ends[0], 10), -ENOBUFS);
    cr_assert_eq(send_bytes(ends[0], out, 10, 0), 10);
    assert_notice(ends[0], 0, ZEROCOPY_SENDS_MAX - 1);
    cr_assert_eq(lend(ends[0], 10), 10);
    world_run_for(NS_PER_S);
    assert_notice(ends[0], ZEROCOPY_SENDS_MAX, ZEROCOPY_SENDS_MAX);
}

Test(socket_zerocopy, a_notice_without_room_is_told_as_cut)
{
    int ends[2];
    struct msghdr message = {0};

    make_sender(ends);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    world_run_for(NS_PER_S);
    cr_assert_eq(socket_recvmsg(ends[0], &message, MSG_ERRQUEUE), 0);
    cr_assert_eq(message.msg_flags, MSG_ERRQUEUE | MSG_CTRUNC);
    assert_no_notice(ends[0]);
}

Test(socket_zerocopy, a_closed_socket_gets_its_memory_back_unseen)
{
    int ends[2];

    make_sender(ends);
    (void)fill(ends[0]);
    cr_assert_eq(socket_close(ends[0]), 0);
    cr_assert_gt(loans_out(), 0);
    cr_assert_eq(socket_close(ends[1]), 0); /* unread bytes: a reset */
    world_run_for(NS_PER_S);
    cr_assert_eq(loans_out(), 0);
    make_sender(ends);
    assert_no_notice(ends[0]);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    world_run_for(NS_PER_S);
    assert_notice(ends[0], 0, 0);
}

Test(socket_zerocopy, an_option_taken_back_takes_no_notice_back)
{
    int ends[2];

    make_sender(ends);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    cr_assert_eq(set_option(ends[0], SOL_SOCKET, SO_ZEROCOPY, 0), 0);
    cr_assert_eq(get_option(ends[0], SOL_SOCKET, SO_ZEROCOPY), 0);
    world_run_for(NS_PER_S);
    cr_assert_neq(socket_poll_events(ends[0]) & POLLERR, 0);
    assert_notice(ends[0], 0, 1);
}

Test(socket_zerocopy, an_option_taken_back_leaves_the_next_socket_alone)
{
    int ends[2], next[2];

    make_sender(ends);
    cr_assert_eq(lend(ends[0], SOME), SOME);
    cr_assert_eq(set_option(ends[0], SOL_SOCKET, SO_ZEROCOPY, 0), 0);
    world_run_for(NS_PER_S);
    cr_assert_eq(socket_close(ends[0]), 0);
    cr_assert_eq(socket_close(ends[1]), 0); /* it is the next listener's */
    make_sender(next);
    cr_assert_eq(next[0], ends[0], "the same place");
    assert_no_notice(next[0]);
    cr_assert_eq(lend(next[0], SOME), SOME);
    world_run_for(NS_PER_S);
    assert_notice(next[0], 0, 0);
}

Test(socket_zerocopy, all_sockets_share_so_many_loans)
{
    int ends[LOANS_MAX / ZEROCOPY_SENDS_MAX + 1][2];
    unsigned lent = 0;

    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        make_sender(ends[i]);
        cr_assert_eq(set_option(ends[i][0], IPPROTO_TCP, 3, 1), 0);
        for (unsigned k = 0; k < ZEROCOPY_SENDS_MAX; k++)
            lent += lend(ends[i][0], 10) == 10;
    }
    cr_assert_eq(lent, LOANS_MAX);
    cr_assert_eq(loans_out(), LOANS_MAX);
    cr_assert_eq(lend(ends[0][0], 10), -ENOBUFS);
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++)
        cr_assert_eq(socket_close(ends[i][0]), 0);
    world_run_for(NS_PER_S);
    cr_assert_eq(loans_out(), 0);
}

Test(socket_zerocopy, more_sockets_than_there_are_places_copy)
{
    int ends[ZEROCOPY_SOCKETS_MAX + 1][2];

    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        make_sender(ends[i]);
        cr_assert_eq(lend(ends[i][0], 10),
                     i < ZEROCOPY_SOCKETS_MAX ? 10 : -ENOBUFS);
        world_run_for(NS_PER_MS * 100);
    }
    cr_assert_eq(socket_close(ends[0][0]), 0);
    cr_assert_eq(lend(ends[ZEROCOPY_SOCKETS_MAX][0], 10), 10);
}

Test(socket_zerocopy, the_option_is_as_on_linux)
{
    int listener = make_listener(1);
    int datagram = make_datagram(9);
    int client = socket_open(AF_INET, SOCK_STREAM, 0);
    int accepted;

    cr_assert_eq(get_option(listener, SOL_SOCKET, SO_ZEROCOPY), 0);
    cr_assert_eq(set_option(listener, SOL_SOCKET, SO_ZEROCOPY, 2), -EINVAL);
    cr_assert_eq(set_option(listener, SOL_SOCKET, SO_ZEROCOPY, -1), -EINVAL);
    cr_assert_eq(set_option(listener, SOL_SOCKET, SO_ZEROCOPY, 1), 0);
    cr_assert_eq(get_option(listener, SOL_SOCKET, SO_ZEROCOPY), 1);
    cr_assert_eq(set_option(datagram, SOL_SOCKET, SO_ZEROCOPY, 1), -EOPNOTSUPP);
    cr_assert_eq(connect_to(client, LOOPBACK, TEST_PORT), 0);
    accepted = socket_accept(listener, NULL, NULL, 0);
    cr_assert_eq(get_option(accepted, SOL_SOCKET, SO_ZEROCOPY), 1);
    cr_assert_eq(lend(accepted, SOME), SOME);
    world_run_for(NS_PER_S);
    assert_notice(accepted, 0, 0);
}
