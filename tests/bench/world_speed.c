/* SPDX-License-Identifier: MIT */
/*
 * How fast the simulated world is: virtual seconds in a second of CPU time,
 * with a hundred flows between two whole stacks, at several bottlenecks. Both
 * ends are computed, and every byte is checked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/host/apart.h"
#include "tests/host/flows.h"

enum {
    FLOWS = 100,
    SECONDS = 100,
};

struct speed {
    double virtual_per_cpu;
    double frames_per_cpu;
};

static void measure(void *context, void *result)
{
    struct pair pair = pair_start(1, (size_t)64 << 20);
    struct speed *speed = result;
    const struct world_path path = {
        .rate_bits_s = *(uint64_t *)context,
        .delay_ns = 20 * NS_PER_MS,
        .queue_bytes = 1 << 16,
        .loss_ppm = 1000,
    };

    pair_set_path(&pair, &path);
    if (!flows_start(&pair, FLOWS, 0, 0))
        exit(1);
    uint64_t frames = pair.device[0]->port.sent + pair.device[1]->port.sent;
    clock_t start = clock();
    (void)flows_run(SECONDS * NS_PER_S);
    double cpu_s = (double)(clock() - start) / CLOCKS_PER_SEC;
    frames = pair.device[0]->port.sent + pair.device[1]->port.sent - frames;
    speed->virtual_per_cpu = SECONDS / cpu_s;
    speed->frames_per_cpu = (double)frames / cpu_s;
}

int main(void)
{
    static const uint64_t rates[] = {1000000, 2000000, 5000000, 10000000,
                                     100000000};

    printf("| bottleneck, 100 flows | virtual s per CPU s | frames per CPU s "
           "|\n| --- | --- | --- |\n");
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        uint64_t rate = rates[i];
        struct speed speed;
        if (!apart_run(measure, &rate, &speed, sizeof(speed)))
            return 1;
        printf("| %lu Mbit/s | %.0f | %.0f |\n", (unsigned long)rate / 1000000,
               speed.virtual_per_cpu, speed.frames_per_cpu);
    }
    return 0;
}
