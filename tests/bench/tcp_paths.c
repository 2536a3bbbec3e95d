/* SPDX-License-Identifier: MIT */
/*
 * Goodput of one flow over paths that lose, in virtual time: 10 MiB, Bernoulli
 * loss of frames both ways, 100 Mbit/s to 1 Gbit/s cables fast enough not to
 * matter. Prints a table in Markdown; the same seeds give the same numbers.
 * What other stacks reach is quoted, not measured here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/host/pair.h"

enum {
    MEMORY = 64 << 20,
    PORT = 5201,
    SEEDS = 40,
    BYTES = 10 << 20,
};

struct path {
    const char *name;
    double linux_cubic; /* Mbit/s; 0: not known */
    double lwip;
    uint32_t rtt_ms;
    uint32_t loss_ppm;
    uint32_t late_ppm; /* arrive 5 ms late */
};

static const struct path paths[] = {
    {"100 ms, clean", 22.0, 17.7, 100, 0, 0},
    {"100 ms, 0.1 %", 19.7, 7.1, 100, 1000, 0},
    {"100 ms, 1 %", 1.6, 1.3, 100, 10000, 0},
    {"100 ms, 2 %", 0.78, 0.71, 100, 20000, 0},
    {"100 ms, 5 %", 0.43, 0.21, 100, 50000, 0},
    {"100 ms, 10 %", 0.24, 0.06, 100, 100000, 0},
    {"10 ms, 0.1 %", 119, 84, 10, 1000, 0},
    {"10 ms, 1 %", 10.1, 6.2, 10, 10000, 0},
    {"10 ms, 5 %", 2.95, 0.33, 10, 50000, 0},
    {"50 ms, clean", 44.6, 35.3, 50, 0, 0},
    {"50 ms, 1 % 5 ms late", 42.7, 4.1, 50, 0, 10000},
};

struct variant {
    const char *name;
    const char *setting; /* NULL: as it comes */
    const char *value;
};

static const struct variant variants[] = {
    {"ferrule", NULL, NULL},
    {"no SACK", "ipv4.tcp_sack", "0"},
    {"no DSACK", "ipv4.tcp_dsack", "0"},
    {"no RACK", "ipv4.tcp_recovery", "0"},
    {"no TLP", "ipv4.tcp_early_retrans", "0"},
    {"no F-RTO", "ipv4.tcp_frto", "0"},
    {"no PRR", "ipv4.tcp_prr", "0"},
    {"no undo", "ipv4.tcp_undo", "0"},
    {"no timestamps", "ipv4.tcp_timestamps", "0"},
};

enum {
    PATHS = sizeof(paths) / sizeof(paths[0]),
    VARIANTS = sizeof(variants) / sizeof(variants[0]),
};

static void set(struct pair *pair, const char *name, const char *value)
{
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(pair->stack[i]);
        if (call->net_set(name, value) != 0) {
            fprintf(stderr, "%s=%s is refused\n", name, value);
            exit(1);
        }
        world_leave(pair->stack[i]);
    }
}

static bool is_verbose;
static int window_kib = 256;

static void show(void *context, const char *name, uint64_t value,
                 const char *help)
{
    (void)context;
    (void)help;
    if (value != 0 && strncmp(name, "tcp_", 4) == 0 &&
        strchr(name, '{') == NULL)
        fprintf(stderr, "    %s %lu\n", name, (unsigned long)value);
}

