/* SPDX-License-Identifier: MIT */
/*
 * Counters of known rate that the TSC can be measured against: HPET, the ACPI
 * PM timer, the PIT; and what CPU and hypervisor claim about the TSC.
 */
#pragma once

#include <stdint.h>

struct clock_reference {
    const char *name;
    uint64_t hz;
    uint64_t mask;          /* the counter is this many ones wide */
    uint64_t (*read)(void); /* counts up */
};

/* The PIT's channel 2, started now; every PC has it. Wraps after 55 ms. */
const struct clock_reference *clock_reference_pit(void);

/* The best one that moves: HPET, PM timer, PIT. */
const struct clock_reference *clock_reference_best(void);

/* The TSC's frequency as claimed by the hypervisor or the CPU; 0 if nobody
 * claims one. */
uint64_t clock_claimed_hz(const char **claimed_by);
