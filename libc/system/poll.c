/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors. Nothing is registered anywhere: a generation
 * number moves when any socket becomes ready, and whoever waits then looks
 * again. That is a look at every descriptor per wake-up, which is right for
 * hundreds; epoll.c is for more.
 */
#include "libc/system/descriptor.h"

#include "net/platform.h"
#include "net/socket/epoll.h"
#include "net/socket/interface.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/select.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)

enum { ALWAYS_REPORTED = POLLERR | POLLHUP | POLLNVAL };

static short events_of(int number)
{
    int error = errno;
    const struct descriptor *descriptor = descriptor_get(number);

    errno = error;
    if (descriptor == NULL)
        return POLLNVAL;
    switch (descriptor->kind) {
    case DESCRIPTOR_SOCKET:
        return socket_look(descriptor->socket);
    case DESCRIPTOR_CONSOLE:
        return POLLOUT;
    case DESCRIPTOR_FILE:
    case DESCRIPTOR_DIRECTORY:
        return POLLIN | POLLOUT;
    case DESCRIPTOR_EPOLL:
        return socket_epoll_may_be_ready(descriptor->owned) ? POLLIN : 0;
    case DESCRIPTOR_FREE:
        break;
    }
    return POLLNVAL;
}

/* The lock is taken once for all of them. */
static int look(struct pollfd *set, nfds_t count)
{
    uint64_t now_ns = socket_look_begin();
    int ready = 0;

    for (nfds_t i = 0; i < count; i++) {
        set[i].revents = 0;
        if (set[i].fd < 0)
            continue;
        set[i].revents =
            (short)(events_of(set[i].fd) & (set[i].events | ALWAYS_REPORTED));
        ready += set[i].revents != 0;
    }
    socket_look_end(now_ns);
    return ready;
}

static uint64_t deadline_after(uint64_t timeout_ns)
{
    uint64_t now_ns = socket_now_ns();

    return timeout_ns > PLATFORM_NEVER - now_ns ? PLATFORM_NEVER
                                                : now_ns + timeout_ns;
}

static int poll_until(struct pollfd *set, nfds_t count, uint64_t deadline_ns)
{
    for (;;) {
        uint64_t generation = socket_generation();
        int ready = look(set, count);

        if (ready > 0 || deadline_ns == 0)
            return ready;
        if (socket_now_ns() >= deadline_ns)
            return 0;
        socket_wait(generation, deadline_ns);
    }
}

int poll(struct pollfd *set, nfds_t count, int timeout_ms)
{
    uint64_t deadline_ns = PLATFORM_NEVER;

    if (timeout_ms >= 0)
        deadline_ns = timeout_ms == 0
                          ? 0
                          : deadline_after((uint64_t)timeout_ms * NS_PER_MS);
    return poll_until(set, count, deadline_ns);
}

/* The three sets as a poll set; returns how many descriptors are in it. */
static nfds_t gather(struct pollfd *polled, int count, const fd_set *readable,
                     const fd_set *writable, const fd_set *exceptional)
{
    nfds_t used = 0;

    for (int i = 0; i < count; i++) {
        int events = 0;

        if (readable != NULL && FD_ISSET(i, readable))
            events |= POLLIN;
        if (writable != NULL && FD_ISSET(i, writable))
            events |= POLLOUT;
        if (exceptional != NULL && FD_ISSET(i, exceptional))
            events |= POLLPRI;
        if (events != 0)
            polled[used++] = (struct pollfd){i, (short)events, 0};
    }
    return used;
}

static int mark(fd_set *set, const struct pollfd *polled, short wanted,
                int happened)
{
    if (set == NULL || (polled->events & wanted) == 0 ||
        (polled->revents & happened) == 0)
        return 0;
    FD_SET(polled->fd, set);
    return 1;
}

