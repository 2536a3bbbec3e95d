/* SPDX-License-Identifier: MIT */
/*
 * Westwood+ (Grieco and Mascolo, 2004): NewReno, but after a loss the
 * threshold is what the path was seen to carry: the filtered rate at which
 * bytes were acknowledged, times the least round-trip time.
 */
#include "net/tcp/congestion_growth.h"

enum {
    SAMPLE_MIN_MS = 50, /* shorter samples see bursts, not the rate */
    FILTER = 8,         /* a sample counts for an eighth */
};

/* 7 / 8 old + 1 / 8 new; the sum of 8 times 32 bits fits 64. */
static uint32_t filter(uint32_t old, uint32_t new)
{
    return (uint32_t)(((FILTER - 1) * (uint64_t)old + new) / FILTER);
}

/* Bytes per second: 2^32 * 1000 fits; beyond 32 bits it saturates. */
static uint32_t rate_of(uint32_t bytes, uint32_t ms)
{
    uint64_t rate = (uint64_t)bytes * 1000 / ms;

    return rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
}

static void end_sample(struct westwood *westwood, uint32_t ms)
{
    uint32_t rate = rate_of(westwood->bytes, ms);

    if (westwood->rate == 0) {
        westwood->rate_raw = rate;
        westwood->rate = rate;
    } else {
        westwood->rate_raw = filter(westwood->rate_raw, rate);
        westwood->rate = filter(westwood->rate, westwood->rate_raw);
    }
}

static void measure(struct westwood *westwood, const struct tcp_ack_event *ack)
{
    uint32_t now_ms = (uint32_t)(ack->now_ns / NS_PER_MS);
    uint32_t ms = now_ms - westwood->began_ms;
    uint32_t sample_us = ack->rtt_us;

    if (sample_us != 0 &&
        (westwood->least_us == 0 || sample_us < westwood->least_us))
        westwood->least_us = sample_us;
    if (!westwood->is_sampling) {
        westwood->is_sampling = true;
        westwood->bytes = 0;
        westwood->began_ms = now_ms;
        return;
    }
    westwood->bytes += smaller(ack->acked, UINT32_MAX - westwood->bytes);
    if (ms < SAMPLE_MIN_MS || ms < ack->smoothed_rtt_us / 1000)
        return;
    end_sample(westwood, ms);
    westwood->bytes = 0;
    westwood->began_ms = now_ms;
}

static void westwood_ack(struct tcp_congestion *congestion,
                         const struct tcp_ack_event *ack)
{
    measure(&congestion->westwood, ack);
    newreno_module.on_ack(congestion, ack);
}

static void westwood_signal(struct tcp_congestion *congestion,
                            enum tcp_congestion_signal signal, uint32_t flight)
{
    struct westwood *westwood = &congestion->westwood;

    if (signal == TCP_SIGNAL_UNDO)
        return;
    /* What arrives during recovery is not reported: the sample is void. */
    westwood->is_sampling = false;
    /* 2^32 * 2^27 fits 64 bits. */
    uint64_t path = (uint64_t)westwood->rate * westwood->least_us / 1000000;
    congestion_reduce(congestion, path != 0 ? path : flight / 2, signal);
}

static void westwood_idle(struct tcp_congestion *congestion)
{
    congestion->westwood.is_sampling = false;
    congestion_idle(congestion);
}

const struct tcp_congestion_module westwood_module = {
    .name = "westwood",
    .on_ack = westwood_ack,
    .on_signal = westwood_signal,
    .on_recovered = congestion_recovered,
    .on_idle = westwood_idle,
};
