/* SPDX-License-Identifier: MIT */
/*
 * The real page tables (Intel SDM 3A 4.5, 4-level): what is mapped where and
 * with which rights is decided in paging.c alone. The two mapping functions for
 * everyone are declared in memory.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum page_rights {
    PAGE_UNMAPPED = 0,
    PAGE_READABLE = 1 << 0,
    PAGE_WRITABLE = 1 << 1,
    PAGE_EXECUTABLE = 1 << 2,
};

/* Builds them and lives in them from then on; needs memory_start(). */
void paging_start(void);

/* What the page tables say about an address: a set of page_rights. */
unsigned paging_rights(uint64_t address);

/* Panics where the rules of paging.c do not hold. Returns pages looked at. */
uint64_t paging_check(void);
