/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets over TCP. A call that waits does so by socket_sleep() until
 * its condition holds, its time is over, or it may not wait at all.
 */
#include "net/socket/stream.h"
#include "net/socket/draft.h"

#include "net/attributes.h"
#include "net/limits.h"

#include <errno.h>
#include <poll.h>

/* The two ways of waiting no longer. */
static bool may_wait(const struct socket *socket, int flags)
{
    return !socket->is_nonblocking && (flags & MSG_DONTWAIT) == 0;
}

static bool is_ours(const struct ip_address *address)
{
    static const struct ip_address any;
    struct ip_route route;

    return ip_address_is_any(address) ||
           (ip_route_lookup(address, &any, &route) == 0 && route.is_local);
}

int stream_bind(struct socket *socket, const struct tcp_endpoint *local)
{
    int attempts = local->port == 0 ? SOCKET_BIND_ATTEMPTS : 1;

    if (socket->kind != SOCKET_STREAM || socket->is_bound)
        return -EINVAL;
    if (!is_ours(&local->address))
        return -EADDRNOTAVAIL;
    struct stream_draft *draft = draft_of(socket);
    if (draft == NULL)
        return -ENOBUFS;
    for (; attempts > 0; attempts--) {
        struct tcp_endpoint chosen = *local;
        int error = tcp_bind_check(&chosen, socket->reuse_address);

        if (error != 0)
            return error;
        if (!socket_is_bound_elsewhere(socket, &chosen)) {
            draft->local = chosen;
            socket->is_bound = true;
            return 0;
        }
    }
    return -EADDRINUSE;
}

int stream_listen(struct socket *socket, int backlog)
{
    struct tcp_listener *listener;
    struct stream_draft draft;
    int error;

    if (socket->kind == SOCKET_LISTENER) {
        tcp_listener_set_backlog(socket->listener, backlog);
        return 0;
    }
    if (socket->kind != SOCKET_STREAM)
        return -EINVAL;
    draft = draft_read(socket);
    if (!socket->is_bound) {
        error = stream_bind(socket, &draft.local);
        if (error != 0)
            return error;
        draft = draft_read(socket);
    }
    error = tcp_listen(&draft.local, backlog, socket->reuse_address,
                       socket_owner(socket), &listener);
    if (error != 0)
        return error;
    *tcp_listener_options(listener) = draft.options;
    draft_release(socket);
    socket->listener = listener;
    socket->kind = SOCKET_LISTENER;
    return 0;
}

int stream_accept(struct socket *socket, int flags, uint64_t *now_ns)
{
    struct tcp_connection *connection;
    struct socket *accepted;
    uint64_t deadline_ns = socket_deadline(*now_ns, socket->receive_timeout_ms);
    int id;

    if (socket->kind != SOCKET_LISTENER)
        return -EINVAL;
    id = socket_take_slot();
    if (id < 0)
        return id;
    accepted = socket_slot(id);
    for (;;) {
        connection = tcp_accept(socket->listener, socket_owner(accepted));
        if (connection != NULL)
            break;
        if (!may_wait(socket, 0) || *now_ns >= deadline_ns) {
            socket_free_slot(id);
            return -EAGAIN;
        }
        *now_ns = socket_sleep(*now_ns, deadline_ns);
    }
    accepted->connection = connection;
    accepted->kind = SOCKET_CONNECTION;
    accepted->is_nonblocking = (flags & SOCK_NONBLOCK) != 0;
    accepted->has_linger = socket->has_linger;
    accepted->linger_s = socket->linger_s;
    accepted->reuse_address = socket->reuse_address;
    accepted->tells_queued = socket->tells_queued;
    accepted->sends_in_place = socket->sends_in_place;
    accepted->read_low = socket->read_low;
    accepted->receive_timeout_ms = socket->receive_timeout_ms;
    accepted->send_timeout_ms = socket->send_timeout_ms;
    return id;
}

/* It listens or connects no longer, and may do either again, from where it was
 * bound and with the options it had; without them when memory is short. */
static void start_over(struct socket *socket, const struct tcp_options *options,
                       const struct tcp_endpoint *local)
{
    socket->draft = NULL;
    socket->kind = SOCKET_STREAM;
    socket->is_connecting = false;
    struct stream_draft *draft = draft_of(socket);
    if (draft != NULL) {
        draft->options = *options;
        if (socket->is_bound)
            draft->local = *local;
    } else {
        socket->is_bound = false;
    }
}

static int connect_failed(struct socket *socket, uint64_t now_ns)
{
    struct tcp_connection *connection = socket->connection;
    struct tcp_endpoint local = tcp_local(connection);
    int error = tcp_take_error(connection);

    start_over(socket, tcp_connection_options(connection), &local);
    tcp_close(connection, now_ns);
    return error != 0 ? -error : -ECONNABORTED;
}

