/* SPDX-License-Identifier: MIT */
/*
 * The ranges of one chunk, made from the prefixes in it: sorted, then swept
 * once, with those that are open kept in a nest.
 */
#include "net/ip/fib_set.h"
#include "net/ip/fib_table.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

#include <string.h>

/* The set of the longest prefix that spans the whole chunk. */
static uint16_t covering_set(uint32_t chunk)
{
    uint32_t address = chunk << CHUNK_BITS;

    for (unsigned length = CHUNK_BITS + 1; length-- > 0;) {
        uint32_t i =
            fib_find_prefix(address & be32_get(ipv4_netmask(length)), length);

        if (i != NOWHERE)
            return fib->routes[i].set;
    }
    return FIB_SET_NONE;
}

/* By address, the outer one first. */
static bool is_before(uint32_t a, uint32_t b)
{
    const struct fib_route *x = &fib->routes[a];
    const struct fib_route *y = &fib->routes[b];

    return x->address != y->address ? x->address < y->address
                                    : x->length < y->length;
}

static void sift(uint32_t *heap, size_t root, size_t count)
{
    for (;;) {
        size_t child = 2 * root + 1;
        uint32_t swapped = heap[root];

        if (child >= count)
            return;
        if (child + 1 < count && is_before(heap[child], heap[child + 1]))
            child++;
        if (!is_before(heap[root], heap[child]))
            return;
        heap[root] = heap[child];
        heap[child] = swapped;
        root = child;
    }
}

static void sort(uint32_t *order, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift(order, i - 1, count);
    for (size_t i = count; i > 1; i--) {
        uint32_t largest = order[0];

        order[0] = order[i - 1];
        order[i - 1] = largest;
        sift(order, 0, i - 1);
    }
}

static size_t gather(uint32_t chunk)
{
    size_t count = 0;

    for (uint32_t i = fib->chunk_first[chunk]; i != NOWHERE;
         i = fib->routes[i].chunk_next)
        fib->order[count++] = i;
    sort(fib->order, count);
    return count;
}

/* Ranges being written: each word is where one begins, and its set. */
struct ranges {
    uint32_t *words;
    size_t count;
};

static void add_range(struct ranges *ranges, uint32_t start, uint16_t set)
{
    if (start == CHUNK_SIZE)
        return;
    if (ranges->count != 0) {
        uint32_t last = ranges->words[ranges->count - 1];

        if ((uint16_t)last == set)
            return;
        if (last >> 16 == start)
            ranges->count--; /* an inner prefix that begins with its outer */
    }
    ranges->words[ranges->count++] = start << 16 | set;
}

static void sweep(struct ranges *ranges, uint16_t covering, size_t count)
{
    struct {
        uint32_t end;
        uint16_t set;
    } nest[NEST_MAX] = {{CHUNK_SIZE, covering}};
    size_t depth = 0;

    add_range(ranges, 0, covering);
    for (size_t i = 0; i < count; i++) {
        const struct fib_route *route = &fib->routes[fib->order[i]];
        uint32_t start = route->address % CHUNK_SIZE;

        for (; nest[depth].end <= start; depth--)
            add_range(ranges, nest[depth].end, nest[depth - 1].set);
        add_range(ranges, start, route->set);
        depth++;
        nest[depth].end = start + (1U << (32 - route->length));
        nest[depth].set = route->set;
    }
    for (; depth > 0; depth--)
        add_range(ranges, nest[depth].end, nest[depth - 1].set);
}

/* See fib_table.h; 1 to 256. */
static uint32_t how_to_search(size_t count)
{
    size_t power = 1;

    ASSERT(count <= 256);
    while (power * 2 <= count)
        power *= 2;
    return (uint32_t)((count - power) << 8 | power / 2);
}

/* For each third octet: the first range that reaches into it, and how many
 * more begin in it. */
