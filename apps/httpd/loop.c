/* SPDX-License-Identifier: MIT */
/*
 * The event loop over epoll: a turn costs what the ready ones cost, however
 * many are idle. What a watch waits for is remembered, as it seldom changes.
 */
#include "loop.h"

#include "clock.h"
#include "limits.h"

#include <sys/epoll.h>

#ifndef EPOLL_CORK
#define EPOLL_CORK 0 /* another system's epoll */
#endif

static int instance = -1;
static struct epoll_event happened[EVENTS_PER_TURN];

static int control(int operation, struct watch *watch, unsigned events)
{
    struct epoll_event event = {.data.ptr = watch};

    event.events = (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
                   (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
    watch->events = (uint8_t)events;
    return epoll_ctl(instance, operation, watch->descriptor, &event);
}

bool loop_init(void)
{
    clock_start_turn();
    /* A turn is short: its answers can leave together. */
    instance = epoll_create1(EPOLL_CORK);
    return instance >= 0;
}

bool loop_watch(struct watch *watch, unsigned events)
{
    watch->turn = 0;
    return control(EPOLL_CTL_ADD, watch, events) == 0;
}

void loop_change(struct watch *watch, unsigned events)
{
    if (watch->events != events)
        control(EPOLL_CTL_MOD, watch, events);
}

/* Closing is what ends the watching itself. */
void loop_unwatch(struct watch *watch)
{
    if (watch->turn != 0)
        happened[watch->turn - 1].data.ptr = 0;
}

void loop_turn(int timeout_ms)
{
    int count = epoll_wait(instance, happened, EVENTS_PER_TURN, timeout_ms);

    clock_start_turn();
    /* One that is served may end others whose turn has not come. */
    for (int i = 0; i < count; i++)
        ((struct watch *)happened[i].data.ptr)->turn = (uint16_t)(i + 1);
    for (int i = 0; i < count; i++) {
        struct watch *watch = happened[i].data.ptr;

        if (!watch)
            continue;
        watch->turn = 0;
        watch->ready(watch);
    }
}
