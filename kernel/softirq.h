/* SPDX-License-Identifier: MIT */
/*
 * Softirqs: work that an interrupt asked for, done with interrupts enabled on
 * a stack of its own, never nested. They run on the way out of an interrupt,
 * and when the app drops the lock or idles. One round is bounded, and what is
 * left over waits until the app has had its share (kernel/softirq_policy.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they run: what acknowledges a segment and has come is
 * received before the segment's timer expires. */
enum softirq {
    SOFTIRQ_NET_TX, /* nobody's today: polls of NET_RX find what was sent */
    SOFTIRQ_NET_RX,
    SOFTIRQ_TIMER,
    SOFTIRQ_COUNT,
};

/* Where the time goes. */
enum softirq_context {
    CONTEXT_APP,
    CONTEXT_SOFTIRQ,
    CONTEXT_HARDIRQ,
    CONTEXT_IDLE,
    CONTEXT_COUNT,
};

struct softirq_counters {
    uint64_t runs[SOFTIRQ_COUNT];
    uint64_t run_ns[SOFTIRQ_COUNT];
    uint64_t rounds;
    uint64_t squeezed; /* rounds cut short although the app had work, too */
    uint64_t deferred; /* chances passed up so that the app could run */
    uint64_t spins;    /* times an idle processor looked before it halted */
    uint64_t spun;     /* ...and something came */
    uint64_t context_ns[CONTEXT_COUNT];
};

/* Needs memory (for the stack) and the clock. */
void softirq_init(void);

/* `now_ns`: when the handler was called. */
void softirq_register(enum softirq vector, void (*handler)(uint64_t now_ns));

/* Any context, hardirq included. */
void softirq_raise(enum softirq vector);

/* App context: keeps softirqs out; may nest. The last unlock runs what is
 * pending. */
void softirq_lock(void);
void softirq_unlock(void);

/* App context, locked once: gives the lock up, runs what is pending, else
 * halts until an interrupt or the deadline, and takes the lock again. Returns
 * after one round or one halt. Nothing runs between the caller's last look at
 * its condition and the choice between the two, so no wake-up is lost. */
void softirq_idle(uint64_t deadline_ns);

/* Called in the app's context whenever it is about to idle; NULL: nothing. */
void softirq_set_before_idle(void (*hook)(void));

/* Called with interrupts off by a processor that is about to halt, again and
 * again for a short time, if such looking has paid lately: `look` raises the
 * softirq of a device that has work although it did not interrupt (yet), and
 * says so. NULL: it halts at once. */
void softirq_set_idle_look(bool (*look)(void));

/* The earliest moment at which SOFTIRQ_TIMER has work; asked after every
 * round, unlock and before every halt. UINT64_MAX: never. */
void softirq_set_deadline_source(uint64_t (*next_deadline)(void));

bool softirq_is_running(void);

/* Counters up to this moment. */
const struct softirq_counters *softirq_counters(void);

/* For interrupt_dispatch() only: around a hardirq; interrupts off. */
enum softirq_context softirq_enter_hardirq(void);
void softirq_leave_hardirq(enum softirq_context before);
