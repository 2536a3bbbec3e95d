/* SPDX-License-Identifier: MIT */
/*
 * The forwarding table from inside, for fib*.c alone.
 */
#pragma once

#include <stdint.h>

#include "net/ip/route_table.h"

enum {
    CHUNK_BITS = 16, /* a prefix up to here spans whole chunks */
    CHUNKS = 1 << CHUNK_BITS,
    CHUNK_SIZE = 1 << (32 - CHUNK_BITS),
    NEST_MAX = 32 - CHUNK_BITS + 1, /* prefixes around one address */
    INDEX_WORDS = 256,
    INDEX_FROM = 128,        /* routes in a chunk */
    BUILD_SLACK_WORDS = 259, /* header, index, and one range more */
    NOWHERE = 0,             /* index of a route: counted from 1 */
};

/* An entry of `direct`: one set, or where the ranges are, or not built. */
#define ENTRY_SET   UINT32_C(0x80000000)
#define ENTRY_STALE UINT32_C(0)
/* The first word of ranges: whether an index follows, else how to search them.
 * A word of the index: how, and the upper half: where its ranges begin. How to
 * search n of them: half of the greatest power of two that is in n, and above
 * bit 8 what n has beyond that power. */
#define RANGES_INDEXED UINT32_C(0x80000000)

struct fib_route {
    uint32_t address;
    uint32_t hash_next; /* or the next free one */
    uint32_t chunk_next;
    uint32_t chunk_previous;
    uint16_t set; /* FIB_SET_NONE: free */
    uint8_t length;
};

struct fib {
    uint32_t direct[CHUNKS];
    uint32_t chunk_first[CHUNKS]; /* its routes longer than CHUNK_BITS */
    uint32_t *buckets;
    uint32_t bucket_mask;
    struct fib_route *routes; /* [0] is not used */
    uint32_t *order;          /* routes of the chunk being built, sorted */
    uint32_t *words;          /* ranges; [0] is not used */
    uint32_t word_count;
    uint32_t words_used;
    uint32_t capacity;
    uint32_t high; /* routes beyond were never used */
    uint32_t free;
    uint32_t count;
};

extern struct fib *fib;

/* The route of exactly this prefix, or NOWHERE. */
uint32_t fib_find_prefix(uint32_t address, unsigned length);

/* Builds the ranges of a chunk and returns its new entry. */
uint32_t fib_build(uint32_t chunk);
