/* SPDX-License-Identifier: MIT */
/*
 * The event loop: which descriptors are watched, and what is called when one
 * is ready. Level-triggered. Everything else of httpd knows only this header.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Embedded in its owner, which sets the first two fields before loop_watch. */
struct watch {
    void (*ready)(struct watch *watch);
    int descriptor;
    uint16_t turn;  /* the loop's own: its event of this turn, from 1 */
    uint8_t events; /* the loop's own */
};

/* False, with errno set, if the system has no room. */
bool loop_init(void);
/* `events` may be 0: then only errors and hang-ups are reported. False if the
 * system has no room. */
bool loop_watch(struct watch *watch, unsigned events);
void loop_change(struct watch *watch, unsigned events);
/* Also from within `ready`, for any watch. The descriptor is closed next. */
void loop_unwatch(struct watch *watch);
/* Waits up to `timeout_ms` (-1: for ever) and calls `ready` of each. */
void loop_turn(int timeout_ms);
