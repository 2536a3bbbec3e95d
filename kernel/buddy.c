/* SPDX-License-Identifier: MIT */
/*
 * See buddy.h. A block's bit is set while it is free as a block of exactly
 * that order. Finding one is a walk along the bit map of its order: 64 blocks
 * at a glance, from the lowest that can be free, which for the few calls of
 * malloc is quick enough for gigabytes.
 */
#include "kernel/buddy.h"

#include "kernel/assert.h"

enum { BITS = 64 };

static size_t words_of_order(size_t pages, unsigned order)
{
    return ((pages >> order) + BITS - 1) / BITS;
}

size_t buddy_overhead(size_t pages)
{
    size_t words = 0;

    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        words += words_of_order(pages, order);
    return words * sizeof(uint64_t);
}

static bool is_free(const struct buddy *buddy, size_t page, unsigned order)
{
    size_t bit = buddy->orders[order].first_bit + (page >> order);

    return (buddy->is_free[bit / BITS] >> bit % BITS & 1) != 0;
}

static void flip(struct buddy *buddy, size_t page, unsigned order)
{
    size_t bit = buddy->orders[order].first_bit + (page >> order);

    buddy->is_free[bit / BITS] ^= UINT64_C(1) << bit % BITS;
}

static void put(struct buddy *buddy, size_t page, unsigned order)
{
    struct buddy_order *list = &buddy->orders[order];

    flip(buddy, page, order);
    list->free++;
    if (page >> order < list->lowest)
        list->lowest = page >> order;
    buddy->pages_free += (size_t)1 << order;
}

static void take(struct buddy *buddy, size_t page, unsigned order)
{
    flip(buddy, page, order);
    buddy->orders[order].free--;
    buddy->pages_free -= (size_t)1 << order;
}

/* First page of the lowest free block; there must be one. */
static size_t find(struct buddy *buddy, unsigned order)
{
    struct buddy_order *list = &buddy->orders[order];
    const uint64_t *words = buddy->is_free + list->first_bit / BITS;
    size_t word = list->lowest / BITS;
    unsigned bit = 0;

    while (words[word] == 0)
        word++;
    while ((words[word] >> bit & 1) == 0)
        bit++;
    list->lowest = word * BITS + bit;
    return list->lowest << order;
}

void buddy_start(struct buddy *buddy, void *base, size_t pages,
                 void *bookkeeping)
{
    size_t bit = 0, page = 0;

    *buddy =
        (struct buddy){.base = base, .pages = pages, .is_free = bookkeeping};
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        struct buddy_order *list = &buddy->orders[order];

        list->first_bit = bit;
        list->blocks = list->lowest = pages >> order;
        bit += words_of_order(pages, order) * BITS;
    }
    /* The largest aligned blocks that fit, from the bottom up. */
    while (page < pages) {
        unsigned order = BUDDY_ORDERS - 1;

        while ((page & (((size_t)1 << order) - 1)) != 0 ||
               (size_t)1 << order > pages - page)
            order--;
        put(buddy, page, order);
        page += (size_t)1 << order;
    }
}

void *buddy_allocate(struct buddy *buddy, unsigned order)
{
    unsigned from = order;
    size_t page;

    while (from < BUDDY_ORDERS && buddy->orders[from].free == 0)
        from++;
    if (from >= BUDDY_ORDERS)
        return NULL;
    page = find(buddy, from);
    take(buddy, page, from);
    while (from > order) {
        from--;
        put(buddy, page + ((size_t)1 << from), from);
    }
    return buddy->base + page * BUDDY_PAGE_BYTES;
}

void buddy_free(struct buddy *buddy, void *block, unsigned order)
{
    size_t offset = (size_t)((uint8_t *)block - buddy->base);
    size_t page = offset / BUDDY_PAGE_BYTES;

    ASSERT(buddy_owns(buddy, block));
    ASSERT(order < BUDDY_ORDERS);
    ASSERT((offset & (((size_t)BUDDY_PAGE_BYTES << order) - 1)) == 0);
    ASSERT(page >> order < buddy->orders[order].blocks);
    ASSERT(!is_free(buddy, page, order));
    while (order < BUDDY_ORDERS - 1) {
        size_t other = page ^ (size_t)1 << order;

        if (other >> order >= buddy->orders[order].blocks ||
            !is_free(buddy, other, order))
            break;
        take(buddy, other, order);
        page &= other;
        order++;
    }
    put(buddy, page, order);
}

bool buddy_owns(const struct buddy *buddy, const void *block)
{
    uintptr_t start = (uintptr_t)buddy->base;

    return (uintptr_t)block >= start &&
           (uintptr_t)block - start < buddy->pages * BUDDY_PAGE_BYTES;
}
