/* SPDX-License-Identifier: MIT */
/*
 * The socket calls: find the socket, let stream.c or datagram.c do it, leave.
 */
#include "net/socket/socket.h"
#include "net/socket/address.h"
#include "net/socket/datagram.h"
#include "net/socket/draft.h"
#include "net/socket/stream.h"
#include "net/socket/table.h"

#include "net/limits.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

/* <linux/tcp.h>, <linux/socket.h> */
enum { TCP_CM_INQ = 36, NUMBER_FASTOPEN = 0x20000000 };

/* What raw.c serves, where the image has it. */
static bool is_raw(int domain, int type, int protocol)
{
    if (socket_raw == NULL)
        return false;
    return domain == AF_PACKET ||
           (domain == AF_INET &&
            (type == SOCK_RAW ||
             (type == SOCK_DGRAM && protocol == IPPROTO_ICMP)));
}

static int check_kind(int domain, int type, int protocol)
{
    if (domain != AF_INET)
        return -EAFNOSUPPORT;
    if (type == SOCK_STREAM)
        return protocol == 0 || protocol == IPPROTO_TCP ? 0 : -EPROTONOSUPPORT;
    if (type == SOCK_DGRAM)
        return protocol == 0 || protocol == IPPROTO_UDP ? 0 : -EPROTONOSUPPORT;
    return -ESOCKTNOSUPPORT;
}

int socket_open(int domain, int type, int protocol)
{
    int base = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    bool has_family = is_raw(domain, base, protocol);
    int error = has_family ? 0 : check_kind(domain, base, protocol);
    struct socket *socket;
    uint64_t now_ns;
    int id;

    if (error != 0)
        return error;
    now_ns = socket_enter();
    id = socket_take_slot();
    if (id < 0)
        goto out;
    socket = socket_slot(id);
    socket->is_nonblocking = (type & SOCK_NONBLOCK) != 0;
    if (!has_family && base == SOCK_STREAM) {
        socket->kind = SOCKET_STREAM;
        goto out;
    }
    if (has_family)
        error = socket_raw->open(socket, domain, base, protocol);
    else
        error = datagram_open(socket);
    if (error != 0) {
        socket_free_slot(id);
        id = error;
        goto out;
    }
    socket->kind = has_family ? SOCKET_RAW : SOCKET_DATAGRAM;
out:
    socket_leave(now_ns);
    return id;
}

int socket_bind(int id, const struct sockaddr *address, socklen_t length)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    struct tcp_endpoint local;
    int result = -EBADF;

    if (socket != NULL && socket->kind == SOCKET_RAW) {
        result = socket_raw->bind(socket, address, length);
        goto out;
    }
    if (socket != NULL)
        result = address_parse(address, length, &local);
    if (result == 0)
        result = socket->kind == SOCKET_DATAGRAM ? datagram_bind(socket, &local)
                                                 : stream_bind(socket, &local);
out:
    socket_leave(now_ns);
    return result;
}

int socket_listen(int id, int backlog)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL)
        result = socket_is_datagram(socket) ? -EOPNOTSUPP
                                            : stream_listen(socket, backlog);
    socket_leave(now_ns);
    return result;
}

int socket_accept(int id, struct sockaddr *address, socklen_t *length,
                  int flags)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL)
        result = socket_is_datagram(socket)
                     ? -EOPNOTSUPP
                     : stream_accept(socket, flags, &now_ns);
    if (result >= 0) {
        struct tcp_endpoint remote = tcp_remote(socket_get(result)->connection);
        address_store(&remote, address, length);
    }
    socket_leave(now_ns);
    return result;
}

int socket_connect(int id, const struct sockaddr *address, socklen_t length)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    struct tcp_endpoint remote;
    int result = -EBADF;

    if (socket != NULL && socket->kind == SOCKET_RAW) {
        result = socket_raw->connect(socket, address, length);
    } else if (socket != NULL && socket->kind == SOCKET_DATAGRAM) {
        result = datagram_connect(socket, address, length);
    } else if (socket != NULL) {
        result = address_parse_peer(address, length, &remote);
        if (result == 0)
            result = stream_connect(socket, &remote, &now_ns);
    }
    socket_leave(now_ns);
    return result;
}

static size_t pieces_limit(const struct socket *socket)
{
    return socket_is_datagram(socket) ? SOCKET_PIECES_MAX
                                      : SOCKET_STREAM_PIECES_MAX;
}

static ssize_t send_message(int id, const struct msghdr *message, int flags,
                            uint64_t *now_ns)
{
    struct socket *socket = socket_get(id);

    if (socket == NULL)
        return -EBADF;
    if ((flags & MSG_OOB) && socket_is_datagram(socket))
        return -EOPNOTSUPP;
    if (message->msg_iovlen > pieces_limit(socket))
        return -EMSGSIZE;
    if (socket->kind == SOCKET_RAW)
        return socket_raw->send(socket, message, *now_ns);
    if (socket->kind == SOCKET_DATAGRAM)
        return datagram_send(socket, message, *now_ns);
    if (flags & NUMBER_FASTOPEN) /* then callers connect first */
        return -EOPNOTSUPP;
    if ((flags & MSG_ZEROCOPY) && socket->sends_in_place)
        return socket_zerocopy->send(socket, message, flags, now_ns);
    return stream_send(socket, message->msg_iov, message->msg_iovlen, flags, 0,
                       now_ns);
}

