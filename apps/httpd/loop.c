/* SPDX-License-Identifier: MIT */
/*
 * The event loop over poll(). Each call costs time in proportion to the number
 * of descriptors watched, which is fine for some thousands; epoll would take
 * its place here.
 */
#include "loop.h"

#include <poll.h>
#include <stdlib.h>

static struct pollfd *descriptors;
static struct watch **watches; /* watches[i] belongs to descriptors[i] */
static unsigned count;
static unsigned limit;

static short poll_events(unsigned events)
{
    return (short)((events & LOOP_READ ? POLLIN : 0) |
                   (events & LOOP_WRITE ? POLLOUT : 0));
}

bool loop_init(unsigned capacity)
{
    descriptors = calloc(capacity, sizeof(*descriptors));
    watches = calloc(capacity, sizeof(*watches));
    limit = capacity;
    return descriptors && watches;
}

bool loop_watch(struct watch *watch, unsigned events)
{
    if (count == limit)
        return false;
    descriptors[count].fd = watch->descriptor;
    descriptors[count].events = poll_events(events);
    descriptors[count].revents = 0;
    watches[count] = watch;
    watch->slot = count++;
    return true;
}

void loop_change(struct watch *watch, unsigned events)
{
    descriptors[watch->slot].events = poll_events(events);
}

void loop_unwatch(struct watch *watch)
{
    unsigned hole = watch->slot;

    count--;
    descriptors[hole] = descriptors[count];
    watches[hole] = watches[count];
    watches[hole]->slot = hole;
}

void loop_turn(int timeout_ms)
{
    int ready = poll(descriptors, (nfds_t)count, timeout_ms);

    /* Downwards, and each event cleared before its call: whatever is removed
     * or added meanwhile, the last entry that fills a hole has either been
     * served already or carries no event. */
    for (unsigned i = count; ready > 0 && i > 0; i--) {
        if (i > count || !descriptors[i - 1].revents)
            continue;
        descriptors[i - 1].revents = 0;
        watches[i - 1]->ready(watches[i - 1]);
        ready--;
    }
}
