/* SPDX-License-Identifier: MIT */
/*
 * Time: the TSC scaled to nanoseconds since kernel entry, a one-shot timer
 * without a tick, and the calendar from the CMOS clock. The TSC's frequency
 * comes from the hypervisor, the CPU, or a measurement against HPET, PM timer
 * or PIT, in this order of trust.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_NEVER UINT64_MAX

/* Boot, step 1: a rough frequency (0.2 ms), so that log lines have times.
 * Needs nothing. entry_tsc is the TSC at the kernel's first instruction. */
void clock_init(uint64_t entry_tsc);

/* Boot, step 2: chooses the reference and takes the first sample. Needs
 * acpi_init() and interrupt_init(). */
void clock_sample(void);

/* Boot, step 3: waits until the first sample is a few ms old (what was done
 * meanwhile was free), takes the second: the final frequency. Starts the
 * timer and reads the calendar. */
void clock_calibrate(void);

/* Monotonic, since kernel entry; 0 before clock_init(). Any context. */
uint64_t clock_now_ns(void);

/* Spins. */
void clock_delay_us(uint32_t microseconds);

/* Asks for SOFTIRQ_TIMER at this moment at the latest; programs the timer
 * only when it is earlier than what was asked before. Any context. */
void clock_arm(uint64_t deadline_ns);

/* Nanoseconds since 1970-01-01 UTC: CLOCK_REALTIME. */
uint64_t clock_realtime_ns(void);

/* A TSC reading in nanoseconds since kernel entry (boot phases). */
uint64_t clock_from_tsc(uint64_t tsc);

uint64_t clock_tsc_hz(void);
const char *clock_source_name(void); /* what gave the TSC's frequency */

/* For interrupt_dispatch() only: the timer's vector fired. */
void clock_interrupt(void);
