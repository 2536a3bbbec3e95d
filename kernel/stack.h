/* SPDX-License-Identifier: MIT */
/*
 * Every stack of the image, each above an unmapped guard page; their sizes
 * are in linker.ld.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum stack {
    STACK_APP, /* boot runs here, too */
    STACK_SOFTIRQ,
    STACK_DOUBLE_FAULT, /* the last three: interrupt stack table */
    STACK_NMI,
    STACK_MACHINE_CHECK,
    STACK_COUNT,
};

/* One past the highest byte, 16-aligned: what RSP starts at. */
void *stack_top(enum stack stack);
const char *stack_name(enum stack stack);

/* The unmapped page below the stack. */
const void *stack_guard(enum stack stack);

/* Which stack this address belongs to, its guard page included. */
bool stack_of(uint64_t address, enum stack *stack);
bool stack_is_guard(enum stack stack, uint64_t address);

/* entry.S: runs the function on another stack and comes back. */
void stack_call(void (*function)(void), void *top);
