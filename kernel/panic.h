/* SPDX-License-Identifier: MIT */
/*
 * The end: cause, registers, a backtrace with names, then a reset after
 * panic= seconds (0 waits for ever, below 0 is at once, as on Linux).
 */
#pragma once

#include "kernel/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What entry.S leaves on the stack, lowest address first. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error_code; /* for interrupts: the vector again */
    uint64_t rip, cs, rflags, rsp, ss;
};

enum { PANIC_SECONDS_DEFAULT = 5 };

_Noreturn void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same with the registers of a trap instead of the caller's. */
_Noreturn void panic_trap(const struct trap_frame *frame, const char *format,
                          ...) PRINTF_LIKE(2, 3);

_Noreturn void assert_failed(const char *claim, const char *file, int line);

/* For our own mistakes only; kept in release images. One condition each. */
#define ASSERT(claim)                                                          \
    ((claim) ? (void)0 : assert_failed(#claim, __FILE__, __LINE__))

/* Seconds until the reset; see above for 0 and below. */
void panic_set_delay(int seconds);
