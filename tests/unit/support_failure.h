/* SPDX-License-Identifier: MIT */
/*
 * Requests for memory that fail: packets, buffers, connections, what recovery
 * keeps, sockets. A scenario is played again and again, each time in a process
 * of its own, and the k-th request fails (alone, with others behind it, or
 * with all of the next seconds), for every k until none is left to fail. After
 * each run everything must be back in its pool and no timer left.
 * FAILURE_EVERY=1 plays every k; else the later ones are thinned out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct failure_plan {
    const char *name;
    uint64_t first;       /* fails: this request, counted from 1, */
    uint64_t count;       /* so many in all, */
    uint64_t duration_ns; /* and all that come within so long */
};

/* What a run came to. */
struct failure_report {
    uint64_t requests;
    uint64_t failed;
    bool is_whole;   /* all that was to be done was done */
    char fault[256]; /* not empty: what went wrong */
};

struct failure_scenario {
    void (*prepare)(void); /* once, before the first run */
    void (*play)(struct failure_report *report);
};

/* Of all runs. */
struct failure_sums {
    uint64_t runs;
    uint64_t whole;
    uint64_t whole_single; /* of those in which a single request failed... */
    uint64_t single;       /* ...so many there were */
    char fault[400];       /* the first one, and in which run */
};

struct failure_sums failure_sweep(const struct failure_scenario *scenario);

/* One run, for tests of this machinery itself. */
struct failure_report failure_run(const struct failure_scenario *scenario,
                                  struct failure_plan plan);

/* Puts a fault down; the first one counts. */
void failure_fault(struct failure_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Counts a request: is it to fail? For what is taken elsewhere than in pools.
 */
bool failure_is_now(void);

/* Called at each failure, if not NULL. */
extern void (*failure_hook)(void);
