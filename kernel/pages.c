/* SPDX-License-Identifier: MIT */
/*
 * Pages for malloc: one buddy allocator per run of RAM that boot has left
 * over. Its bookkeeping is cut from the run itself.
 */
#include "kernel/memory.h"

#include "kernel/assert.h"
#include "kernel/buddy.h"
#include "kernel/memory_ranges.h"

#include <assert.h>
#include <string.h>

static_assert((int)PAGE_BYTES == BUDDY_PAGE_BYTES, "one size of page");

static struct buddy runs[RANGES_MAX];
static size_t run_count;

static void start_run(const struct range *range)
{
    uint64_t pages = (range->end - range->start) >> PAGE_SHIFT;
    size_t overhead = (buddy_overhead(pages) + PAGE_BYTES - 1) >> PAGE_SHIFT;
    uint8_t *start = memory_direct(range->start);

    if (pages <= overhead)
        return;
    memset(start, 0, overhead << PAGE_SHIFT);
    buddy_start(&runs[run_count], start + (overhead << PAGE_SHIFT),
                pages - overhead, start);
    run_count++;
}

void pages_start(void)
{
    struct ranges *ranges = memory_hand_over();

    ranges_align(ranges, PAGE_BYTES);
    for (size_t i = 0; i < ranges->count; i++)
        start_run(&ranges->list[i]);
}

void *pages_allocate(unsigned order)
{
    for (size_t i = 0; i < run_count; i++) {
        void *block = buddy_allocate(&runs[i], order);

        if (block != NULL)
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
