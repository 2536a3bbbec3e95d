/* SPDX-License-Identifier: MIT */
/*
 * A buddy allocator over one run of memory: blocks of 2^order pages, aligned
 * to their size within the run, joined with their other half when freed.
 * Pure bookkeeping: lists live in the free blocks, one bit per block beside.
 */
#pragma once

#include "kernel/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BUDDY_PAGE_BYTES = 4096,
    BUDDY_ORDERS = 19, /* up to 1 GiB in one block */
};

struct buddy_block {
    struct buddy_block *next, *previous;
};

struct buddy {
    uint8_t *base; /* first page; blocks are aligned relative to it */
    size_t pages;
    uint64_t *is_free;              /* one bit per block, all orders */
    size_t first_bit[BUDDY_ORDERS]; /* where each order begins in it */
    struct buddy_block *lists[BUDDY_ORDERS];
    size_t pages_free;
};

/* Bytes of bookkeeping for a run of so many pages. */
size_t buddy_overhead(size_t pages);

/* The bookkeeping must be zeroed. All pages start out free. */
void buddy_start(struct buddy *buddy, void *base, size_t pages,
                 void *bookkeeping);

MUST_CHECK void *buddy_allocate(struct buddy *buddy, unsigned order);

/* With the order it was allocated with; anything else is caught if it can. */
void buddy_free(struct buddy *buddy, void *block, unsigned order);

bool buddy_owns(const struct buddy *buddy, const void *block);