ssize_t socket_sendmsg(int id, const struct msghdr *message, int flags)
{
    uint64_t now_ns = socket_enter();
    ssize_t result = send_message(id, message, flags, &now_ns);

    socket_leave(now_ns);
    return result;
}

/* The error of one that is not the first is not told, as on Linux. */
int socket_sendmmsg(int id, struct mmsghdr *messages, unsigned count, int flags)
{
    uint64_t now_ns = socket_enter();
    ssize_t result = 0;
    unsigned done = 0;

    while (done < count && done < SOCKET_STREAM_PIECES_MAX) {
        result = send_message(id, &messages[done].msg_hdr, flags, &now_ns);
        if (result < 0)
            break;
        messages[done++].msg_len = (unsigned)result;
    }
    socket_leave(now_ns);
    return done > 0 ? (int)done : (int)result;
}

ssize_t socket_send_static(int id, const void *bytes, size_t length, int flags)
{
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes,
                          .iov_len = length};
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    ssize_t result = -EBADF;

    if (socket != NULL)
        result = socket_is_datagram(socket)
                     ? -EINVAL
                     : stream_send(socket, &piece, 1, flags, TCP_WRITE_STATIC,
                                   &now_ns);
    socket_leave(now_ns);
    return result;
}

/* TCP_CM_INQ, with which Linux tells what is left to be read. */
static void tell_queued(const struct socket *socket, struct msghdr *message)
{
    const struct cmsghdr header = {.cmsg_len = CMSG_LEN(sizeof(int)),
                                   .cmsg_level = IPPROTO_TCP,
                                   .cmsg_type = TCP_CM_INQ};
    const int count = tcp_read_hint(socket->connection);
    uint8_t *told = message->msg_control;

    if (told == NULL || message->msg_controllen < CMSG_SPACE(sizeof(count))) {
        message->msg_flags |= MSG_CTRUNC;
        message->msg_controllen = 0;
        return;
    }
    memcpy(told, &header, sizeof(header));
    memcpy(told + CMSG_LEN(0), &count, sizeof(count));
    message->msg_controllen = CMSG_SPACE(sizeof(count));
}

static ssize_t receive_message(int id, struct msghdr *message, int flags,
                               uint64_t *now_ns)
{
    struct socket *socket = socket_get(id);
    ssize_t result;

    message->msg_flags = 0;
    if (socket == NULL) {
        result = -EBADF;
    } else if (flags & MSG_OOB) {
        result = -EINVAL; /* it is in the stream (RFC 6093) */
    } else if (flags & MSG_ERRQUEUE) {
        return socket->has_lent /* no errors, but these */
                   ? socket_zerocopy->receive(socket, message)
                   : -EAGAIN;
    } else if (message->msg_iovlen > pieces_limit(socket)) {
        result = -EMSGSIZE;
    } else if (socket->kind == SOCKET_RAW) {
        result = socket_raw->receive(socket, message, flags, now_ns);
    } else if (socket->kind == SOCKET_DATAGRAM) {
        result = datagram_receive(socket, message, flags, now_ns);
    } else {
        message->msg_namelen = 0;
        result = stream_receive(socket, message->msg_iov, message->msg_iovlen,
                                flags, now_ns);
    }
    if (result >= 0 && socket->tells_queued)
        tell_queued(socket, message);
    else if (result >= 0)
        message->msg_controllen = 0;
    return result;
}

ssize_t socket_recvmsg(int id, struct msghdr *message, int flags)
{
    uint64_t now_ns = socket_enter();
    ssize_t result = receive_message(id, message, flags, &now_ns);

    socket_leave(now_ns);
    return result;
}

int socket_recvmmsg(int id, struct mmsghdr *messages, unsigned count, int flags,
                    uint64_t deadline_ns)
{
    uint64_t now_ns = socket_enter();
    int how = flags & ~MSG_WAITFORONE;
    ssize_t result = 0;
    unsigned done = 0;

    while (done < count && done < SOCKET_STREAM_PIECES_MAX) {
        result = receive_message(id, &messages[done].msg_hdr, how, &now_ns);
        if (result < 0)
            break;
        messages[done++].msg_len = (unsigned)result;
        if ((flags & MSG_WAITFORONE) != 0)
            how |= MSG_DONTWAIT;
        if (now_ns >= deadline_ns)
            break;
    }
    socket_leave(now_ns);
    return done > 0 ? (int)done : (int)result;
}

