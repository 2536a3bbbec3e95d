/* SPDX-License-Identifier: MIT */
/*
 * Who called whom, from the chain of frame pointers.
 */
#pragma once

#include <stdint.h>

/* Prints one line per call: the address given, then its callers. The stack
 * pointer tells who jumped there when the address is not code. */
void backtrace_print(uint64_t address, uint64_t frame_pointer,
                     uint64_t stack_pointer);
