/* SPDX-License-Identifier: MIT */
/*
 * Runs of tcp_path_run.h over tests/host. The window is either 256 KiB to the
 * byte, or what SO_RCVBUF=262144 gives, which on Linux and here is more.
 */
#include "tests/bench/tcp_path_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/host/apart.h"
#include "tests/host/flows.h"

enum {
    MEMORY = 24 << 20,
    MEMORY_FAIR = 256 << 20,
    PORT = 5201,
    ASKED = 262144,
    SHORT_COUNT = 60,
    SPIKE_EVERY_MS = 1000,
    SPIKE_MS = 400,
    SPIKES = 200,
    BURST_LEAVE_PPM = 200000, /* five frames on average */
    FAIR_SETTLE_S = 10,
    FAIR_MEASURE_S = 30,
};

static struct pair pair;

static _Noreturn void stop(const struct bench_job *job, const char *what)
{
    fprintf(stderr, "%s, %s, seed %lu: %s\n", job->path->name,
            job->off == NULL ? "-" : job->off[0], (unsigned long)job->seed,
            what);
    exit(1);
}

static void set(const struct bench_job *job, const char *name,
                const char *value)
{
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(pair.stack[i]);
        if (call->net_set(name, value) != 0)
            stop(job, "a setting is refused");
        world_leave(pair.stack[i]);
    }
}

static void start(const struct bench_job *job, size_t memory)
{
    char window[16];

    pair = pair_start(job->seed, memory);
    if (job->path->kind != BENCH_FAIR) {
        (void)snprintf(window, sizeof(window), "%u", job->window_kib * 1024);
        if (job->window_kib != 0)
            set(job, "tcp_rmem", window);
        set(job, "tcp_wmem", "1048576");
        set(job, "tcp_moderate_rcvbuf", "0");
    }
    if (job->congestion != NULL)
        set(job, "tcp_congestion_control", job->congestion);
    for (size_t i = 0; job->off != NULL && job->off[i] != NULL; i++)
        set(job, job->off[i], "0");
}

/* The handshake is asked to succeed at once: losses begin after it. */
static void lay(const struct bench_path *path)
{
    uint64_t rate = path->mbit_s == 0 ? 1000 : path->mbit_s;
    const struct world_path wire = {
        .rate_bits_s = rate * 1000000,
        .delay_ns = path->rtt_ms * NS_PER_MS / 2,
    };

    pair_set_path(&pair, &wire);
}

static void spoil(const struct bench_path *path)
{
    uint64_t rate = path->mbit_s == 0 ? 1000 : path->mbit_s;
    struct world_path wire = {
        .rate_bits_s = rate * 1000000,
        .queue_bytes = (uint64_t)path->queue_kib * 1024,
        .delay_ns = path->rtt_ms * NS_PER_MS / 2,
        .loss_ppm = path->loss_ppm,
        .burst_enter_ppm = path->burst_ppm,
        .burst_leave_ppm = BURST_LEAVE_PPM,
        .burst_loss_ppm = path->burst_ppm != 0 ? 1000000 : 0,
        .reorder_ppm = path->late_ppm,
        .reorder_ns = path->late_ms * NS_PER_MS,
    };

    if (path->kind == BENCH_SPIKES)
        wire.jitter_ns = 1; /* nothing overtakes */
    pair.device[0]->port.path = wire;
    wire.burst_enter_ppm = 0;
    wire.burst_loss_ppm = 0;
    pair.device[1]->port.path = wire;
}

static void ask_for_buffer(const struct bench_job *job,
                           struct tcp_connection *const ends[2])
{
    for (size_t i = 0; job->window_kib == 0 && i < 2; i++) {
        const struct stack_functions *call = world_enter(pair.stack[i]);
        if (call->tcp_set_option(ends[i], TCP_OPTION_RECEIVE_BUFFER, ASKED,
                                 world_now()) != 0)
            stop(job, "SO_RCVBUF is refused");
        world_leave(pair.stack[i]);
    }
}

static void set_delay(void *context)
{
    pair.device[0]->port.path.delay_ns = *(const uint64_t *)context;
}

static void plan_spikes(const struct bench_path *path)
{
    static uint64_t usual_ns;
    static uint64_t spike_ns;

    usual_ns = path->rtt_ms * NS_PER_MS / 2;
    spike_ns = usual_ns + SPIKE_MS * NS_PER_MS;
    for (uint64_t i = 1; i <= SPIKES; i++) {
        uint64_t at = world_now() + i * SPIKE_EVERY_MS * NS_PER_MS;
        world_at(at, set_delay, &spike_ns);
        world_at(at + path->rtt_ms * NS_PER_MS, set_delay, &usual_ns);
    }
}

/* Nanoseconds from the handshake's end to the last byte read. */
static uint64_t transfer(const struct bench_job *job, uint64_t bytes)
{
    struct tcp_connection *ends[2];

    lay(job->path);
    if (!pair_connect(&pair, PORT, NULL, ends))
        stop(job, "no connection");
    ask_for_buffer(job, ends);
    spoil(job->path);
    if (job->path->kind == BENCH_SPIKES)
        plan_spikes(job->path);
    struct mover movers[2] = {
        {.stack = pair.stack[0],
         .connection = ends[0],
         .to_send = bytes,
         .send_key = 1},
        {.stack = pair.stack[1],
         .connection = ends[1],
         .to_receive = bytes,
         .receive_key = 1},
    };
    uint64_t began = world_now();
    (void)pair_move(movers, 3600 * NS_PER_S);
    if (movers[1].received != bytes || movers[1].is_wrong)
        stop(job, "not all arrived");
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(pair.stack[i]);
        call->tcp_close(ends[i], world_now());
        world_leave(pair.stack[i]);
    }
    return movers[1].done_ns - began;
}

static double run_short(const struct bench_job *job)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < SHORT_COUNT; i++) {
        sum += transfer(job, job->path->bytes);
        lay(job->path);
        world_run_for(5 * NS_PER_S);
    }
    return (double)sum / (SHORT_COUNT * (double)NS_PER_MS);
}

static double run_fair(const struct bench_job *job)
{
    static uint64_t before[FLOW_PAIRS_MAX];
    size_t count = job->path->bytes;
    double sum = 0;
    double squares = 0;

    spoil(job->path);
    if (!flows_start(&pair, count, 0, 0))
        stop(job, "no connections");
    (void)flows_run(FAIR_SETTLE_S * NS_PER_S);
    for (size_t i = 0; i < count; i++)
        before[i] = flows_moved(i);
    (void)flows_run(FAIR_MEASURE_S * NS_PER_S);
    for (size_t i = 0; i < count; i++) {
        double moved = (double)(flows_moved(i) - before[i]);
        sum += moved;
        squares += moved * moved;
    }
    return sum * sum / ((double)count * squares);
}

static void run(void *context, void *result)
{
    const struct bench_job *job = context;
    uint64_t bytes = job->path->bytes == 0 ? BENCH_BYTES : job->path->bytes;
    double *figure = result;

    start(job, job->path->kind == BENCH_FAIR ? MEMORY_FAIR : MEMORY);
    if (job->path->kind == BENCH_SHORT)
        *figure = run_short(job);
    else if (job->path->kind == BENCH_FAIR)
        *figure = run_fair(job);
    else
        *figure = 8000.0 * (double)bytes / (double)transfer(job, bytes);
}

double bench_run(const struct bench_job *job)
{
    struct bench_job copy = *job;
    double figure = 0;

    (void)fflush(stdout);
    if (!apart_run(run, &copy, &figure, sizeof(figure)))
        stop(job, "the run failed");
    return figure;
}
