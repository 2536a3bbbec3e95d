/* SPDX-License-Identifier: MIT */
/*
 * The local APIC: acknowledges interrupts and holds the one-shot timer. Intel
 * SDM volume 3, chapter "Advanced Programmable Interrupt Controller". Speaks
 * x2APIC (registers as MSRs) where the CPU has it, else xAPIC (memory). Left
 * out: other processors (no IPIs).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Vectors for its own errors, and for interrupts that vanished on the way. */
struct apic_vectors {
    uint8_t timer, error, spurious;
};

/* False when this CPU has no APIC or its registers cannot be mapped. */
bool apic_init(uint64_t address, struct apic_vectors vectors);

bool apic_is_x2(void);
uint32_t apic_id(void);

/* End of interrupt, for every vector but the spurious one. */
void apic_acknowledge(void);

/* Reads and clears what the error vector was about. */
uint32_t apic_errors(void);

/* The timer's own counter: starts from `count` and falls to 0, then fires;
 * 0 stops it. Until it is unmasked it counts, but does not fire. */
void apic_timer_start(uint32_t count);
void apic_timer_unmask(void);
uint32_t apic_timer_count(void);

/* TSC deadline mode, where CPUID offers it: fires when the TSC has reached
 * the value; 0 stops it. */
bool apic_has_deadline(void);
void apic_deadline_enable(void);
void apic_deadline_set(uint64_t tsc);
