/* SPDX-License-Identifier: MIT */
/*
 * Timers of the protocols: a hierarchical wheel, so that setting and
 * cancelling cost the same with one or a million of them. Embed a struct
 * timer in the object it serves and zero it before first use. A timer never
 * fires early; it may fire up to TIMER_RESOLUTION_NS late. All functions:
 * softirq, or app with the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_RESOLUTION_NS UINT64_C(131072)
/* Who is not in a hurry waits for a multiple of this: such a timer is looked at
 * when it fires, and not before to be moved to where the ticks are counted. */
#define TIMER_COARSE_NS (64 * TIMER_RESOLUTION_NS)

enum {
    /* So that no burst of deadlines keeps the rest of the machine waiting. */
    TIMERS_PER_RUN = 256,
};

struct timer {
    struct timer *next;
    struct timer **link; /* what points at this one; NULL when not set */
    uint64_t deadline_ns;
    void (*expire)(struct timer *timer, uint64_t now_ns);
};

void timers_init(uint64_t now_ns);

/* Sets, or moves, the timer; PLATFORM_NEVER cancels it. `expire` must be set
 * before. It is called with the timer no longer set, and may set it again or
 * reuse its memory. */
void timer_set(struct timer *timer, uint64_t deadline_ns);
void timer_cancel(struct timer *timer);

static inline bool timer_is_set(const struct timer *timer)
{
    return timer->link != NULL;
}

/* Fires what is due, at most TIMERS_PER_RUN (the rest stays due: the next
 * deadline is then in the past). Returns how many fired. */
size_t timers_run(uint64_t now_ns);

/* When timers_run should be called next; PLATFORM_NEVER when none is set. May
 * be earlier than the earliest timer (a cascade), never later. */
uint64_t timers_next_deadline(void);

size_t timers_count(void);
