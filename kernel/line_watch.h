/* SPDX-License-Identifier: MIT */
/*
 * Judging an interrupt line by what is seen of it: does it cry without end
 * (a storm: nobody's interrupts, thousands in a row), or has it never spoken
 * although its devices have something to say? Either way it is polled from
 * then on. Pure; times are passed in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Of this many interrupts, at least so many unclaimed make a storm, if
     * they came within the time below: a stray now and then is harmless. */
    LINE_STORM_WINDOW = 10000,
    LINE_STORM_UNCLAIMED = 9900,
    /* Looks that found a device waiting in vain before a line is given up:
     * the first may be work that was there before its interrupt was on. */
    LINE_SILENT_LOOKS = 3,
};

#define LINE_STORM_NS      UINT64_C(10000000000)
#define LINE_LOOK_FIRST_NS UINT64_C(5000000)
#define LINE_LOOK_LAST_NS  UINT64_C(1000000000)
#define LINE_POLL_NS       UINT64_C(1000000)

enum line_state {
    LINE_WATCHED, /* no interrupt yet: looked at ever more rarely */
    LINE_WORKS,
    LINE_POLLED,
};

struct line_watch {
    enum line_state state;
    uint32_t window_count;
    uint32_t window_unclaimed;
    uint64_t window_start_ns;
    uint32_t vain_looks;
    uint64_t look_interval_ns;
    uint64_t next_look_ns; /* UINT64_MAX: no need */
};

static inline void line_watch_start(struct line_watch *watch, uint64_t now_ns)
{
    *watch = (struct line_watch){
        .window_start_ns = now_ns,
        .look_interval_ns = LINE_LOOK_FIRST_NS,
        .next_look_ns = now_ns + LINE_LOOK_FIRST_NS,
    };
}

static inline void line_watch_poll(struct line_watch *watch, uint64_t now_ns)
{
    watch->state = LINE_POLLED;
    watch->look_interval_ns = LINE_POLL_NS;
    watch->next_look_ns = now_ns + LINE_POLL_NS;
}

/* The line delivered an interrupt. True: a window is full, and
 * line_watch_judge() must be asked. */
static inline bool line_watch_interrupt(struct line_watch *watch,
                                        bool is_claimed)
{
    if (watch->state == LINE_WATCHED) {
        watch->state = LINE_WORKS;
        watch->next_look_ns = UINT64_MAX;
    }
    watch->window_count++;
    if (!is_claimed)
        watch->window_unclaimed++;
    return watch->window_count >= LINE_STORM_WINDOW;
}

/* True: the line must be masked, it is polled from now on. */
static inline bool line_watch_judge(struct line_watch *watch, uint64_t now_ns)
{
    bool is_storm = watch->window_unclaimed >= LINE_STORM_UNCLAIMED &&
                    now_ns - watch->window_start_ns <= LINE_STORM_NS;
    watch->window_count = 0;
    watch->window_unclaimed = 0;
    watch->window_start_ns = now_ns;
    if (is_storm)
        line_watch_poll(watch, now_ns);
    return is_storm;
}

/* Its devices were asked without an interrupt, at next_look_ns or later.
 * True: the line has just been given up. */
static inline bool line_watch_look(struct line_watch *watch, bool is_claimed,
                                   uint64_t now_ns)
{
    if (watch->state == LINE_POLLED) {
        watch->next_look_ns = now_ns + LINE_POLL_NS;
        return false;
    }
    if (is_claimed && ++watch->vain_looks == LINE_SILENT_LOOKS) {
        line_watch_poll(watch, now_ns);
        return true;
    }
    watch->look_interval_ns *= 2;
    if (watch->look_interval_ns > LINE_LOOK_LAST_NS)
        watch->look_interval_ns = LINE_LOOK_LAST_NS;
    watch->next_look_ns = now_ns + watch->look_interval_ns;
    return false;
}
