/* SPDX-License-Identifier: MIT */
/*
 * Between memory.c, paging.c and pages.c only: how the free ranges of RAM
 * pass from one to the next while booting.
 */
#pragma once

#include "kernel/ranges.h"

#include <stddef.h>

/* The real page tables are in use: all RAM is in reach, start.S's is free. */
void memory_extend(void);

/* Ends the time of the range list; memory_take then asks pages_allocate. */
struct ranges *memory_free_ranges(void);
void memory_hand_over(void);

/* Bytes in free pages. */
size_t pages_available(void);
