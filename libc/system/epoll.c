/* SPDX-License-Identifier: MIT */
/*
 * epoll: descriptors to the watches of net/socket, whose memory comes from
 * malloc. Only sockets can be watched (EPERM otherwise, as on Linux for files).
 */
#include "libc/system/descriptor.h"

#include "net/platform.h"
#include "net/socket/epoll.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)

static void release(struct epoll_watch *watch)
{
    free(watch);
}

static struct epoll *epoll_get(int number)
{
    const struct descriptor *descriptor = descriptor_get(number);

    if (descriptor == NULL)
        return NULL;
    if (descriptor->kind == DESCRIPTOR_EPOLL)
        return descriptor->owned;
    errno = EINVAL;
    return NULL;
}

int epoll_create1(int flags)
{
    struct epoll *epoll;
    int number;

    if ((flags & ~(EPOLL_CLOEXEC | EPOLL_CORK)) != 0)
        return (int)descriptor_result(-EINVAL);
    epoll = calloc(1, sizeof(*epoll));
    if (epoll == NULL)
        return -1;
    number = descriptor_open(DESCRIPTOR_EPOLL);
    if (number < 0) {
        free(epoll);
        return -1;
    }
    epoll->release = release;
    epoll->is_corked = (flags & EPOLL_CORK) != 0;
    descriptor_get(number)->owned = epoll;
    return number;
}

int epoll_create(int size)
{
    return size <= 0 ? (int)descriptor_result(-EINVAL) : epoll_create1(0);
}

static int add(struct epoll *epoll, int id, const struct epoll_event *event)
{
    struct epoll_watch *watch = malloc(sizeof(*watch));
    int result = -ENOMEM;

    if (watch != NULL)
        result = socket_epoll_add(epoll, watch, id, event);
    if (result != 0)
        free(watch);
    return result;
}

int epoll_ctl(int number, int operation, int watched, struct epoll_event *event)
{
    const struct descriptor *target = descriptor_get(watched);
    struct epoll *epoll = epoll_get(number);

    if (epoll == NULL || target == NULL)
        return -1;
    if (target->kind != DESCRIPTOR_SOCKET)
        return (int)descriptor_result(-EPERM);
    switch (operation) {
    case EPOLL_CTL_ADD:
        return (int)descriptor_result(add(epoll, target->socket, event));
    case EPOLL_CTL_MOD:
        return (int)descriptor_result(
            socket_epoll_modify(epoll, target->socket, event));
    case EPOLL_CTL_DEL:
        return (int)descriptor_result(
            socket_epoll_remove(epoll, target->socket));
    default:
        return (int)descriptor_result(-EINVAL);
    }
}

int epoll_wait(int number, struct epoll_event *events, int size, int timeout_ms)
{
    struct epoll *epoll = epoll_get(number);
    uint64_t deadline_ns = 0;

    if (epoll == NULL)
        return -1;
    if (size <= 0)
        return (int)descriptor_result(-EINVAL);
    if (timeout_ms < 0)
        deadline_ns = PLATFORM_NEVER;
    else if (timeout_ms > 0)
        deadline_ns = socket_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    return socket_epoll_wait(epoll, events, size, deadline_ns);
}
