/* SPDX-License-Identifier: MIT */
/*
 * Put in front of the sources that a test of failing allocations compiles
 * anew (-include): before they take from a pool, they ask whether this request
 * is to fail. Left out are half-open connections, TIME-WAITs and chunks of
 * send queues: whoever takes those has made sure before that there is one.
 */
#pragma once

#include "net/pool.h"

void *failing_pool_take(struct pool *pool);

#define pool_take(pool) failing_pool_take(pool)
