/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets over UDP. Sending never waits; receiving does.
 */
#include "net/socket/datagram.h"

#include "net/limits.h"
#include "net/socket/address.h"

#include <errno.h>
#include <poll.h>

/* Both transports name an end the same way, each with its own type. */
static struct udp_endpoint to_udp(const struct tcp_endpoint *endpoint)
{
    return (struct udp_endpoint){endpoint->address, endpoint->port};
}

static struct tcp_endpoint from_udp(const struct udp_endpoint *endpoint)
{
    return (struct tcp_endpoint){endpoint->address, endpoint->port};
}

int datagram_open(struct socket *socket)
{
    return udp_open(socket_owner(socket), socket_udp_notify, &socket->udp);
}

int datagram_bind(struct socket *socket, const struct tcp_endpoint *local)
{
    struct udp_endpoint endpoint = to_udp(local);

    return udp_bind(socket->udp, &endpoint);
}

int datagram_connect(struct socket *socket, const struct sockaddr *address,
                     socklen_t length)
{
    struct tcp_endpoint remote;
    struct udp_endpoint endpoint;
    int error;

    if (address != NULL && length >= sizeof(address->sa_family) &&
        address->sa_family == AF_UNSPEC) {
        udp_disconnect(socket->udp);
        return 0;
    }
    error = address_parse_peer(address, length, &remote);
    if (error != 0)
        return error;
    endpoint = to_udp(&remote);
    return udp_connect(socket->udp, &endpoint);
}

ssize_t datagram_send(struct socket *socket, const struct msghdr *message,
                      uint64_t now_ns)
{
    struct packet_piece pieces[SOCKET_PIECES_MAX];
    struct tcp_endpoint remote;
    struct udp_endpoint endpoint;
    bool has_remote = message->msg_name != NULL;

    if (socket->write_shut)
        return -EPIPE;
    if (has_remote) {
        int error =
            address_parse(message->msg_name, message->msg_namelen, &remote);
        if (error != 0)
            return error;
        endpoint = to_udp(&remote);
    }
    for (size_t i = 0; i < message->msg_iovlen; i++)
        pieces[i] = (struct packet_piece){message->msg_iov[i].iov_base,
                                          message->msg_iov[i].iov_len};
    return udp_send_pieces(socket->udp, has_remote ? &endpoint : NULL, pieces,
                           message->msg_iovlen, now_ns);
}

ssize_t datagram_receive(struct socket *socket, struct msghdr *message,
                         int flags, uint64_t *now_ns)
{
    uint64_t deadline_ns = socket_deadline(*now_ns, socket->receive_timeout_ms);
    uint32_t how = flags & MSG_PEEK ? UDP_READ_PEEK : 0;
    struct packet_room rooms[SOCKET_PIECES_MAX];
    struct udp_endpoint remote;
    struct tcp_endpoint sender;
    size_t size = 0;
    int result;

    for (size_t i = 0; i < message->msg_iovlen; i++) {
        rooms[i] = (struct packet_room){message->msg_iov[i].iov_base,
                                        message->msg_iov[i].iov_len};
        size += message->msg_iov[i].iov_len;
    }
    for (;;) {
        result = udp_read_rooms(socket->udp, rooms, message->msg_iovlen, how,
                                &remote, NULL);
        if (result != -EAGAIN)
            break;
        if (socket->read_shut)
            return 0;
        if (socket->is_nonblocking || (flags & MSG_DONTWAIT) != 0 ||
            *now_ns >= deadline_ns)
            return -EAGAIN;
        *now_ns = socket_sleep(*now_ns, deadline_ns);
    }
    if (result < 0)
        return result;
    sender = from_udp(&remote);
    address_store(&sender, message->msg_name, &message->msg_namelen);
    if ((size_t)result <= size)
        return result;
    message->msg_flags |= MSG_TRUNC;
    return flags & MSG_TRUNC ? result : (ssize_t)size;
}

short datagram_events(uint32_t ready)
{
    int events = 0;

    if (ready & UDP_READABLE)
        events |= POLLIN | POLLRDNORM;
    if (ready & UDP_WRITABLE)
        events |= POLLOUT | POLLWRNORM;
    if (ready & UDP_FAILED)
        events |= POLLERR;
    return (short)events;
}

short datagram_poll_events(const struct socket *socket)
{
    int events = datagram_events(udp_ready(socket->udp));

    if (socket->read_shut)
        events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (socket->read_shut && socket->write_shut)
        events |= POLLHUP;
    return (short)events;
}

/* As on Linux: the local half of it, nobody is told. */
int datagram_shutdown(struct socket *socket, int how)
{
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    if (!udp_is_connected(socket->udp))
        return -ENOTCONN;
    socket->read_shut |= how != SHUT_WR;
    socket->write_shut |= how != SHUT_RD;
    socket_notify(socket, datagram_poll_events(socket));
    return 0;
}

struct tcp_endpoint datagram_local(const struct socket *socket)
{
    struct udp_endpoint local = udp_local(socket->udp);

    return from_udp(&local);
}

int datagram_remote(const struct socket *socket, struct tcp_endpoint *remote)
{
    struct udp_endpoint endpoint = udp_remote(socket->udp);

    if (!udp_is_connected(socket->udp) || endpoint.port == 0)
        return -ENOTCONN;
    *remote = from_udp(&endpoint);
    return 0;
}
