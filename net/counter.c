/* SPDX-License-Identifier: MIT */
/*
 * See counter.h.
 */
#include "net/counter.h"

void counters_visit(const struct counter *counters, size_t count,
                    counter_visit *visit, void *context)
{
    for (size_t i = 0; i < count; i++)
        visit(context, counters[i].name, *counters[i].value, counters[i].help);
}
