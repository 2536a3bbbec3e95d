/* SPDX-License-Identifier: MIT */
/*
 * Boot steps of memory, and how the free ranges of RAM pass from one to the
 * next. For main.c, memory.c, paging.c and pages.c only.
 */
#pragma once

#include "kernel/ranges.h"

#include <stddef.h>

void memory_start(void); /* from boot_info: memory_take works */
void pages_start(void);  /* what is left goes to pages_allocate */

/* The real page tables are in use: all RAM is in reach, start.S's is free. */
void memory_extend(void);

/* Ends the time of the range list; memory_take then asks pages_allocate. */
struct ranges *memory_free_ranges(void);
void memory_hand_over(void);

/* Bytes in free pages. */
size_t pages_available(void);