int socket_shutdown(int id, int how)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL && socket->kind == SOCKET_RAW)
        result = -EOPNOTSUPP;
    else if (socket != NULL)
        result = socket->kind == SOCKET_DATAGRAM
                     ? datagram_shutdown(socket, how)
                     : stream_shutdown(socket, how, now_ns);
    socket_leave(now_ns);
    return result;
}

int socket_close(int id)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL) {
        if (socket->kind == SOCKET_RAW) {
            socket_raw->close(socket);
        } else if (socket->kind == SOCKET_DATAGRAM) {
            if (ip_multicast != NULL)
                ip_multicast->leave_all(socket->udp, now_ns);
            udp_close(socket->udp);
        } else
            stream_close(socket, &now_ns);
        socket_unwatch(socket);
        socket_free_slot(id);
        result = 0;
    }
    socket_leave(now_ns);
    return result;
}

/* Where a stream socket stands, whatever it is by now. */
static struct tcp_endpoint stream_local(const struct socket *socket)
{
    if (socket->kind == SOCKET_LISTENER)
        return tcp_listener_local(socket->listener);
    if (socket->kind == SOCKET_CONNECTION)
        return tcp_local(socket->connection);
    return draft_read(socket).local;
}

int socket_getsockname(int id, struct sockaddr *address, socklen_t *length)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL && socket->kind == SOCKET_RAW) {
        result = socket_raw->name(socket, false, address, length);
    } else if (socket != NULL) {
        struct tcp_endpoint local = socket->kind == SOCKET_DATAGRAM
                                        ? datagram_local(socket)
                                        : stream_local(socket);
        address_store(&local, address, length);
        result = 0;
    }
    socket_leave(now_ns);
    return result;
}

int socket_getpeername(int id, struct sockaddr *address, socklen_t *length)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    struct tcp_endpoint remote;
    int result = -EBADF;

    if (socket != NULL && socket->kind == SOCKET_RAW) {
        result = socket_raw->name(socket, true, address, length);
        goto out;
    }
    if (socket != NULL && socket->kind == SOCKET_DATAGRAM) {
        result = datagram_remote(socket, &remote);
    } else if (socket != NULL) {
        result = stream_is_connected(socket) ? 0 : -ENOTCONN;
        if (result == 0)
            remote = tcp_remote(socket->connection);
    }
    if (result == 0)
        address_store(&remote, address, length);
out:
    socket_leave(now_ns);
    return result;
}

int socket_set_nonblocking(int id, bool nonblocking)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);

    if (socket != NULL)
        socket->is_nonblocking = nonblocking;
    socket_leave(now_ns);
    return socket != NULL ? 0 : -EBADF;
}

bool socket_is_nonblocking(int id)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    bool nonblocking = socket != NULL && socket->is_nonblocking;

    socket_leave(now_ns);
    return nonblocking;
}

int socket_readable_bytes(int id, int *bytes)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = 0;

    if (socket == NULL)
        result = -EBADF;
    else if (socket->kind == SOCKET_RAW)
        *bytes = (int)socket_raw->queued(socket);
    else if (socket->kind == SOCKET_DATAGRAM)
        *bytes = (int)udp_read_queued(socket->udp);
    else if (socket->kind == SOCKET_CONNECTION)
        *bytes = (int)tcp_read_queued(socket->connection);
    else if (socket->kind == SOCKET_STREAM)
        *bytes = 0;
    else
        result = -EINVAL;
    socket_leave(now_ns);
    return result;
}

int socket_written_bytes(int id, bool is_unsent, int *bytes)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = 0;

    *bytes = 0; /* of datagrams: none waits */
    if (socket == NULL)
        result = -EBADF;
    else if (socket->kind == SOCKET_LISTENER)
        result = -EINVAL;
    else if (stream_is_connected(socket))
        *bytes = (int)(is_unsent ? tcp_write_unsent(socket->connection)
                                 : tcp_write_queued(socket->connection));
    socket_leave(now_ns);
    return result;
}

int socket_at_mark(int id)
{
    uint64_t now_ns = socket_enter();
    struct socket *socket = socket_get(id);
    int result = -EBADF;

    if (socket != NULL)
        result = socket->kind == SOCKET_CONNECTION
                     ? tcp_is_at_mark(socket->connection)
                     : -EINVAL;
    socket_leave(now_ns);
    return result;
}

uint64_t socket_look_begin(void)
{
    return socket_enter();
}

short socket_look(int id)
{
    struct socket *socket = socket_get(id);

    if (socket == NULL)
        return POLLNVAL;
    if (socket->kind == SOCKET_RAW)
        return socket_raw->poll_events(socket);
    return socket->kind == SOCKET_DATAGRAM ? datagram_poll_events(socket)
                                           : stream_poll_events(socket);
}

void socket_look_end(uint64_t now_ns)
{
    socket_leave(now_ns);
}

short socket_poll_events(int id)
{
    uint64_t now_ns = socket_look_begin();
    short events = socket_look(id);

    socket_look_end(now_ns);
    return events;
}
