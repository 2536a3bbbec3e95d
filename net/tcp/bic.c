/* SPDX-License-Identifier: MIT */
/*
 * BIC (Xu, Harfoush and Rhee, 2004): a binary search, within limits, for the
 * window between where the last loss was and where it led; beyond it, a
 * search outwards that begins slowly. NewReno while windows are small.
 */
#include "net/tcp/congestion_growth.h"

enum {
    LOW_WINDOW = 14,    /* segments: NewReno up to here */
    SEARCH_DIVISOR = 4, /* each round goes this part of the way */
    STEP_MAX = 16,      /* segments per round */
    SMOOTH = 5,         /* near the maximum: a segment in so many rounds */
    START_DIVISOR = 20, /* no maximum known: at least this part of cwnd */
    BETA = 819,         /* of 1024 */
    BETA_ONE = 1024,
};

/* Bytes to grow by per round trip: 16 segments of 2^16 at most, or cwnd / 20.
 */
static uint32_t step(const struct tcp_congestion *congestion)
{
    uint32_t mss = congestion->mss;
    uint32_t cwnd = congestion->cwnd;
    uint32_t maximum = congestion->bic.maximum;
    uint32_t distance;

    if (cwnd <= LOW_WINDOW * mss)
        return mss;
    if (cwnd < maximum) {
        distance = (maximum - cwnd) / SEARCH_DIVISOR;
        if (distance <= mss)
            return mss / SMOOTH;
    } else {
        distance = cwnd - maximum;
        if (maximum == 0)
            return larger(STEP_MAX * mss, cwnd / START_DIVISOR);
        if (distance < SEARCH_DIVISOR * mss)
            return mss / SMOOTH;
        distance /= SEARCH_DIVISOR - 1;
    }
    return smaller(distance, STEP_MAX * mss);
}

static void bic_ack(struct tcp_congestion *congestion,
                    const struct tcp_ack_event *ack)
{
    if (ack->is_unused)
        return;
    if (congestion_in_slow_start(congestion))
        congestion_slow_start(congestion, ack, 1);
    else
        congestion_grow(congestion, step(congestion), ack->acked);
}

static void bic_signal(struct tcp_congestion *congestion,
                       enum tcp_congestion_signal signal, uint32_t flight)
{
    struct bic *bic = &congestion->bic;
    uint32_t cwnd = congestion->cwnd;
    uint64_t used = smaller(flight, cwnd);

    if (signal == TCP_SIGNAL_UNDO)
        return;
    /* Fast convergence: less than last time leaves room for others. */
    bic->maximum =
        cwnd < bic->maximum
            ? (uint32_t)((uint64_t)cwnd * (BETA_ONE + BETA) / (2 * BETA_ONE))
            : cwnd;
    congestion_reduce(congestion,
                      cwnd <= LOW_WINDOW * congestion->mss
                          ? used / 2
                          : used * BETA / BETA_ONE,
                      signal);
}

const struct tcp_congestion_module bic_module = {
    .name = "bic",
    .on_ack = bic_ack,
    .on_signal = bic_signal,
    .on_recovered = congestion_recovered,
    .on_idle = congestion_idle,
};
