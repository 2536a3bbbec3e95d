/* SPDX-License-Identifier: MIT */
/*
 * The pool of payload memory: one contiguous area, a reference count beside
 * each buffer, and a stack of free ones so that the warmest is taken next. The
 * memory is not touched before it is needed: at boot that would be most of the
 * work.
 */
#include "net/buffer.h"

#include "net/platform.h"

#include <errno.h>

static struct {
    uint8_t *base;
    uint16_t *references;
    uint32_t *free_stack; /* indices of those given back */
    size_t stacked;
    size_t used; /* so many, the first ones, were taken at least once */
    size_t total;
    size_t free;
    size_t free_lowest;
    uint64_t failures;
} pool;

int buffer_init(size_t count)
{
    uint8_t *base = platform_memory_untouched(count * BUFFER_SIZE, BUFFER_SIZE);
    uint16_t *references = platform_memory_untouched(
        count * sizeof(*references), sizeof(*references));
    uint32_t *stack =
        platform_memory_untouched(count * sizeof(*stack), sizeof(*stack));

    if (base == NULL || references == NULL || stack == NULL)
        return -ENOMEM;
    pool.base = base;
    pool.references = references;
    pool.free_stack = stack;
    pool.stacked = 0;
    pool.used = 0;
    pool.total = count;
    pool.free = count;
    pool.free_lowest = count;
    pool.failures = 0;
    return 0;
}

uint8_t *buffer_alloc(void)
{
    uint32_t index;

    if (pool.free == 0) {
        pool.failures++;
        return NULL;
    }
    if (pool.stacked != 0) {
        index = pool.free_stack[--pool.stacked];
        ASSERT(pool.references[index] == 0);
    } else {
        index = (uint32_t)pool.used++;
    }
    pool.free--;
    if (pool.free < pool.free_lowest)
        pool.free_lowest = pool.free;
    pool.references[index] = 1;
    return pool.base + (size_t)index * BUFFER_SIZE;
}

/* The index of the buffer around `address`, or `total` for other memory. */
static inline size_t index_of(const void *address)
{
    size_t offset = (size_t)((uintptr_t)address - (uintptr_t)pool.base);
    size_t index = offset / BUFFER_SIZE;

    return index < pool.total ? index : pool.total;
}

void buffer_hold(const void *address)
{
    size_t index = index_of(address);

    if (index == pool.total)
        return;
    ASSERT(pool.references[index] > 0);
    ASSERT(pool.references[index] < UINT16_MAX);
    pool.references[index]++;
}

void buffer_release(const void *address)
{
    size_t index = index_of(address);

    if (index == pool.total)
        return;
    ASSERT(pool.references[index] > 0);
    if (--pool.references[index] == 0) {
        pool.free_stack[pool.stacked++] = (uint32_t)index;
        pool.free++;
    }
}

size_t buffer_count_total(void)
{
    return pool.total;
}

size_t buffer_count_free(void)
{
    return pool.free;
}

size_t buffer_count_free_lowest(void)
{
    return pool.free_lowest;
}

uint64_t buffer_alloc_failures(void)
{
    return pool.failures;
}
