/* SPDX-License-Identifier: MIT */
/*
 * The end: cause, registers, a backtrace with names, then a reset after
 * panic= seconds (0 waits for ever, below 0 is at once, as on Linux).
 */
#pragma once

#include "kernel/attributes.h"
#include "kernel/command_line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interrupt_frame;

enum { PANIC_SECONDS_DEFAULT = 5 };

_Noreturn void panic(const char *format, ...) PRINTF_LIKE(1, 2);

/* The same with the registers of a trap instead of the caller's. */
_Noreturn void panic_trap(const struct interrupt_frame *frame,
                          const char *format, ...) PRINTF_LIKE(2, 3);

/* The word "panic=". */
extern const struct command_word panic_words[];
enum { PANIC_WORDS = 1 };
