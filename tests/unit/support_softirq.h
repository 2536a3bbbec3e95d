/* SPDX-License-Identifier: MIT */
/*
 * A processor made of functions, for kernel/softirq.c: time passes only where a
 * test or a handler says so, and interrupts come only where they are enabled.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

struct fake_processor {
    uint64_t now_ns;
    uint64_t armed_ns;
    int armings; /* how often the timer was programmed */
    uint64_t deadline_ns; /* the stack's next */
    uint64_t idled_ns;
    bool interrupts_enabled;
    int refreshes; /* of translations */
    int timer_runs;
    int receive_runs;
    int deepest;
    /* A receive softirq takes so long, and asks for another so often. */
    uint64_t receive_cost_ns;
    int receive_again;
    /* The device's next interrupt, and what its handler does. */
    uint64_t device_interrupt_ns;
    void (*device_interrupt)(void);
};

extern struct fake_processor fake;

/* An empty processor with handlers for TIMER and NET_RX. */
void fake_start(void);

/* An interrupt now. */
void fake_interrupt(void (*handler)(void));
void fake_raise_receive(void);

/* The app waits: what it looked for was not there, and then this. */
void fake_idle(uint64_t until_ns);

/* The app works; interrupts come when they are due. */
void fake_work(uint64_t ns);
