/* SPDX-License-Identifier: MIT */
/*
 * poll, and the stack's own epoll behind descriptors of the kernel.
 */
#include "tests/packetdrill/adapter.h"

#include "net/socket/epoll.h"
#include "net/socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum { SETS = 8 };

static struct set {
    int fd; /* 0: free */
    struct epoll epoll;
} sets[SETS];

static uint64_t end_of(int timeout_ms)
{
    if (timeout_ms < 0)
        return PLATFORM_NEVER;
    return world_now() + (uint64_t)timeout_ms * NS_PER_MS;
}

static int look(struct pollfd *list, nfds_t count)
{
    int ready = 0;

    for (nfds_t i = 0; i < count; i++) {
        int socket = descriptor_socket(list[i].fd);
        int events = socket < 0 ? POLLNVAL : socket_poll_events(socket);
        list[i].revents =
            (short)(events & (list[i].events | POLLERR | POLLHUP | POLLNVAL));
        if (list[i].fd < 0)
            list[i].revents = 0;
        ready += list[i].revents != 0;
    }
    return ready;
}

static int make_poll(void *userdata, struct pollfd *list, nfds_t count,
                     int timeout_ms)
{
    int ready;

    (void)userdata;
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    uint64_t end_ns = end_of(timeout_ms);
    for (;;) {
        uint64_t generation = socket_generation();
        ready = look(list, count);
        if (ready != 0 || world_now() >= end_ns)
            break;
        socket_wait(generation, end_ns);
    }
    adapter_leave();
    return ready;
}

static struct set *set_find(int fd)
{
    for (size_t i = 0; i < SETS; i++)
        if (fd > 0 && sets[i].fd == fd)
            return &sets[i];
    return NULL;
}

static void release(struct epoll_watch *watch)
{
    free(watch);
}

bool epoll_forget(int fd)
{
    struct set *set = set_find(fd);

    if (set == NULL)
        return false;
    socket_epoll_close(&set->epoll);
    set->fd = 0;
    (void)close(fd);
    return true;
}

static int make_epoll_create(void *userdata, int size)
{
    int result = size <= 0 ? -EINVAL : -EMFILE;

    (void)userdata;
    adapter_enter();
    for (size_t i = 0; i < SETS && size > 0; i++) {
        if (sets[i].fd != 0)
            continue;
        result = open("/dev/null", O_RDWR | O_CLOEXEC);
        sets[i] = (struct set){.fd = result, .epoll.release = release};
        break;
    }
    adapter_leave();
    return (int)adapter_result(result);
}

static int add(struct epoll *epoll, int socket, const struct epoll_event *event)
{
    struct epoll_watch *watch = calloc(1, sizeof(*watch));
    int result = -ENOMEM;

    if (watch != NULL)
        result = socket_epoll_add(epoll, watch, socket, event);
    if (result != 0)
        free(watch);
    return result;
}

static int make_epoll_ctl(void *userdata, int fd, int operation, int member,
                          struct epoll_event *event)
{
    struct set *set = set_find(fd);
    int socket = descriptor_socket(member);
    int result = -EINVAL;

    (void)userdata;
    adapter_enter();
    if (set == NULL || socket < 0)
        result = -EBADF;
    else if (operation == EPOLL_CTL_DEL)
        result = socket_epoll_remove(&set->epoll, socket);
    else if (event == NULL)
        result = -EFAULT;
    else if (operation == EPOLL_CTL_ADD)
        result = add(&set->epoll, socket, event);
    else if (operation == EPOLL_CTL_MOD)
        result = socket_epoll_modify(&set->epoll, socket, event);
    adapter_leave();
    return (int)adapter_result(result);
}

static int make_epoll_wait(void *userdata, int fd, struct epoll_event *events,
                           int size, int timeout_ms)
{
    struct set *set = set_find(fd);
    uint64_t deadline_ns = 0;

    (void)userdata;
    if (set == NULL || size <= 0)
        return (int)adapter_result(set == NULL ? -EBADF : -EINVAL);
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    if (timeout_ms != 0)
        deadline_ns = end_of(timeout_ms);
    int ready = socket_epoll_wait(&set->epoll, events, size, deadline_ns);
    adapter_leave();
    return ready;
}

void wait_fill(struct packetdrill_interface *table)
{
    table->poll = make_poll;
    table->epoll_create = make_epoll_create;
    table->epoll_ctl = make_epoll_ctl;
    table->epoll_wait = make_epoll_wait;
}
