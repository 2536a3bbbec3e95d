/* SPDX-License-Identifier: MIT */
/*
 * Vegas (Brakmo and Peterson, 1995): keeps between two and four segments in
 * the path's queues, by the least round-trip time ever seen and the least of
 * the last round. Losses are answered as NewReno does.
 */
#include "net/tcp/congestion_growth.h"

enum {
    ALPHA = 2, /* segments of ours in queues: fewer, grow */
    BETA = 4,  /* more, shrink */
    GAMMA = 1, /* more, end slow start */
};

/* cwnd (1 - base / rtt): bytes that wait in queues. 2^30 * 2^27 < 2^64. */
static uint32_t queued(const struct tcp_congestion *congestion)
{
    const struct vegas *vegas = &congestion->vegas;
    uint64_t product =
        (uint64_t)congestion->cwnd * (vegas->round_us - vegas->base_us);

    return (uint32_t)(product / vegas->round_us);
}

static void end_round(struct tcp_congestion *congestion)
{
    struct vegas *vegas = &congestion->vegas;
    uint32_t mss = congestion->mss;

    if (vegas->round_us == 0) {
        /* Nothing was measured: as NewReno would. */
        if (!congestion_in_slow_start(congestion))
            congestion->cwnd = smaller(congestion->cwnd + mss, CWND_MAX);
        return;
    }
    uint32_t excess = queued(congestion);
    vegas->round_us = 0;
    if (congestion_in_slow_start(congestion)) {
        vegas->is_waiting = !vegas->is_waiting;
        if (excess > GAMMA * mss) {
            congestion->cwnd =
                larger(congestion->cwnd - excess, SSTHRESH_MIN_SEGMENTS * mss);
            congestion->ssthresh = congestion->cwnd;
        }
    } else if (excess < ALPHA * mss) {
        congestion->cwnd = smaller(congestion->cwnd + mss, CWND_MAX);
    } else if (excess > BETA * mss) {
        congestion->cwnd =
            larger(congestion->cwnd - mss, SSTHRESH_MIN_SEGMENTS * mss);
    }
}

static void vegas_ack(struct tcp_congestion *congestion,
                      const struct tcp_ack_event *ack)
{
    struct vegas *vegas = &congestion->vegas;
    uint32_t sample_us = ack->rtt_us;

    if (sample_us != 0) {
        if (vegas->base_us == 0 || sample_us < vegas->base_us)
            vegas->base_us = sample_us;
        if (vegas->round_us == 0 || sample_us < vegas->round_us)
            vegas->round_us = sample_us;
    }
    if (congestion_is_new_round(congestion, ack) && !ack->is_unused)
        end_round(congestion);
    if (congestion_in_slow_start(congestion) && !ack->is_unused &&
        !vegas->is_waiting)
        congestion_slow_start(congestion, ack, 1);
}

static void vegas_signal(struct tcp_congestion *congestion,
                         enum tcp_congestion_signal signal, uint32_t flight)
{
    if (signal == TCP_SIGNAL_UNDO)
        return;
    congestion->vegas.round_us = 0;
    congestion->vegas.is_waiting = false;
    congestion_reduce(congestion, flight / 2, signal);
}

const struct tcp_congestion_module vegas_module = {
    .name = "vegas",
    .on_ack = vegas_ack,
    .on_signal = vegas_signal,
    .on_recovered = congestion_recovered,
    .on_idle = congestion_idle,
};