/* Mbit/s of payload, from the handshake's end to the last byte read. */
static double run(const struct path *path, const struct variant *variant,
                  const char *congestion, uint64_t seed)
{
    struct pair pair = pair_start(seed, MEMORY);
    struct tcp_connection *ends[2];
    const struct world_path wire = {
        .rate_bits_s = UINT64_C(1000000000),
        .delay_ns = path->rtt_ms * NS_PER_MS / 2,
        .loss_ppm = path->loss_ppm,
        .reorder_ppm = path->late_ppm,
        .reorder_ns = 5 * NS_PER_MS,
    };
    char window[16];

    (void)snprintf(window, sizeof(window), "%d", window_kib * 1024);
    set(&pair, "ipv4.tcp_rmem", window);
    set(&pair, "ipv4.tcp_wmem", "1048576");
    set(&pair, "ipv4.tcp_moderate_rcvbuf", "0");
    if (congestion != NULL)
        set(&pair, "ipv4.tcp_congestion_control", congestion);
    if (variant->setting != NULL)
        set(&pair, variant->setting, variant->value);
    pair_set_path(&pair, &wire);
    if (!pair_connect(&pair, PORT, NULL, ends))
        return 0;
    struct mover movers[2] = {
        {.stack = pair.stack[0],
         .connection = ends[0],
         .to_send = BYTES,
         .send_key = 1},
        {.stack = pair.stack[1],
         .connection = ends[1],
         .to_receive = BYTES,
         .receive_key = 1},
    };
    uint64_t start = world_now();
    (void)pair_move(movers, 3600 * NS_PER_S);
    if (movers[1].received != BYTES || movers[1].is_wrong) {
        fprintf(stderr, "%s, %s, seed %lu: not all arrived\n", path->name,
                variant->name, (unsigned long)seed);
        exit(1);
    }
    if (is_verbose) {
        pair.stack[0]->call->tcp_visit_counters(show, NULL);
    }
    return 8000.0 * BYTES / (double)(movers[1].done_ns - start);
}

/* The stacks start once in a process only. */
static double run_apart(const struct path *path, const struct variant *variant,
                        const char *congestion, uint64_t seed)
{
    double result = 0;
    int ends[2];

    (void)fflush(stdout);
    if (pipe(ends) != 0)
        exit(1);
    pid_t child = fork();
    if (child == 0) {
        result = run(path, variant, congestion, seed);
        _exit(write(ends[1], &result, sizeof(result)) != sizeof(result));
    }
    (void)close(ends[1]);
    if (child < 0 || read(ends[0], &result, sizeof(result)) != sizeof(result))
        exit(1);
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return result;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const struct path *path, const struct variant *variant,
                     const char *congestion, int seeds)
{
    double results[SEEDS];

    /* Without chance one run says it all. */
    if (path->loss_ppm == 0 && path->late_ppm == 0)
        seeds = 1;
    for (int i = 0; i < seeds; i++)
        results[i] = run_apart(path, variant, congestion, (uint64_t)i + 1);
    qsort(results, (size_t)seeds, sizeof(results[0]), compare);
    return results[seeds / 2];
}

static void print_table(const char *congestion, int seeds, size_t count)
{
    printf("| path | lwIP (quoted) | Linux CUBIC (quoted) |");
    for (size_t v = 0; v < count; v++)
        printf(" %s |", variants[v].name);
    printf("\n| --- | --- | --- |");
    for (size_t v = 0; v < count; v++)
        printf(" --- |");
    printf("\n");
    for (size_t p = 0; p < PATHS; p++) {
        printf("| %s | %.3g | %.3g |", paths[p].name, paths[p].lwip,
               paths[p].linux_cubic);
        for (size_t v = 0; v < count; v++) {
            printf(" %.3g |",
                   median(&paths[p], &variants[v], congestion, seeds));
            fflush(stdout);
        }
        printf("\n");
    }
}

/* usage: tcp_paths [-c MODULE] [-w KIB] [-s SEEDS] [-1] [PATH-NUMBER
 * VARIANT-NUMBER] */
int main(int count, char **words)
{
    const char *congestion = NULL;
    int seeds = SEEDS;
    size_t columns = VARIANTS;
    int at = 1;

    for (; at < count && words[at][0] == '-'; at++) {
        if (strcmp(words[at], "-1") == 0)
            columns = 1;
        else if (strcmp(words[at], "-c") == 0 && at + 1 < count)
            congestion = words[++at];
        else if (strcmp(words[at], "-w") == 0 && at + 1 < count)
            window_kib = atoi(words[++at]);
        else if (strcmp(words[at], "-s") == 0 && at + 1 < count)
            seeds = atoi(words[++at]);
    }
    if (seeds < 1 || seeds > SEEDS)
        seeds = SEEDS;
    if (at + 1 < count) {
        size_t path = strtoul(words[at], NULL, 10) % PATHS;
        size_t variant = strtoul(words[at + 1], NULL, 10) % VARIANTS;
        is_verbose = true;
        printf("%s, %s: %.3g\n", paths[path].name, variants[variant].name,
               median(&paths[path], &variants[variant], congestion, seeds));
        return 0;
    }
    print_table(congestion, seeds, columns);
    return 0;
}
