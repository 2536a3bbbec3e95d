/* SPDX-License-Identifier: MIT */
/*
 * The app of a script, when it blocks: a thread that runs only while the
 * player waits for it, so that packets may come and go while a call sleeps in
 * the stack. Takes the place of tests/host's platform_idle().
 */
#pragma once

#include "tests/script/calls.h"
#include "tests/script/lan.h"

void app_start(struct lan *lan);

/* Begins a call that may block. */
void app_begin(const struct call *call);

/* Lets a call that sleeps look again. */
void app_look(void);

/* True once, when the call has ended. */
bool app_is_done(struct outcome *outcome, uint64_t *ended_ns);

/* A call is under way. */
bool app_is_busy(void);

/* Told when a call on the player's own thread would block. */
extern void (*app_would_block)(void);