static void write_index(uint32_t *index, const struct ranges *ranges)
{
    size_t at = 0;

    for (uint32_t octet = 0; octet < INDEX_WORDS; octet++) {
        size_t first;

        while (at + 1 < ranges->count &&
               ranges->words[at + 1] >> 16 <= octet << 8)
            at++;
        first = at;
        while (at + 1 < ranges->count && ranges->words[at + 1] >> 24 == octet)
            at++;
        index[octet] = (uint32_t)first << 16 | how_to_search(at - first + 1);
    }
}

/* Room at the end, or all chunks with ranges start anew. */
static uint32_t take_words(size_t needed)
{
    if (needed > fib->word_count - fib->words_used) {
        for (size_t i = 0; i < CHUNKS; i++)
            if ((fib->direct[i] & ENTRY_SET) == 0)
                fib->direct[i] = ENTRY_STALE;
        fib->words_used = FIB_WORDS_FIRST;
    }
    ASSERT(needed <= fib->word_count - fib->words_used);
    return fib->words_used;
}

/* ---- what is more than a way -----------------------------------------------
 */

/* Ours, and those of all hosts of a network. */
static size_t find_watched(uint32_t chunk, uint32_t watched[WATCHED_MAX])
{
    const struct netif *netif;
    size_t count = 0;

    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        const uint32_t addresses[2] = {be32_get(netif->ip.address),
                                       be32_get(netif->ip.broadcast)};

        for (size_t j = 0; j < ARRAY_COUNT(addresses); j++)
            if (addresses[j] >> CHUNK_BITS == chunk)
                watched[count++] = addresses[j] % CHUNK_SIZE;
    }
    return count;
}

/* The address becomes a range of its own. */
static void watch(struct ranges *ranges, uint32_t address)
{
    uint32_t *words = ranges->words;
    uint32_t word = address << 16;
    size_t at = ranges->count;
    uint32_t set;

    while (words[at - 1] >> 16 > address)
        at--;
    set = words[at - 1] & 0xffff;
    if (address + 1 < CHUNK_SIZE &&
        (at == ranges->count || words[at] >> 16 != address + 1)) {
        memmove(&words[at + 1], &words[at], (ranges->count++ - at) * 4);
        words[at] = (address + 1) << 16 | set;
    }
    if (words[at - 1] >> 16 != address) {
        memmove(&words[at + 1], &words[at], (ranges->count++ - at) * 4);
        at++;
    }
    words[at - 1] = word | set | SET_SPECIAL;
}

/* Of all addresses of a chunk that are no host's. */
static uint32_t special_of(uint32_t chunk)
{
    return ipv4_is_unicast(be32_from(chunk << CHUNK_BITS)) ? 0 : SET_SPECIAL;
}

void fib_build(uint32_t chunk)
{
    uint32_t watched[WATCHED_MAX];
    size_t watched_count = find_watched(chunk, watched);
    uint16_t covering = covering_set(chunk);
    size_t count = gather(chunk);
    bool is_indexed = count + watched_count >= INDEX_FROM;
    struct ranges ranges = {0};
    uint32_t at;

    if (count + watched_count == 0) {
        fib->direct[chunk] = ENTRY_SET | covering | special_of(chunk);
        return;
    }
    at = take_words(2 * (count + watched_count) + 2 +
                    (is_indexed ? INDEX_WORDS : 0));
    ranges.words = &fib->words[at + 1 + (is_indexed ? INDEX_WORDS : 0)];
    sweep(&ranges, covering, count);
    for (size_t i = 0; i < watched_count; i++)
        watch(&ranges, watched[i]);
    for (size_t i = 0; i < ranges.count; i++)
        ranges.words[i] |= special_of(chunk);
    if (is_indexed)
        write_index(&fib->words[at + 1], &ranges);
    fib->words[at] = is_indexed ? RANGES_INDEXED : how_to_search(ranges.count);
    fib->words_used = (uint32_t)(&ranges.words[ranges.count] - fib->words);
    fib->direct[chunk] = at;
}
