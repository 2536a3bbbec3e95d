/* SPDX-License-Identifier: MIT */
/*
 * A sorted list of disjoint address ranges: how the memory map is made usable
 * and how boot-time memory is cut from it. Pure; knows no addresses of ours.
 */
#pragma once

#include "kernel/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RANGES_MAX = 64 }; /* a PC has 3 to 30; more are counted as lost */

struct range {
    uint64_t start, end; /* end is one past the last byte */
};

struct ranges {
    struct range list[RANGES_MAX];
    size_t count;
    uint64_t bytes_lost; /* for want of a place in the list */
};

/* Joins what overlaps or touches. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);
void ranges_remove(struct ranges *ranges, uint64_t start, uint64_t end);

/* Shrinks every range to whole multiples of a power of two. */
void ranges_align(struct ranges *ranges, uint64_t unit);

/* Cuts bytes from below `limit`, first fit from low addresses; 0 if none. */
MUST_CHECK uint64_t ranges_take(struct ranges *ranges, uint64_t bytes,
                                uint64_t alignment, uint64_t limit);

uint64_t ranges_total(const struct ranges *ranges);
