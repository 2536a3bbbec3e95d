/* SPDX-License-Identifier: MIT */
/*
 * See buddy.h. A block's bit is set exactly while it is on its order's list.
 */
#include "kernel/buddy.h"

#include "kernel/assert.h"

enum { BITS = 64 };

static size_t blocks_of_order(size_t pages, unsigned order)
{
    return pages >> order;
}

static size_t bits_total(size_t pages)
{
    size_t bits = 0;

    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        bits += blocks_of_order(pages, order);
    return bits;
}

size_t buddy_overhead(size_t pages)
{
    return (bits_total(pages) + BITS - 1) / BITS * sizeof(uint64_t);
}

static bool is_free(const struct buddy *buddy, size_t page, unsigned order)
{
    size_t bit = buddy->first_bit[order] + (page >> order);

    return (buddy->is_free[bit / BITS] >> bit % BITS & 1) != 0;
}

static void flip(struct buddy *buddy, size_t page, unsigned order)
{
    size_t bit = buddy->first_bit[order] + (page >> order);

    buddy->is_free[bit / BITS] ^= UINT64_C(1) << bit % BITS;
}

static struct buddy_block *block_at(const struct buddy *buddy, size_t page)
{
    return (struct buddy_block *)(void *)(buddy->base +
                                          page * BUDDY_PAGE_BYTES);
}

static void push(struct buddy *buddy, size_t page, unsigned order)
{
    struct buddy_block *block = block_at(buddy, page);

    block->previous = NULL;
    block->next = buddy->lists[order];
    if (block->next != NULL)
        block->next->previous = block;
    buddy->lists[order] = block;
    flip(buddy, page, order);
    buddy->pages_free += (size_t)1 << order;
}

static void take(struct buddy *buddy, size_t page, unsigned order)
{
    struct buddy_block *block = block_at(buddy, page);

    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        buddy->lists[order] = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    flip(buddy, page, order);
    buddy->pages_free -= (size_t)1 << order;
}

static size_t page_of(const struct buddy *buddy, const void *block)
{
    return (size_t)((const uint8_t *)block - buddy->base) / BUDDY_PAGE_BYTES;
}

void buddy_start(struct buddy *buddy, void *base, size_t pages,
                 void *bookkeeping)
{
    size_t bit = 0, page = 0;

    *buddy =
        (struct buddy){.base = base, .pages = pages, .is_free = bookkeeping};
    for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
        buddy->first_bit[order] = bit;
        bit += blocks_of_order(pages, order);
    }
    /* The largest aligned blocks that fit, from the bottom up. */
    while (page < pages) {
        unsigned order = BUDDY_ORDERS - 1;

        while ((page & (((size_t)1 << order) - 1)) != 0 ||
               (size_t)1 << order > pages - page)
            order--;
        push(buddy, page, order);
        page += (size_t)1 << order;
    }
}

void *buddy_allocate(struct buddy *buddy, unsigned order)
{
    unsigned from = order;
    size_t page;

    while (from < BUDDY_ORDERS && buddy->lists[from] == NULL)
        from++;
    if (from >= BUDDY_ORDERS)
        return NULL;
    page = page_of(buddy, buddy->lists[from]);
    take(buddy, page, from);
    while (from > order) {
        from--;
        push(buddy, page + ((size_t)1 << from), from);
    }
    return block_at(buddy, page);
}

void buddy_free(struct buddy *buddy, void *block, unsigned order)
{
    size_t page = page_of(buddy, block);

    ASSERT(buddy_owns(buddy, block));
    ASSERT(order < BUDDY_ORDERS);
    ASSERT((page & (((size_t)1 << order) - 1)) == 0);
    ASSERT(((uintptr_t)block & (BUDDY_PAGE_BYTES - 1)) == 0);
    ASSERT((size_t)1 << order <= buddy->pages - page);
    ASSERT(!is_free(buddy, page, order));
    while (order < BUDDY_ORDERS - 1) {
        size_t other = page ^ (size_t)1 << order;

        if (other + ((size_t)1 << order) > buddy->pages ||
            !is_free(buddy, other, order))
            break;
        take(buddy, other, order);
        page &= other;
        order++;
    }
    push(buddy, page, order);
}

bool buddy_owns(const struct buddy *buddy, const void *block)
{
    uintptr_t start = (uintptr_t)buddy->base;

    return (uintptr_t)block >= start &&
           (uintptr_t)block - start < buddy->pages * BUDDY_PAGE_BYTES;
}
