/* SPDX-License-Identifier: MIT */
/*
 * The event loop: level-triggered epoll, and one time at which to look again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Lies in static memory: an event may come for one that was just closed, and
 * is left out then. */
struct watch {
    void (*ready)(struct watch *watch, unsigned events);
    int descriptor; /* -1: none */
    unsigned events;
};

/* False, with errno set. */
bool loop_init(void);
/* Takes the descriptor, or closes it and returns false. */
bool loop_open(struct watch *watch, int descriptor, unsigned events);
void loop_change(struct watch *watch, unsigned events);
/* `to` takes over the descriptor of `from`; events as they were. */
void loop_move(struct watch *to, struct watch *from);
void loop_close(struct watch *watch);
void loop_turn(int timeout_ms);

uint64_t loop_now_ns(void);
