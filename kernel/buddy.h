/* SPDX-License-Identifier: MIT */
/*
 * A buddy allocator over one run of pages: blocks of 2^order pages, aligned
 * to their size within the run, joined with their other half when freed.
 * Bookkeeping is one bit per block of each order and lies apart: free memory
 * is never touched (a guest's first touch of a page costs its host dearly,
 * and nothing written through a stale pointer can break the lists).
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

struct buddy_order {
    size_t first_bit; /* where this order begins in the bit map */
    size_t blocks;
    size_t free;
    size_t lowest; /* no block below this one is free */
};

struct buddy {
    uint8_t *base; /* first page */
    size_t pages;
    size_t pages_free;
    uint64_t *is_free; /* the bit map */
    struct buddy_order orders[BUDDY_ORDERS];
};

/* Bytes of bookkeeping for a run of so many pages. */
size_t buddy_overhead(size_t pages);

/* The bookkeeping must be zeroed. All pages start out free. */
void buddy_start(struct buddy *buddy, void *base, size_t pages,
                 void *bookkeeping);

/* The lowest that fits; NULL when there is none. */
MUST_CHECK void *buddy_allocate(struct buddy *buddy, unsigned order);

/* With the order it was allocated with; what is provably wrong asserts. */
void buddy_free(struct buddy *buddy, void *block, unsigned order);

bool buddy_owns(const struct buddy *buddy, const void *block);
