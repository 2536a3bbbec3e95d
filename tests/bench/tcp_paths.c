/* SPDX-License-Identifier: MIT */
/*
 * Goodput of TCP over paths that lose, delay and reorder, in virtual time, as
 * tables in Markdown: beside what is quoted of other stacks, by congestion
 * module, with each mechanism switched off, and shared fairly. The same seeds
 * give the same figures.
 */
#include "tests/bench/tcp_path_run.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS_MAX = 495,
    /* Where a handful of losses decides over a transfer (0.1 %: seven), the
     * median of 41 lies anywhere within a quarter of itself. */
    FEW_LOSSES_PPM = 5000,
    FEW_LOSSES_SEEDS = 5, /* times as many */
    STRICT_KIB = 256,
};

/* --- statistics ----------------------------------------------------------- */

struct spread {
    double low; /* quartiles */
    double median;
    double high;
};

static unsigned seeds = 41;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static struct spread measure(struct bench_job job, unsigned count)
{
    double results[SEEDS_MAX];
    const struct bench_path *path = job.path;

    /* Without chance one run says it all. */
    if (path->loss_ppm == 0 && path->late_ppm == 0 && path->burst_ppm == 0)
        count = 1;
    else if (path->late_ppm == 0 && path->burst_ppm == 0 &&
             path->loss_ppm < FEW_LOSSES_PPM)
        count *= FEW_LOSSES_SEEDS;
    for (unsigned i = 0; i < count; i++) {
        job.seed = i + 1;
        results[i] = bench_run(&job);
    }
    qsort(results, count, sizeof(results[0]), compare);
    return (struct spread){results[count / 4], results[count / 2],
                           results[count - 1 - count / 4]};
}

/* --- beside others -------------------------------------------------------- */

struct quoted {
    struct bench_path path;
    double lwip; /* Mbit/s */
    double linux_cubic;
};

static const struct quoted quoted[] = {
    {{.name = "100 ms, clean", .rtt_ms = 100}, 17.7, 22.0},
    {{.name = "100 ms, 0.1 %", .rtt_ms = 100, .loss_ppm = 1000}, 7.1, 19.7},
    {{.name = "100 ms, 1 %", .rtt_ms = 100, .loss_ppm = 10000}, 1.3, 1.6},
    {{.name = "100 ms, 2 %", .rtt_ms = 100, .loss_ppm = 20000}, 0.71, 0.78},
    {{.name = "100 ms, 5 %", .rtt_ms = 100, .loss_ppm = 50000}, 0.21, 0.43},
    {{.name = "100 ms, 10 %", .rtt_ms = 100, .loss_ppm = 100000}, 0.06, 0.24},
    {{.name = "10 ms, 0.1 %", .rtt_ms = 10, .loss_ppm = 1000}, 84, 119},
    {{.name = "10 ms, 1 %", .rtt_ms = 10, .loss_ppm = 10000}, 6.2, 10.1},
    {{.name = "10 ms, 5 %", .rtt_ms = 10, .loss_ppm = 50000}, 0.33, 2.95},
    {{.name = "50 ms, clean", .rtt_ms = 50}, 35.3, 44.6},
    {{.name = "50 ms, 1 % 5 ms late",
      .rtt_ms = 50,
      .late_ppm = 10000,
      .late_ms = 5},
     4.1,
     42.7},
};

enum {
    QUOTED = sizeof(quoted) / sizeof(quoted[0]),
};

static void print_spread(struct spread s)
{
    if (s.low < s.high)
        printf(" **%.3g** (%.3g to %.3g) |", s.median, s.low, s.high);
    else
        printf(" **%.3g** |", s.median);
    (void)fflush(stdout);
}

static void print_quoted(void)
{
    printf("| path | lwIP, quoted | Linux CUBIC, quoted | ferrule, "
           "SO_RCVBUF=262144 | ferrule, window of 262,144 B |\n"
           "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < QUOTED; i++) {
        struct bench_job job = {.path = &quoted[i].path};
        printf("| %s | %.3g | %.3g |", quoted[i].path.name, quoted[i].lwip,
               quoted[i].linux_cubic);
        print_spread(measure(job, seeds));
        job.window_kib = STRICT_KIB;
        print_spread(measure(job, seeds));
        printf("\n");
    }
}

/* --- by congestion module ------------------------------------------------- */

static const char *const modules[] = {"cubic", "reno", "bic", "westwood",
                                      "vegas"};

enum {
    MODULES = sizeof(modules) / sizeof(modules[0]),
};

static void print_heads(const char *first, const char *const *names,
                        size_t count)
{
    printf("\n| %s |", first);
    for (size_t i = 0; i < count; i++)
        printf(" %s |", names[i]);
    printf("\n| --- |");
    for (size_t i = 0; i < count; i++)
        printf(" --- |");
    printf("\n");
}

static void print_modules(void)
{
    print_heads("path, SO_RCVBUF=262144", modules, MODULES);
    for (size_t i = 0; i < QUOTED; i++) {
        printf("| %s |", quoted[i].path.name);
        for (size_t m = 0; m < MODULES; m++) {
            const struct bench_job job = {.path = &quoted[i].path,
                                          .congestion = modules[m]};
            printf(" %.3g |", measure(job, seeds / 4 + 1).median);
            (void)fflush(stdout);
        }
        printf("\n");
    }
}

/* --- each mechanism switched off ------------------------------------------ */