int select(int count, fd_set *restrict readable, fd_set *restrict writable,
           fd_set *restrict exceptional, struct timeval *restrict timeout)
{
    static struct pollfd polled[FD_SETSIZE];
    uint64_t deadline_ns = PLATFORM_NEVER;
    nfds_t used;
    int marked = 0;

    if (count < 0 || count > FD_SETSIZE)
        return (int)descriptor_result(-EINVAL);
    if (timeout != NULL)
        deadline_ns =
            deadline_after((uint64_t)timeout->tv_sec * 1000 * NS_PER_MS +
                           (uint64_t)timeout->tv_usec * NS_PER_US);
    used = gather(polled, count, readable, writable, exceptional);
    (void)poll_until(polled, used, deadline_ns);
    if (readable != NULL)
        FD_ZERO(readable);
    if (writable != NULL)
        FD_ZERO(writable);
    if (exceptional != NULL)
        FD_ZERO(exceptional);
    for (nfds_t i = 0; i < used; i++) {
        if ((polled[i].revents & POLLNVAL) != 0)
            return (int)descriptor_result(-EBADF);
        marked +=
            mark(readable, &polled[i], POLLIN, POLLIN | POLLHUP | POLLERR);
        marked += mark(writable, &polled[i], POLLOUT, POLLOUT | POLLERR);
        marked += mark(exceptional, &polled[i], POLLPRI, POLLPRI);
    }
    return marked;
}

static int set_nonblocking(struct descriptor *descriptor, bool nonblocking)
{
    if (descriptor->kind == DESCRIPTOR_SOCKET)
        return (int)descriptor_result(
            socket_set_nonblocking(descriptor->socket, nonblocking));
    descriptor->is_nonblocking = nonblocking;
    return 0;
}

static int get_flags(const struct descriptor *descriptor)
{
    bool nonblocking = descriptor->kind == DESCRIPTOR_SOCKET
                           ? socket_is_nonblocking(descriptor->socket)
                           : descriptor->is_nonblocking;
    bool is_writable = descriptor->kind == DESCRIPTOR_SOCKET ||
                       descriptor->kind == DESCRIPTOR_CONSOLE;

    return (is_writable ? O_RDWR : O_RDONLY) | (nonblocking ? O_NONBLOCK : 0);
}

int fcntl(int number, int command, ...)
{
    struct descriptor *descriptor = descriptor_get(number);
    va_list arguments;
    int argument;

    if (descriptor == NULL)
        return -1;
    switch (command) {
    case F_GETFD:
    case F_SETFD: /* FD_CLOEXEC: nothing is ever executed */
        return 0;
    case F_GETFL:
        return get_flags(descriptor);
    case F_SETFL:
        va_start(arguments, command);
        argument = va_arg(arguments, int);
        va_end(arguments);
        return set_nonblocking(descriptor, (argument & O_NONBLOCK) != 0);
    default:
        return (int)descriptor_result(-EINVAL);
    }
}

int ioctl(int number, unsigned long request, ...)
{
    struct descriptor *descriptor = descriptor_get(number);
    va_list arguments;
    int *value;

    if (descriptor == NULL)
        return -1;
    va_start(arguments, request);
    value = va_arg(arguments, int *);
    va_end(arguments);
    if (descriptor->kind == DESCRIPTOR_SOCKET && interface_is_request(request))
        return (int)descriptor_result(interface_ask(request, value));
    switch (request) {
    case FIONBIO:
        return set_nonblocking(descriptor, *value != 0);
    case FIONREAD:
        if (descriptor->kind == DESCRIPTOR_SOCKET)
            return (int)descriptor_result(
                socket_readable_bytes(descriptor->socket, value));
        if (descriptor->kind == DESCRIPTOR_FILE) {
            *value = (int)(descriptor->length - descriptor->offset);
            return 0;
        }
        return (int)descriptor_result(-ENOTTY);
    case SIOCOUTQ:
    case SIOCOUTQNSD:
        if (descriptor->kind != DESCRIPTOR_SOCKET)
            return (int)descriptor_result(-ENOTTY);
        return (int)descriptor_result(socket_written_bytes(
            descriptor->socket, request == SIOCOUTQNSD, value));
    case SIOCATMARK:
        if (descriptor->kind != DESCRIPTOR_SOCKET)
            return (int)descriptor_result(-ENOTTY);
        *value = socket_at_mark(descriptor->socket);
        return *value < 0 ? (int)descriptor_result(*value) : 0;
    default:
        return (int)descriptor_result(-ENOTTY);
    }
}
