/* SPDX-License-Identifier: MIT */
/*
 * One measured transfer, or many short ones, or many at once, over one path:
 * what tcp_paths.c tabulates. All in virtual time and by the seed alone.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum bench_kind {
    BENCH_BULK,   /* one transfer of `bytes`: Mbit/s of payload */
    BENCH_SHORT,  /* many of `bytes`, one after another: ms, the mean */
    BENCH_SPIKES, /* bulk, and all is held up for a while every second */
    BENCH_FAIR,   /* many at once, without end: Jain's index */
};

struct bench_path {
    const char *name;
    enum bench_kind kind;
    uint32_t rtt_ms;
    uint32_t mbit_s;    /* 0: 1 Gbit/s */
    uint32_t queue_kib; /* before that; 0: without end */
    uint32_t loss_ppm;  /* both ways */
    uint32_t burst_ppm; /* bursts of five begin that often */
    uint32_t late_ppm;
    uint32_t late_ms;
    uint64_t bytes; /* 0: 10 MiB; for BENCH_FAIR the number of flows */
};

struct bench_job {
    const struct bench_path *path;
    const char *const *off; /* settings made 0, up to NULL; NULL: none */
    const char *congestion; /* NULL: the default */
    uint32_t window_kib;    /* a window of so much; 0: SO_RCVBUF=262144 */
    uint64_t seed;
};

enum {
    BENCH_BYTES = 10 << 20,
};

/* The figure, measured in a process of its own. Ends the program when a
 * transfer failed. */
double bench_run(const struct bench_job *job);
