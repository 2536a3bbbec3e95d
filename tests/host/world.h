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

#include "tests/host/stack.h"

struct frame {
    size_t length;
    uint8_t bytes[];
};

struct frame *frame_new(const void *bytes, size_t length);

/* What one direction of a cable does to frames. Zero is a perfect wire. */
struct world_path {
    uint64_t rate_bits_s; /* 0: infinite */
    uint64_t delay_ns;
    uint64_t queue_bytes; /* waiting to be sent; 0: no limit */
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t corrupt_ppm; /* one bit of an IPv4 frame flips */
    uint32_t reorder_ppm; /* this many arrive reorder_ns late */
    uint64_t reorder_ns;
    bool is_cut;
};

/* One end of a cable. `arrive` owns the frame. */
struct world_port {
    void (*arrive)(struct world_port *port, struct frame *frame);
    struct world_port *other;
    struct world_path path; /* from here to the other end */
    uint64_t free_at_ns;    /* when the wire is done with the last frame */
    uint64_t sent;
    uint64_t lost;
};

void world_port_join(struct world_port *a, struct world_port *b);

/* Puts a frame on the wire and gives it away. Returns when its last bit has
 * left. */
uint64_t world_port_send(struct world_port *port, struct frame *frame);

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

/* Writes every frame any port sends from now on. NULL stops. */
void world_capture(const char *path);
