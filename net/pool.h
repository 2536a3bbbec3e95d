/* SPDX-License-Identifier: MIT */
/*
 * A pool of equal objects, taken from the platform once. Objects nobody ever
 * took are not touched: with gigabytes of RAM, walking over every object at
 * boot would take longer than the rest of the boot. What is taken holds
 * anything; the first word of what is given back is the pool's.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/attributes.h"

struct pool {
    uint8_t *objects;
    size_t size; /* of one */
    size_t count;
    size_t used;      /* so many, the first ones, were taken at least once */
    size_t available; /* so many can be taken */
    void *free;       /* those given back, the last one first */
};

/* -ENOMEM when there is not that much. The alignment is a power of two. */
int pool_init(struct pool *pool, size_t count, size_t size,
              size_t alignment) MUST_CHECK;

/* An object, or NULL when all are taken. */
void *pool_take(struct pool *pool);

/* The same where it is much of what is done. */
static inline void *pool_take_inline(struct pool *pool)
{
    void *object = pool->free;

    if (pool->available == 0)
        return NULL;
    pool->available--;
    if (object == NULL)
        return pool->objects + pool->used++ * pool->size;
    memcpy(&pool->free, object, sizeof(pool->free));
    return object;
}

static inline void pool_give(struct pool *pool, void *object)
{
    memcpy(object, &pool->free, sizeof(pool->free));
    pool->free = object;
    pool->available++;
}