static const struct bench_path trials[] = {
    {.name = "1 % lost, 10 ms", .rtt_ms = 10, .loss_ppm = 10000},
    {.name = "5 % lost, 100 ms",
     .rtt_ms = 100,
     .loss_ppm = 50000,
     .bytes = 2 << 20},
    {.name = "bursts of 5 lost, 20 ms", .rtt_ms = 20, .burst_ppm = 500},
    {.name = "1 % 5 ms late, 50 ms",
     .rtt_ms = 50,
     .late_ppm = 10000,
     .late_ms = 5},
    {.name = "1 % 15 ms late, 20 ms",
     .rtt_ms = 20,
     .late_ppm = 10000,
     .late_ms = 15},
    {.name = "spikes of 400 ms, 20 ms",
     .kind = BENCH_SPIKES,
     .rtt_ms = 20,
     .bytes = 40 << 20},
    {.name = "20 Mbit/s, queue 128 KiB, 50 ms",
     .rtt_ms = 50,
     .mbit_s = 20,
     .queue_kib = 128},
    {.name = "ms for 6 KB, 5 % lost, 40 ms",
     .kind = BENCH_SHORT,
     .rtt_ms = 40,
     .loss_ppm = 50000,
     .bytes = 6000},
};

enum {
    TOGETHER = 3,
};

/* Where two see the same thing, what one is worth shows without the other. */
static const char *const switched[][TOGETHER + 1] = {
    {NULL},
    {"tcp_sack"},
    {"tcp_limited_transmit"},
    {"tcp_sack", "tcp_limited_transmit"},
    {"tcp_timestamps"},
    {"tcp_dsack"},
    {"tcp_timestamps", "tcp_dsack"},
    {"tcp_undo"},
    {"tcp_frto"},
    {"tcp_undo", "tcp_frto"},
    {"tcp_recovery"},
    {"tcp_reordering_adapt"},
    {"tcp_undo", "tcp_reordering_adapt"},
    {"tcp_early_retrans"},
    {"tcp_prr"},
    {"tcp_hystart"},
};

enum {
    TRIALS = sizeof(trials) / sizeof(trials[0]),
    SWITCHED = sizeof(switched) / sizeof(switched[0]),
};

static void print_switched(void)
{
    const char *names[TRIALS];

    for (size_t t = 0; t < TRIALS; t++)
        names[t] = trials[t].name;
    print_heads("switched off", names, TRIALS);
    for (size_t s = 0; s < SWITCHED; s++) {
        printf(switched[s][0] == NULL ? "| none |" : "|");
        for (size_t i = 0; switched[s][i] != NULL; i++)
            printf("%s `%s`", i == 0 ? "" : ",", switched[s][i]);
        printf(switched[s][0] == NULL ? "" : " |");
        for (size_t t = 0; t < TRIALS; t++) {
            const struct bench_job job = {.path = &trials[t],
                                          .off = switched[s]};
            printf(" %.3g |", measure(job, seeds / 4 + 1).median);
            (void)fflush(stdout);
        }
        printf("\n");
    }
}

/* --- sharing -------------------------------------------------------------- */

enum { NEIGHBOURS = 2 }; /* ms, each way */

static const struct bench_path shared[] = {
    {.name = "64 flows, 100 Mbit/s, 20 ms, queue 256 KiB",
     .kind = BENCH_FAIR,
     .rtt_ms = 20,
     .mbit_s = 100,
     .queue_kib = 256,
     .bytes = 64},
    {.name = "16 flows, 50 Mbit/s, 50 ms, queue 256 KiB",
     .kind = BENCH_FAIR,
     .rtt_ms = 50,
     .mbit_s = 50,
     .queue_kib = 256,
     .bytes = 16},
    {.name = "64 flows, 100 Mbit/s, 20 ms, the sender's own link",
     .kind = BENCH_FAIR,
     .rtt_ms = 20,
     .mbit_s = 100,
     .bytes = 64},
};

/* Nothing is left to chance there, and so one round trip may be one at which
 * losses meet the same flows again and again: its neighbours, too. */
static void print_sharing(const struct bench_path *path, const char *module)
{
    double indices[2 * NEIGHBOURS + 1];
    size_t count = 0;

    for (unsigned rtt = path->rtt_ms - NEIGHBOURS;
         rtt <= path->rtt_ms + NEIGHBOURS; rtt++) {
        struct bench_path near = *path;
        const struct bench_job job = {.path = &near, .congestion = module};

        near.rtt_ms = rtt;
        indices[count++] = measure(job, 1).median;
    }
    qsort(indices, count, sizeof(indices[0]), compare);
    printf(" %.3f (%.3f to %.3f) |", indices[NEIGHBOURS], indices[0],
           indices[count - 1]);
    (void)fflush(stdout);
}

static void print_shared(void)
{
    print_heads("Jain's index over 30 s after 10 s, 2 ms around", modules,
                MODULES);
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        printf("| %s |", shared[i].name);
        for (size_t m = 0; m < MODULES; m++)
            print_sharing(&shared[i], modules[m]);
        printf("\n");
    }
}

/* usage: tcp_paths [-s SEEDS] [TABLE...]: quoted, modules, switched, shared */
int main(int count, char **words)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } tables[] = {
        {"quoted", print_quoted},
        {"modules", print_modules},
        {"switched", print_switched},
        {"shared", print_shared},
    };
    int first = 1;

    if (count > 2 && strcmp(words[1], "-s") == 0) {
        seeds = (unsigned)strtoul(words[2], NULL, 10);
        first = 3;
    }
    if (seeds < 1 || seeds > SEEDS_MAX / FEW_LOSSES_SEEDS)
        return 2;
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        bool is_asked = first == count;
        for (int j = first; j < count; j++)
            is_asked = is_asked || strcmp(words[j], tables[i].name) == 0;
        if (is_asked)
            tables[i].print();
    }
    return 0;
}
