/* SPDX-License-Identifier: MIT */
/*
 * The host half of net/platform.h: a world with a virtual clock, in which up
 * to two ferrule stacks and any number of frame-level peers are joined by
 * simulated cables. Everything follows from the seed. Time advances only when
 * nothing is left to do at the current instant; when nothing is scheduled
 * either while somebody waits, that silence fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/host/link.h"
#include "tests/host/stack.h"

struct world_stack {
    const struct stack_functions *call;
    const char *name;
    uint8_t *memory;
    size_t memory_size;
    size_t memory_used;
    bool is_locked;
    bool receive_raised;
    /* Called after each of its softirqs: an app without a loop of its own. */
    void (*application)(void *context);
    void *context;
};

/* Starts anew: time 0, no stacks, no events. */
void world_start(uint64_t seed);

/* A stack with so much pool memory; at most two. Runs its net_init. */
struct world_stack *world_stack_add(const char *name, size_t memory_size);

uint64_t world_now(void);
uint64_t world_random(void);
/* True with a probability of `ppm` in a million. */
bool world_chance(uint32_t ppm);

/* Calls `run` at that time. */
void world_at(uint64_t time_ns, void (*run)(void *context), void *context);

/* Does one thing: a softirq, or the next event. False when there is nothing
 * to do now or before `until_ns`; time then stands at `until_ns`, unless that
 * is PLATFORM_NEVER. */
bool world_step(uint64_t until_ns);

/* Steps until then. */
void world_run_until(uint64_t time_ns);
void world_run_for(uint64_t duration_ns);

/* Steps until nothing is scheduled any more. */
void world_run_out(void);

/* The app of this stack enters it: lock held, calls go through the result.
 * Leaving sends what is owed, as the socket layer does. */
const struct stack_functions *world_enter(struct world_stack *stack);
void world_leave(struct world_stack *stack);

/* A failure of the world: prints and aborts, unless a test set its own. */
_Noreturn void world_fail(const char *text);

/* The log, as far as it is kept: all lines so far in one string. */
const char *world_log_text(void);
extern bool world_log_is_printed;
