/* SPDX-License-Identifier: MIT */
/*
 * poll, and epoll made of it: level-triggered, or by edges (EPOLLET), where
 * an event is told again only when it was gone in between.
 */
#include "tests/packetdrill/adapter.h"

#include "net/socket/socket.h"

#include <errno.h>
#include <fcntl.h>

enum {
    EPOLLS = 8,
    MEMBERS = 64,
};

struct member {
    int fd; /* -1: free */
    struct epoll_event event;
    uint32_t told;
};

static struct epoll {
    int fd; /* 0: free */
    struct member members[MEMBERS];
} epolls[EPOLLS];

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

static struct epoll *epoll_find(int fd)
{
    for (size_t i = 0; i < EPOLLS; i++)
        if (fd > 0 && epolls[i].fd == fd)
            return &epolls[i];
    return NULL;
}

void epoll_forget(int fd)
{
    struct epoll *epoll = epoll_find(fd);

    if (epoll != NULL) {
        epoll->fd = 0;
        (void)close(fd);
    }
}

static int make_epoll_create(void *userdata, int size)
{
    int result = size <= 0 ? -EINVAL : -EMFILE;

    (void)userdata;
    adapter_enter();
    for (size_t i = 0; i < EPOLLS && size > 0; i++) {
        if (epolls[i].fd != 0)
            continue;
        epolls[i].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        for (size_t k = 0; k < MEMBERS; k++)
            epolls[i].members[k].fd = -1;
        result = epolls[i].fd;
        break;
    }
    adapter_leave();
    return (int)adapter_result(result);
}

static int change(struct epoll *epoll, int operation, int fd,
                  const struct epoll_event *event)
{
    struct member *found = NULL;
    struct member *unused = NULL;

    for (size_t i = 0; i < MEMBERS; i++) {
        if (epoll->members[i].fd == fd)
            found = &epoll->members[i];
        else if (epoll->members[i].fd == -1)
            unused = &epoll->members[i];
    }
    if (operation == EPOLL_CTL_ADD && found != NULL)
        return -EEXIST;
    if (operation != EPOLL_CTL_ADD && found == NULL)
        return -ENOENT;
    if (operation == EPOLL_CTL_DEL) {
        found->fd = -1;
        return 0;
    }
    if (event == NULL)
        return -EFAULT;
    found = found == NULL ? unused : found;
    if (found == NULL)
        return -ENOSPC;
    *found = (struct member){.fd = fd, .event = *event};
    return 0;
}

static int make_epoll_ctl(void *userdata, int fd, int operation, int member,
                          struct epoll_event *event)
{
    struct epoll *epoll = epoll_find(fd);
    int result = -EBADF;

    (void)userdata;
    adapter_enter();
    if (epoll != NULL && descriptor_socket(member) >= 0)
        result = change(epoll, operation, member, event);
    adapter_leave();
    return (int)adapter_result(result);
}

static int epoll_look(struct epoll *epoll, struct epoll_event *events, int size)
{
    int count = 0;

    for (size_t i = 0; i < MEMBERS && count < size; i++) {
        struct member *member = &epoll->members[i];
        int socket = member->fd < 0 ? -1 : descriptor_socket(member->fd);
        if (socket < 0)
            continue;
        uint32_t now = (uint32_t)socket_poll_events(socket) &
                       (member->event.events | EPOLLERR | EPOLLHUP);
        uint32_t fresh = now;
        if ((member->event.events & EPOLLET) != 0)
            fresh = now & ~member->told;
        member->told = now;
        if (fresh != 0)
            events[count++] =
                (struct epoll_event){.events = now, .data = member->event.data};
    }
    return count;
}

static int make_epoll_wait(void *userdata, int fd, struct epoll_event *events,
                           int size, int timeout_ms)
{
    struct epoll *epoll = epoll_find(fd);
    int ready;

    (void)userdata;
    if (epoll == NULL || size <= 0)
        return (int)adapter_result(epoll == NULL ? -EBADF : -EINVAL);
    adapter_enter();
    if (setjmp(*adapter_deadlock()) != 0)
        return adapter_give_up();
    uint64_t end_ns = end_of(timeout_ms);
    for (;;) {
        uint64_t generation = socket_generation();
        ready = epoll_look(epoll, events, size);
        if (ready != 0 || world_now() >= end_ns)
            break;
        socket_wait(generation, end_ns);
    }
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
