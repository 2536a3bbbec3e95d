/* SPDX-License-Identifier: MIT */
/*
 * The app of a script, when it blocks: a thread that makes one call, so that
 * packets may come and go while it sleeps in the stack.
 */
#pragma once

#include "tests/script/calls.h"

/* Begins a call that may block. Returns when it has ended, or sleeps. */
void app_begin(const struct call *call);

/* True once, when the call has ended. */
bool app_is_done(struct outcome *outcome, uint64_t *ended_ns);

/* A call is under way. */
bool app_is_busy(void);

/* Told when a call on the player's own thread would block. */
extern void (*app_would_block)(void);