/* Waits for the outcome of a connect() under way. */
static int connect_wait(struct socket *socket, uint64_t *now_ns)
{
    uint64_t deadline_ns = socket_deadline(*now_ns, socket->send_timeout_ms);

    for (;;) {
        uint32_t ready = tcp_ready(socket->connection);

        /* SO_ERROR may have taken the error of a failure already. */
        if ((ready & TCP_FAILED) != 0 ||
            tcp_get_state(socket->connection) == TCP_CLOSED)
            return connect_failed(socket, *now_ns);
        if (ready & (TCP_WRITABLE | TCP_READABLE | TCP_HANGUP)) {
            socket->is_connecting = false;
            return 0;
        }
        if (!may_wait(socket, 0) || *now_ns >= deadline_ns)
            return -EINPROGRESS;
        *now_ns = socket_sleep(*now_ns, deadline_ns);
    }
}

int stream_connect(struct socket *socket, const struct tcp_endpoint *remote,
                   uint64_t *now_ns)
{
    struct tcp_connection *connection;
    int error;

    if (socket->kind == SOCKET_LISTENER)
        return -EISCONN;
    if (socket->kind == SOCKET_CONNECTION) {
        if (!socket->is_connecting)
            return -EISCONN;
        error = connect_wait(socket, now_ns);
        return error == -EINPROGRESS ? -EALREADY : error;
    }
    const struct stream_draft draft = draft_read(socket);
    error = tcp_connect(&draft.local, remote, &draft.options,
                        socket_owner(socket), *now_ns, &connection);
    if (error != 0)
        return error;
    draft_release(socket);
    socket->connection = connection;
    socket->kind = SOCKET_CONNECTION;
    socket->is_connecting = true;
    return connect_wait(socket, now_ns);
}

ssize_t stream_send(struct socket *socket, const struct iovec *pieces,
                    size_t count, int flags, uint32_t always, uint64_t *now_ns)
{
    uint64_t deadline_ns = socket_deadline(*now_ns, socket->send_timeout_ms);
    ssize_t sent = 0;
    size_t index = 0;
    size_t offset = 0;

    if (socket->kind != SOCKET_CONNECTION)
        return -EPIPE; /* as Linux has it */
    while (count > 0 && pieces[count - 1].iov_len == 0)
        count--; /* nothing more is to follow */
    while (index < count) {
        uint32_t how = always;
        size_t left = pieces[index].iov_len - offset;
        int result;

        if (left == 0) {
            index++;
            offset = 0;
            continue;
        }
        if (index + 1 < count || (flags & MSG_MORE) != 0)
            how |= TCP_WRITE_MORE;
        if ((flags & MSG_OOB) != 0)
            how |= TCP_WRITE_URGENT;
        if (sent > 0)
            how |= TCP_WRITE_REST;
        if (index + 1 == count && (flags & MSG_EOR) != 0)
            how |= TCP_WRITE_RECORD;
        result = tcp_write(socket->connection,
                           (const uint8_t *)pieces[index].iov_base + offset,
                           left, how, *now_ns);
        if (result > 0) {
            sent += result;
            offset += (size_t)result;
            continue;
        }
        if (result != -EAGAIN)
            return sent > 0 ? sent : result;
        if (!may_wait(socket, flags) || *now_ns >= deadline_ns)
            return sent > 0 ? sent : -EAGAIN;
        *now_ns = socket_sleep(*now_ns, deadline_ns);
    }
    return sent;
}

ssize_t stream_receive(struct socket *socket, const struct iovec *pieces,
                       size_t count, int flags, uint64_t *now_ns)
{
    uint64_t deadline_ns = socket_deadline(*now_ns, socket->receive_timeout_ms);
    uint32_t how = (flags & MSG_PEEK ? TCP_READ_PEEK : 0u) |
                   (flags & MSG_TRUNC ? TCP_READ_DISCARD : 0u);
    bool is_peek = (flags & MSG_PEEK) != 0;
    ssize_t received = 0;
    size_t index = 0;
    size_t offset = 0;

    if (socket->kind != SOCKET_CONNECTION)
        return -ENOTCONN;
    while (index < count) {
        size_t left = pieces[index].iov_len - offset;
        int result;

        if (left == 0) {
            index++;
            offset = 0;
            continue;
        }
        uint8_t *to = (uint8_t *)pieces[index].iov_base + offset;
        if (is_peek && received > 0)
            result = tcp_peek(socket->connection, (size_t)received,
                              flags & MSG_TRUNC ? NULL : to, left);
        else
            result = tcp_read(socket->connection, to, left, how, *now_ns);
        if (result == 0)
            return received; /* end of file */
        if (result > 0) {
            received += result;
            offset += (size_t)result;
            how |= TCP_READ_REST;
            /* A read ends at the mark of urgent data, even one that waits for
             * all. */
            if (tcp_is_at_mark(socket->connection))
                return received;
            continue;
        }
        if (result != -EAGAIN)
            return received > 0 ? received : result;
        if (received > 0 && (flags & MSG_WAITALL) == 0 &&
            ((size_t)received >= socket->read_low ||
             (is_peek && tcp_receive_is_full(socket->connection))))
            return received;
        if (!may_wait(socket, flags) || *now_ns >= deadline_ns)
            return received > 0 ? received : -EAGAIN;
        *now_ns = socket_sleep(*now_ns, deadline_ns);
    }
    return received;
}

