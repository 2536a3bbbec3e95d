/* SPDX-License-Identifier: MIT */
/*
 * See zerocopy.h. Each send of a socket has a number, from 0 on, and a loan
 * (net/loan.h). What is complete is told in order: a send behind one whose
 * bytes are still in flight waits for it.
 */
#include "net/socket/zerocopy.h"

#include "net/loan.h"
#include "net/platform.h"
#include "net/socket/stream.h"
#include "net/socket/table.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

struct sends {
    struct socket *socket; /* NULL: closed, while some are not complete */
    uint32_t told;         /* the first that was not told */
    uint32_t complete;     /* bit i: told + i is */
    uint8_t count;         /* from told on */
    uint8_t pending;       /* not complete; 0 and no socket: free */
};

static struct sends all[ZEROCOPY_SOCKETS_MAX];

_Static_assert(ZEROCOPY_SENDS_MAX <= 32, "a bit each");

static void completed(void *lender, uint32_t number)
{
    struct sends *sends = lender;

    sends->pending--;
    sends->complete |= UINT32_C(1) << (number - sends->told);
    if (sends->socket != NULL && (sends->complete & 1) != 0)
        socket_notify(socket_owner(sends->socket), POLLERR);
}

/* Of a socket that has_lent. */
static struct sends *find(const struct socket *socket)
{
    size_t i = 0;

    while (all[i].socket != socket) {
        i++;
        ASSERT(i < ARRAY_COUNT(all));
    }
    return &all[i];
}

static struct sends *make(struct socket *socket)
{
    for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
        if (all[i].socket != NULL || all[i].pending != 0)
            continue;
        all[i] = (struct sends){.socket = socket};
        socket->has_lent = true;
        return &all[i];
    }
    return NULL;
}

static int set(struct socket *socket, int value)
{
    if (socket->kind == SOCKET_DATAGRAM)
        return -EOPNOTSUPP; /* it is copied once, into its packet */
    if (value < 0 || value > 1)
        return -EINVAL;
    socket->sends_in_place = value != 0;
    return 0;
}

/* The loan of the send that begins; LOAN_NONE: there is none to be had. */
static uint32_t begin(struct sends *sends)
{
    uint32_t loan;

    if (sends == NULL || sends->count == ZEROCOPY_SENDS_MAX)
        return LOAN_NONE;
    loan = loan_open(sends, sends->told + sends->count);
    if (loan != LOAN_NONE) {
        sends->count++;
        sends->pending++;
    }
    return loan;
}

/* The same send has no number, then. */
static void take_back(struct sends *sends)
{
    sends->count--;
    sends->complete &= ~(UINT32_C(1) << sends->count);
}

static ssize_t send_in_place(struct socket *socket,
                             const struct msghdr *message, int flags,
                             uint64_t *now_ns)
{
    struct sends *sends = socket->has_lent ? find(socket) : make(socket);
    uint32_t loan = begin(sends);
    ssize_t result;

    if (loan == LOAN_NONE)
        return -ENOBUFS;
    result =
        stream_send(socket, message->msg_iov, message->msg_iovlen, flags,
                    TCP_WRITE_STATIC | loan << TCP_WRITE_LOAN_SHIFT, now_ns);
    loan_release(loan);
    if (result <= 0)
        take_back(sends);
    return result;
}

static bool has_news(const struct socket *socket)
{
    return (find(socket)->complete & 1) != 0;
}

/* Those at the front, of which there is one, as a range. */
static void take(struct sends *sends, struct sock_extended_err *error)
{
    error->ee_info = sends->told;
    while ((sends->complete & 1) != 0) {
        sends->complete >>= 1;
        sends->count--;
        error->ee_data = sends->told++;
    }
}

static ssize_t receive(struct socket *socket, struct msghdr *message)
{
    const struct cmsghdr header = {
        .cmsg_len = CMSG_LEN(sizeof(struct sock_extended_err) +
                             sizeof(struct sockaddr_in)),
        .cmsg_level = IPPROTO_IP,
        .cmsg_type = IP_RECVERR};
    uint8_t *to = message->msg_control;
    struct {
        struct sock_extended_err error;
        struct sockaddr_in offender; /* nobody */
    } told = {.error = {.ee_origin = SO_EE_ORIGIN_ZEROCOPY}};

    if (!has_news(socket))
        return -EAGAIN;
    take(find(socket), &told.error);
    message->msg_namelen = 0;
    message->msg_flags = MSG_ERRQUEUE;
    if (to == NULL || message->msg_controllen < header.cmsg_len) {
        message->msg_flags |= MSG_CTRUNC;
        message->msg_controllen = 0;
        return 0;
    }
    memcpy(to, &header, sizeof(header));
    memcpy(to + CMSG_LEN(0), &told, sizeof(told));
    message->msg_controllen = CMSG_SPACE(sizeof(told));
    return 0;
}

static void leave(const struct socket *socket)
{
    find(socket)->socket = NULL;
}

static const struct socket_zerocopy calls = {
    .set = set,
    .send = send_in_place,
    .has_news = has_news,
    .receive = receive,
    .close = leave,
};

void socket_zerocopy_start(void)
{
    memset(all, 0, sizeof(all));
    loans_init(completed);
    socket_zerocopy = &calls;
}
