/* SPDX-License-Identifier: MIT */
/*
 * epoll for an app that runs on the TAP port (see tap_calls.c): descriptors
 * below those of sockets. Only sockets can be watched. An epoll is never
 * closed: apps that run for ever have no reason to.
 */
#include "net/socket/epoll.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <stdlib.h>

enum {
    TAP_DESCRIPTORS = 100000, /* first socket, as in tap_calls.c */
    TAP_EPOLLS = 90000,
    EPOLLS_MAX = 8,
};

int __wrap_epoll_create1(int flags);
int __wrap_epoll_ctl(int number, int operation, int watched,
                     struct epoll_event *event);
int __wrap_epoll_wait(int number, struct epoll_event *events, int size,
                      int timeout_ms);

static struct epoll epolls[EPOLLS_MAX];
static int epoll_count;

static void release(struct epoll_watch *watch)
{
    free(watch);
}

static int result(int value)
{
    if (value >= 0)
        return value;
    errno = -value;
    return -1;
}

int __wrap_epoll_create1(int flags)
{
    (void)flags;
    if (epoll_count == EPOLLS_MAX)
        return result(-EMFILE);
    epolls[epoll_count].release = release;
    return TAP_EPOLLS + epoll_count++;
}

int __wrap_epoll_ctl(int number, int operation, int watched,
                     struct epoll_event *event)
{
    struct epoll *epoll = &epolls[number - TAP_EPOLLS];
    int id = watched - TAP_DESCRIPTORS;
    struct epoll_watch *watch;
    int error;

    if (id < 0)
        return result(-EPERM);
    if (operation == EPOLL_CTL_MOD)
        return result(socket_epoll_modify(epoll, id, event));
    if (operation == EPOLL_CTL_DEL)
        return result(socket_epoll_remove(epoll, id));
    watch = malloc(sizeof(*watch));
    error = watch != NULL ? socket_epoll_add(epoll, watch, id, event) : -ENOMEM;
    if (error != 0)
        free(watch);
    return result(error);
}

int __wrap_epoll_wait(int number, struct epoll_event *events, int size,
                      int timeout_ms)
{
    uint64_t deadline_ns = UINT64_MAX;

    if (timeout_ms >= 0)
        deadline_ns = socket_now_ns() + (uint64_t)timeout_ms * 1000000;
    return result(socket_epoll_wait(&epolls[number - TAP_EPOLLS], events, size,
                                    timeout_ms == 0 ? 0 : deadline_ns));
}
