/* SPDX-License-Identifier: MIT */
/*
 * The event loop: which descriptors are watched, and what is called when one
 * is ready. Level-triggered. Everything else of httpd knows only this header,
 * so that epoll can replace poll behind it.
 */
#pragma once

#include <stdbool.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Embedded in its owner, which sets both fields before loop_watch. */
struct watch {
    int descriptor;
    void (*ready)(struct watch *watch);
    unsigned slot; /* the loop's own */
};

/* Room for `capacity` descriptors; false without memory. */
bool loop_init(unsigned capacity);
/* `events` may be 0: then only errors and hang-ups are reported. False if the
 * loop is full. */
bool loop_watch(struct watch *watch, unsigned events);
void loop_change(struct watch *watch, unsigned events);
/* Also from within `ready`, for any watch. */
void loop_unwatch(struct watch *watch);
/* Waits up to `timeout_ms` (-1: for ever) and calls `ready` of each. */
void loop_turn(int timeout_ms);
