/* SPDX-License-Identifier: MIT */
/*
 * Boundary tags in arenas of pages: every block knows its size and that of
 * the block before it, so neighbours merge when freed, in constant time. Free
 * blocks wait in one list per power of two. What is larger than an arena
 * could reasonably serve gets pages of its own.
 */
#include "libc/system/heap.h"

#include "kernel/memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
    UNIT = 16, /* every size and address is a multiple of this */
    ARENA_ORDER = 4,
    ARENA_BYTES = PAGE_BYTES << ARENA_ORDER,
    LARGE_BYTES = ARENA_BYTES / 2, /* from here on, pages of its own */
    BLOCK_MIN = 2 * UNIT,          /* a header and the links of a free list */
    BINS = 32,
    TRIES = 16,
    ORDER_MAX = 24, /* 64 GiB; more is refused before counting overflows */
};

enum block_state {
    BLOCK_USED = 0x55534544,
    BLOCK_FREE = 0x46524545,
    BLOCK_LARGE = 0x4c415247,
    ARENA_END = 0x454e4421,
};

/* In front of every block. Sizes are in units and include the header. For
 * BLOCK_LARGE, `size` is the order and `previous` the distance from the first
 * of its pages. */
struct block {
    uint32_t size;
    uint32_t previous; /* 0: the first of its arena */
    uint32_t state;
    uint32_t check;
};

struct free_block {
    struct block header;
    struct free_block *next;
    struct free_block **link; /* what points at this one */
};

_Static_assert(sizeof(struct block) == UNIT, "blocks stay aligned");
_Static_assert(sizeof(struct free_block) <= BLOCK_MIN, "links fit");

static struct free_block *bins[BINS];
static size_t used_bytes;
static size_t arena_count;

static uint32_t check_of(const struct block *block)
{
    uint64_t mix = (uintptr_t)block ^ ((uint64_t)block->size << 32) ^
                   ((uint64_t)block->previous << 13) ^ block->state;

    mix *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(mix >> 32);
}

static void seal(struct block *block, size_t size, size_t previous,
                 enum block_state state)
{
    block->size = (uint32_t)size;
    block->previous = (uint32_t)previous;
    block->state = (uint32_t)state;
    block->check = check_of(block);
}

static struct block *block_after(struct block *block)
{
    return block + block->size;
}

static struct block *block_before(struct block *block)
{
    return block - block->previous;
}

static void set_previous(struct block *block, size_t previous)
{
    block->previous = (uint32_t)previous;
    block->check = check_of(block);
}

/* Sizes 2^bin to 2^(bin+1) - 1 units. */
static unsigned bin_of(size_t units)
{
    return 63u - (unsigned)__builtin_clzl(units);
}

static void put_in_bin(struct block *block)
{
    struct free_block *free_block = (struct free_block *)block;
    struct free_block **bin = &bins[bin_of(block->size)];

    free_block->next = *bin;
    free_block->link = bin;
    if (*bin != NULL)
        (*bin)->link = &free_block->next;
    *bin = free_block;
}

static void take_from_bin(struct block *block)
{
    struct free_block *free_block = (struct free_block *)block;

    *free_block->link = free_block->next;
    if (free_block->next != NULL)
        free_block->next->link = free_block->link;
}

static unsigned order_of(size_t bytes)
{
    unsigned order = 0;

    while (order < ORDER_MAX && ((size_t)PAGE_BYTES << order) < bytes)
        order++;
    return order;
}

/* An arena with room for a block of `wanted` units; a smaller one than usual
 * when memory is in pieces. */
static bool add_arena(size_t wanted)
{
    unsigned least = order_of((wanted + 1) * UNIT);
    unsigned order = ARENA_ORDER;
    struct block *first = pages_allocate(order);
    size_t units;

    while (first == NULL && order > least)
        first = pages_allocate(--order);
    if (first == NULL)
        return false;
    units = ((size_t)PAGE_BYTES << order) / UNIT - 1;
    seal(first, units, 0, BLOCK_FREE);
    seal(block_after(first), 1, units, ARENA_END);
    put_in_bin(first);
    arena_count++;
    return true;
}

/* In the bin of its own size a block may be too small, so only the first few
 * are tried before a larger one is broken up: constant time. `limit` of 0
 * tries them all, for when memory is short. */
static struct block *find_free(size_t units, unsigned limit)
{
    unsigned bin = bin_of(units);
    unsigned tried = 0;

    for (struct free_block *at = bins[bin]; at != NULL; at = at->next) {
        if (at->header.size >= units)
            return &at->header;
        if (++tried == limit)
            break;
    }
    while (++bin < BINS) {
        if (bins[bin] != NULL)
            return &bins[bin]->header;
    }
    return NULL;
}

static struct block *find_or_add(size_t units)
{
    struct block *block = find_free(units, TRIES);

    if (block == NULL && add_arena(units))
        block = find_free(units, TRIES);
    return block != NULL ? block : find_free(units, 0);
}

/* Makes a free block of what a used one has beyond `units`. */
static void trim(struct block *block, size_t units)
{
    size_t rest = block->size - units;
    struct block *tail = block + units;
    struct block *after = block_after(block);

    if (rest * UNIT < BLOCK_MIN)
        return;
    seal(block, units, block->previous, BLOCK_USED);
    if (after->state == BLOCK_FREE) {
        take_from_bin(after);
        rest += after->size;
        after = block_after(after);
    }
    seal(tail, rest, units, BLOCK_FREE);
    set_previous(after, rest);
    put_in_bin(tail);
}

