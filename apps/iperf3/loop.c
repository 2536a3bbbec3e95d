/* SPDX-License-Identifier: MIT */
/*
 * See loop.h.
 */
#include "loop.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_PER_TURN = 64 };

static int instance = -1;

static int control(int operation, struct watch *watch)
{
    struct epoll_event event = {.data.ptr = watch};

    event.events = (watch->events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
                   (watch->events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
    return epoll_ctl(instance, operation, watch->descriptor, &event);
}

bool loop_init(void)
{
    instance = epoll_create1(0);
    return instance >= 0;
}

bool loop_open(struct watch *watch, int descriptor, unsigned events)
{
    watch->descriptor = descriptor;
    watch->events = events;
    if (control(EPOLL_CTL_ADD, watch) == 0)
        return true;
    loop_close(watch);
    return false;
}

void loop_change(struct watch *watch, unsigned events)
{
    if (watch->events == events || watch->descriptor < 0)
        return;
    watch->events = events;
    (void)control(EPOLL_CTL_MOD, watch);
}

void loop_move(struct watch *to, struct watch *from)
{
    to->descriptor = from->descriptor;
    to->events = from->events;
    from->descriptor = -1;
    (void)control(EPOLL_CTL_MOD, to);
}

void loop_close(struct watch *watch)
{
    if (watch->descriptor >= 0)
        close(watch->descriptor);
    watch->descriptor = -1;
}

void loop_turn(int timeout_ms)
{
    struct epoll_event happened[EVENTS_PER_TURN];
    int count = epoll_wait(instance, happened, EVENTS_PER_TURN, timeout_ms);

    for (int i = 0; i < count; i++) {
        struct watch *watch = happened[i].data.ptr;
        unsigned events = 0;

        if (happened[i].events & (uint32_t)(EPOLLIN | EPOLLHUP | EPOLLERR))
            events |= LOOP_READ;
        if (happened[i].events & (uint32_t)(EPOLLOUT | EPOLLHUP | EPOLLERR))
            events |= LOOP_WRITE;
        if (watch->descriptor >= 0)
            watch->ready(watch, events);
    }
}

uint64_t loop_now_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