bool stream_is_connected(const struct socket *socket)
{
    enum tcp_state state;

    if (socket->kind != SOCKET_CONNECTION)
        return false;
    state = tcp_get_state(socket->connection);
    return state != TCP_CLOSED && state != TCP_SYN_SENT &&
           state != TCP_SYN_RECEIVED;
}

/* As on Linux: it listens no longer; there is nothing to write. */
static int shutdown_listener(struct socket *socket, int how)
{
    struct tcp_listener *listener = socket->listener;
    const struct tcp_options options = *tcp_listener_options(listener);
    const struct tcp_endpoint local = tcp_listener_local(listener);

    if (how == SHUT_WR)
        return 0;
    tcp_listener_close(listener);
    socket->is_bound = true; /* also when it was listen() that chose */
    start_over(socket, &options, &local);
    return 0;
}

int stream_shutdown(struct socket *socket, int how, uint64_t now_ns)
{
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    if (socket->kind == SOCKET_LISTENER)
        return shutdown_listener(socket, how);
    if (socket->kind != SOCKET_CONNECTION)
        return -ENOTCONN;
    if (tcp_get_state(socket->connection) == TCP_SYN_SENT) {
        (void)connect_failed(socket, now_ns); /* as on Linux: given up */
        return 0;
    }
    return tcp_shutdown(socket->connection, how != SHUT_WR, how != SHUT_RD);
}

/* SO_LINGER with a time: wait until the peer has everything, or it is over.
 * What is left then goes on by itself, as on Linux. */
static void linger(struct socket *socket, uint64_t *now_ns)
{
    uint64_t deadline_ns = *now_ns + (uint64_t)socket->linger_s * NS_PER_S;

    if (tcp_read_queued(socket->connection) > 0)
        return; /* it will be a reset: there is nothing to wait for */
    if (tcp_shutdown(socket->connection, false, true) != 0)
        return;
    while (tcp_write_queued(socket->connection) > 0 &&
           (tcp_ready(socket->connection) & TCP_FAILED) == 0 &&
           *now_ns < deadline_ns)
        *now_ns = socket_sleep(*now_ns, deadline_ns);
}

void stream_close(struct socket *socket, uint64_t *now_ns)
{
    if (socket->kind == SOCKET_LISTENER) {
        tcp_listener_close(socket->listener);
        return;
    }
    if (socket->kind == SOCKET_STREAM)
        draft_release(socket);
    if (socket->kind != SOCKET_CONNECTION)
        return;
    if (socket->has_lent)
        socket_zerocopy->close(socket);
    if (socket->has_linger && socket->linger_s == 0) {
        tcp_abort(socket->connection);
        return;
    }
    if (socket->has_linger && !socket->is_nonblocking)
        linger(socket, now_ns);
    tcp_close(socket->connection, *now_ns);
}

short stream_events(uint32_t ready)
{
    int events = 0;

    if (ready == TCP_READABLE) /* nearly always */
        return POLLIN | POLLRDNORM;
    if (ready & (TCP_READABLE | TCP_ACCEPTABLE))
        events |= POLLIN | POLLRDNORM;
    if (ready & TCP_WRITABLE)
        events |= POLLOUT | POLLWRNORM;
    if (ready & TCP_PEER_CLOSED)
        events |= POLLIN | POLLRDHUP;
    if (ready & TCP_HANGUP)
        events |= POLLHUP;
    if (ready & TCP_FAILED)
        events |= POLLERR;
    if (ready & TCP_URGENT)
        events |= POLLPRI;
    return (short)events;
}

/* Without TCP_READABLE while there is too little to read; unless the peer may
 * send no more before it is read: else neither would ever go on. */
static COLD NOINLINE uint32_t hold_back(const struct socket *socket,
                                        uint32_t ready)
{
    if ((ready & (TCP_PEER_CLOSED | TCP_FAILED)) == 0 &&
        tcp_read_queued(socket->connection) < socket->read_low &&
        !tcp_receive_is_full(socket->connection))
        ready &= ~(uint32_t)TCP_READABLE;
    return ready;
}

short stream_poll_events(const struct socket *socket)
{
    uint32_t ready;

    if (socket->kind == SOCKET_STREAM)
        return POLLOUT | POLLHUP; /* as Linux has it */
    if (socket->kind == SOCKET_LISTENER)
        return stream_events(tcp_listener_ready(socket->listener));
    ready = tcp_ready(socket->connection);
    if (socket->has_lent && socket_zerocopy->has_news(socket))
        ready |= TCP_FAILED;
    return stream_events(socket->read_low == 0 ? ready
                                               : hold_back(socket, ready));
}