/* Gives the front of a used block back so that the rest is aligned. */
static struct block *align_front(struct block *block, size_t alignment)
{
    uintptr_t content = (uintptr_t)(block + 1);
    uintptr_t aligned = (content + alignment - 1) & ~(alignment - 1);
    struct block *result;
    size_t front;

    if (aligned == content)
        return block;
    if (aligned - content < BLOCK_MIN)
        aligned += alignment;
    front = (aligned - content) / UNIT;
    result = block + front;
    seal(result, block->size - front, front, BLOCK_USED);
    set_previous(block_after(result), result->size);
    seal(block, front, block->previous, BLOCK_FREE);
    put_in_bin(block);
    return result;
}

static void *allocate_large(size_t size, size_t alignment)
{
    unsigned order;
    unsigned char *pages;
    struct block *block;

    if (size > ((size_t)PAGE_BYTES << ORDER_MAX) - alignment ||
        alignment > PAGE_BYTES)
        return NULL;
    order = order_of(size + alignment);
    pages = pages_allocate(order);
    if (pages == NULL)
        return NULL;
    block = (struct block *)(void *)(pages + alignment) - 1;
    seal(block, order, alignment / UNIT - 1, BLOCK_LARGE);
    used_bytes += (size_t)PAGE_BYTES << order;
    return block + 1;
}

void *heap_allocate(size_t size, size_t alignment)
{
    size_t units;
    size_t wanted;
    struct block *block;

    if (alignment < UNIT)
        alignment = UNIT;
    if (size >= LARGE_BYTES || alignment >= LARGE_BYTES)
        return allocate_large(size, alignment);
    units = (size + UNIT - 1) / UNIT + 1;
    if (units < BLOCK_MIN / UNIT)
        units = BLOCK_MIN / UNIT;
    wanted = alignment > UNIT ? units + (alignment + BLOCK_MIN) / UNIT : units;
    if (wanted > ARENA_BYTES / UNIT - 1)
        return allocate_large(size, alignment);
    block = find_or_add(wanted);
    if (block == NULL)
        return NULL;
    take_from_bin(block);
    seal(block, block->size, block->previous, BLOCK_USED);
    block = align_front(block, alignment);
    trim(block, units);
    used_bytes += (size_t)block->size * UNIT;
    return block + 1;
}

static struct block *checked_block(void *content)
{
    struct block *block = (struct block *)content - 1;

    if ((uintptr_t)content % UNIT != 0)
        heap_corrupt("not a block of malloc", content);
    if (block->check != check_of(block))
        heap_corrupt("not a block of malloc, or overwritten", content);
    if (block->state == BLOCK_FREE)
        heap_corrupt("freed twice", content);
    if (block->state == BLOCK_USED &&
        block_after(block)->check != check_of(block_after(block)))
        heap_corrupt("written beyond its end", content);
    return block;
}

static void release_large(struct block *block)
{
    unsigned order = block->size;
    struct block *pages = block - block->previous;

    used_bytes -= (size_t)PAGE_BYTES << order;
    block->state = BLOCK_FREE;
    block->check = check_of(block);
    pages_free(pages, order);
}

void heap_release(void *content)
{
    struct block *block = checked_block(content);
    struct block *after;
    size_t size = block->size;

    if (block->state == BLOCK_LARGE) {
        release_large(block);
        return;
    }
    used_bytes -= size * UNIT;
    after = block_after(block);
    /* Stays recognisable when it merges into its neighbour. */
    seal(block, size, block->previous, BLOCK_FREE);
    if (after->state == BLOCK_FREE) {
        take_from_bin(after);
        size += after->size;
        after = block_after(after);
    }
    if (block->previous > 0 && block_before(block)->state == BLOCK_FREE) {
        block = block_before(block);
        take_from_bin(block);
        size += block->size;
    }
    if (block->previous == 0 && after->state == ARENA_END && arena_count > 1) {
        arena_count--;
        pages_free(block, order_of((size + 1) * UNIT));
        return;
    }
    seal(block, size, block->previous, BLOCK_FREE);
    set_previous(after, size);
    put_in_bin(block);
}

/* How many bytes the owner of a block may use. */
static size_t capacity(const struct block *block)
{
    if (block->state == BLOCK_LARGE)
        return ((size_t)PAGE_BYTES << block->size) -
               ((size_t)block->previous + 1) * UNIT;
    return ((size_t)block->size - 1) * UNIT;
}

/* Takes the free block behind, if that is enough. */
static bool grow_in_place(struct block *block, size_t units)
{
    struct block *after = block_after(block);

    if (after->state != BLOCK_FREE || block->size + after->size < units)
        return false;
    take_from_bin(after);
    seal(block, block->size + after->size, block->previous, BLOCK_USED);
    set_previous(block_after(block), block->size);
    return true;
}

void *heap_resize(void *content, size_t size)
{
    struct block *block = checked_block(content);
    size_t room = capacity(block);
    void *moved;

    if (block->state == BLOCK_USED && size < LARGE_BYTES) {
        size_t units = (size + UNIT - 1) / UNIT + 1;
        size_t before = block->size;

        if (units < BLOCK_MIN / UNIT)
            units = BLOCK_MIN / UNIT;
        if (units <= before || grow_in_place(block, units)) {
            trim(block, units);
            used_bytes += ((size_t)block->size - before) * UNIT;
            return content;
        }
    } else if (block->state == BLOCK_LARGE && size <= room &&
               size >= room / 4) {
        return content;
    }
    moved = heap_allocate(size, UNIT);
    if (moved == NULL)
        return NULL;
    memcpy(moved, content, size < room ? size : room);
    heap_release(content);
    return moved;
}

size_t heap_used(void)
{
    return used_bytes;
}
