/* SPDX-License-Identifier: MIT */
/*
 * Pages for malloc: one buddy allocator per run of RAM that boot has left
 * over.
 */
#include "kernel/memory.h"

#include "kernel/assert.h"
#include "kernel/buddy.h"
#include "kernel/firmware_code.h"
#include "kernel/memory_ranges.h"

#include <assert.h>

static_assert((int)PAGE_BYTES == BUDDY_PAGE_BYTES, "one size of page");

static struct buddy *runs;
static size_t run_count;

static size_t pages_in(const struct range *range)
{
    return (range->end - range->start) >> PAGE_SHIFT;
}

/* The runs and their bit maps, in one block. */
static uint64_t *take_bookkeeping(const struct ranges *ranges)
{
    size_t bytes = ranges->count * sizeof(runs[0]);

    for (size_t i = 0; i < ranges->count; i++)
        bytes += buddy_overhead(pages_in(&ranges->list[i]));
    bytes = (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
    return memory_take(bytes, PAGE_BYTES);
}

void pages_start(void)
{
    struct ranges *ranges = memory_free_ranges();
    uint64_t *bookkeeping;

    ranges_align(ranges, PAGE_BYTES);
    bookkeeping = take_bookkeeping(ranges);
    memory_hand_over();
    if (bookkeeping == NULL)
        return;
    /* It came from the start of a run: what is left needs less, not more. */
    runs = (struct buddy *)(void *)bookkeeping;
    bookkeeping += ranges->count * sizeof(runs[0]) / sizeof(*bookkeeping);
    for (size_t i = 0; i < ranges->count; i++) {
        const struct range *range = &ranges->list[i];
        size_t pages = pages_in(range);

        buddy_start(&runs[run_count++], memory_direct(range->start), pages,
                    bookkeeping);
        bookkeeping += buddy_overhead(pages) / sizeof(*bookkeeping);
    }
}

void *pages_allocate(unsigned order)
{
    for (size_t i = 0; i < run_count; i++) {
        void *block = buddy_allocate(&runs[i], order);

        if (block == NULL)
            continue;
        firmware_code_forget(block, memory_physical(block),
                             (size_t)PAGE_BYTES << order);
        return block;
    }
    return NULL;
}

void pages_free(void *block, unsigned order)
{
    size_t i = 0;

    while (i < run_count && !buddy_owns(&runs[i], block))
        i++;
    ASSERT(i < run_count);
    buddy_free(&runs[i], block, order);
}

size_t pages_available(void)
{
    size_t pages = 0;

    for (size_t i = 0; i < run_count; i++)
        pages += runs[i].pages_free;
    return pages << PAGE_SHIFT;
}
