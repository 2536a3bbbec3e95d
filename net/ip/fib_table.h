/* SPDX-License-Identifier: MIT */
/*
 * The forwarding table from inside, for fib*.c, and for forward.c, which asks
 * it twice for each packet.
 */
#pragma once

#include <stdint.h>

#include "net/ip/route_table.h"
#include "net/limits.h"

enum {
    CHUNK_BITS = 16, /* a prefix up to here spans whole chunks */
    CHUNKS = 1 << CHUNK_BITS,
    CHUNK_SIZE = 1 << (32 - CHUNK_BITS),
    NEST_MAX = 32 - CHUNK_BITS + 1, /* prefixes around one address */
    INDEX_WORDS = 256,
    INDEX_FROM = 128, /* routes in a chunk */
    WATCHED_MAX = 2 * NETIF_MAX,
    /* header, index, one range more, and those of watched addresses */
    BUILD_SLACK_WORDS = 259 + 2 * WATCHED_MAX,
    FIB_WORDS_FIRST = 2,
    NOWHERE = 0, /* index of a route: counted from 1 */
};

/* An entry of `direct`: one set, or where the ranges are. Where nothing is
 * built they are the first ones, of one range, whose set is none. */
#define ENTRY_SET   UINT32_C(0x80000000)
#define ENTRY_STALE UINT32_C(0)
/* Of a set's number in entries and ranges: there is more to ask than the way.
 * So of addresses that are ours, or for all, or no host's. */
#define SET_SPECIAL UINT32_C(0x8000)
#define SET_STALE   UINT32_C(0xffff)
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
    uint32_t *words;          /* ranges; those of stale chunks first */
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

/* Builds the ranges of a chunk. */
void fib_build(uint32_t chunk);

static inline const uint32_t *fib_last_not_above(const uint32_t *words,
                                                 size_t step, uint32_t key)
{
    return words[step] <= key ? words + step : words;
}

static inline uint32_t fib_search(uint32_t at, uint32_t destination)
{
    const uint32_t *words = &fib->words[at];
    uint32_t key = destination << 16 | 0xffff;
    uint32_t how = *words++;

    if ((how & RANGES_INDEXED) != 0) {
        how = words[destination >> 8 & 0xff];
        words += INDEX_WORDS + (how >> 16);
    }
    words = fib_last_not_above(words, how >> 8 & 0xff, key);
    for (size_t step = how & 0xff; step != 0; step >>= 1)
        words = fib_last_not_above(words, step, key);
    return (uint16_t)*words;
}

/* The set of an address, with SET_SPECIAL, or SET_STALE. */
static inline uint32_t fib_look(uint32_t destination)
{
    uint32_t entry = fib->direct[destination >> CHUNK_BITS];

    return (entry & ENTRY_SET) != 0 ? (uint16_t)entry
                                    : fib_search(entry, destination);
}
