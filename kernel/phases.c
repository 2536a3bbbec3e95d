/* SPDX-License-Identifier: MIT */
/*
 * See phases.h.
 */
#include "kernel/phases.h"

#include "kernel/assert.h"
#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "libc/pure/format.h"

#include <stddef.h>

enum { PHASES_MAX = 12, LINE_BYTES = 200, US_PER_MS = 1000, NS_PER_US = 1000 };

static struct {
    const char *name;
    uint64_t end_tsc;
} phases[PHASES_MAX];

static size_t count;
static uint64_t start_tsc;

void phases_start(uint64_t entry_tsc, const char *name)
{
    start_tsc = entry_tsc;
    phase_end(name);
}

void phase_end(const char *name)
{
    ASSERT(count < PHASES_MAX);
    phases[count].name = name;
    phases[count++].end_tsc = cpu_rdtsc();
}

void phases_print(void)
{
    char line[LINE_BYTES] = "";
    size_t length = 0;
    uint64_t before_ns = clock_from_tsc(start_tsc);

    for (size_t i = 0; i < count && length < sizeof(line); i++) {
        uint64_t now_ns = clock_from_tsc(phases[i].end_tsc);
        uint64_t us = (now_ns - before_ns) / NS_PER_US;

        length +=
            format_print(line + length, sizeof(line) - length, "%s%s %lu.%02lu",
                         i > 0 ? ", " : "", phases[i].name, us / US_PER_MS,
                         us % US_PER_MS / (US_PER_MS / 100));
        before_ns = now_ns;
    }
    log_print(LOG_INFO, "boot", "ms: %s", line);
}
