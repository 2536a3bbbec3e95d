/* SPDX-License-Identifier: MIT */
/*
 * See pool.h.
 */
#include "net/pool.h"

#include "net/platform.h"

#include <errno.h>

int pool_init(struct pool *pool, size_t count, size_t size, size_t alignment)
{
    void *objects = platform_memory_untouched(count * size, alignment);

    ASSERT(size >= sizeof(pool->free));
    if (objects == NULL)
        return -ENOMEM;
    *pool = (struct pool){
        .objects = objects,
        .size = size,
        .count = count,
        .available = count,
    };
    return 0;
}

void *pool_take(struct pool *pool)
{
    return pool_take_inline(pool);
}
