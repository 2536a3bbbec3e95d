/* SPDX-License-Identifier: MIT */
/*
 * Counters that a room shows: a table of them, and the walk over it. The name
 * is that of /metrics, the help its comment there.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct counter {
    const char *name;
    const uint64_t *value;
    const char *help;
};

typedef void counter_visit(void *context, const char *name, uint64_t value,
                           const char *help);

/* Tells each of them, in order. */
void counters_visit(const struct counter *counters, size_t count,
                    counter_visit *visit, void *context);
