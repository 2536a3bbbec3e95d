/* SPDX-License-Identifier: MIT */
/*
 * CUBIC (RFC 9438) in integers: windows in bytes, times in milliseconds, C =
 * 0.4 and beta = 0.7 as fractions. Every product's range stands beside it.
 * The first slow start is HyStart++'s.
 */
#include "net/tcp/congestion_growth.h"
#include "net/tcp/hystart.h"

enum {
    BETA_TENTHS = 7,
    /* alpha_cubic = 3 (1 - beta) / (1 + beta) = 9 / 17, RFC 9438 4.3 */
    ALPHA = 9,
    ALPHA_ONE = 17,
    /* Beyond this far from K, the curve has left the range of windows. */
    DISTANCE_MAX_MS = 1 << 20,
    CURVE_SHIFT = 10,
    ROOT_BITS = 20,
};

/* 0.4 / 1000^3 segments per cubic millisecond are 4 / 5^10 / 2^10. */
#define FIVE_TO_10 UINT64_C(9765625)

_Static_assert(4 * (UINT64_C(1) << 60) / FIVE_TO_10 * 65535 < UINT64_C(1) << 60,
               "the curve's offset fits 64 bits at the greatest distance");
_Static_assert((4 * (UINT64_C(1) << 60) / FIVE_TO_10 >> CURVE_SHIFT) *
                       TCP_MSS_FLOOR >
                   CWND_MAX,
               "and is beyond every window there");
_Static_assert(UINT64_MAX / CWND_MAX > UINT64_C(5000000000),
               "K's radicand fits 64 bits...");
_Static_assert(UINT64_C(5000000000) * CWND_MAX / (2 * TCP_MSS_FLOOR) <
                   UINT64_C(1) << (3 * ROOT_BITS),
               "...and its root has ROOT_BITS");

static uint32_t milliseconds(uint64_t now_ns)
{
    return (uint32_t)(now_ns / NS_PER_MS);
}

/* The largest root with root^3 <= x, for x < 2^60. */
static uint32_t cube_root(uint64_t x)
{
    uint64_t root = 0;

    for (unsigned bit = ROOT_BITS; bit > 0; bit--) {
        uint64_t next = root | UINT64_C(1) << (bit - 1);
        if (next * next * next <= x)
            root = next;
    }
    return (uint32_t)root;
}

/* RFC 9438 (2): K = cbrt((W_max - cwnd_epoch) / C) seconds, so K^3 in cubic
 * milliseconds is the distance in segments * 5 * 10^9 / 2. */
static uint32_t plateau_ms(uint32_t distance, uint32_t mss)
{
    return cube_root(distance * UINT64_C(5000000000) / (2 * (uint64_t)mss));
}

/* RFC 9438 (1): W_cubic(t) = C (t - K)^3 + W_max. */
static uint32_t curve(const struct cubic *cubic, uint32_t mss, uint64_t t_ms)
{
    bool is_before = t_ms < cubic->plateau_ms;
    uint64_t d =
        is_before ? cubic->plateau_ms - t_ms : t_ms - cubic->plateau_ms;

    d = d > DISTANCE_MAX_MS ? DISTANCE_MAX_MS : d;
    uint64_t offset = (4 * d * d * d / FIVE_TO_10 * mss) >> CURVE_SHIFT;
    if (is_before)
        return offset < cubic->origin ? cubic->origin - (uint32_t)offset : 0;
    return (uint32_t)(offset > CWND_MAX - cubic->origin
                          ? CWND_MAX
                          : cubic->origin + offset);
}

/* A stage of congestion avoidance begins (RFC 9438 4.2; 4.8 and 4.10: K = 0
 * when there is no W_max above the window to return to). */
static void begin_stage(struct tcp_congestion *congestion, uint32_t now_ms)
{
    struct cubic *cubic = &congestion->cubic;
    uint32_t cwnd = congestion->cwnd;

    cubic->origin = larger(cubic->maximum, cwnd);
    cubic->plateau_ms = plateau_ms(cubic->origin - cwnd, congestion->mss);
    cubic->began_ms = now_ms;
    cubic->seen_ms = now_ms;
    cubic->estimate = cwnd;
    cubic->credit = 0;
    cubic->credit_high = 0;
    cubic->is_running = true;
    cubic->is_paused = false;
    congestion->counted = 0;
}

/* Time in the stage, without the times the window was not in use (RFC 9438
 * 5.8). Keeps began_ms near enough that milliseconds may wrap. */
static uint32_t stage_time(struct cubic *cubic, uint32_t now_ms)
{
    if (cubic->is_paused)
        cubic->began_ms += now_ms - cubic->seen_ms;
    cubic->is_paused = false;
    cubic->seen_ms = now_ms;
    if (now_ms - cubic->began_ms > 2U * DISTANCE_MAX_MS)
        cubic->began_ms = now_ms - 2U * DISTANCE_MAX_MS;
    return now_ms - cubic->began_ms;
}

/* RFC 9438 (4): what Reno would have; alpha is 1 from cwnd_prior on. The
 * product: acked <= cwnd <= 2^30, mss < 2^16, 17 < 2^5; credit < 2^35. */
static void advance_estimate(struct tcp_congestion *congestion, uint32_t acked)
{
    struct cubic *cubic = &congestion->cubic;
    uint64_t alpha = cubic->estimate < cubic->prior ? ALPHA : ALPHA_ONE;
    uint64_t window = ALPHA_ONE * (uint64_t)congestion->cwnd;

    uint64_t credit = (uint64_t)cubic->credit_high << 32 | cubic->credit;
    credit += alpha * congestion->mss * acked;
    uint64_t growth = credit / window;
    credit %= window;
    cubic->credit = (uint32_t)credit;
    cubic->credit_high = (uint8_t)(credit >> 32);
    cubic->estimate = (uint32_t)(growth > CWND_MAX - cubic->estimate
                                     ? CWND_MAX
                                     : cubic->estimate + growth);
}

static void avoid_congestion(struct tcp_congestion *congestion,
                             const struct tcp_ack_event *ack)
{
    struct cubic *cubic = &congestion->cubic;
    uint32_t now_ms = milliseconds(ack->now_ns);
    uint32_t acked = smaller(ack->acked, congestion->cwnd);
    uint32_t cwnd = congestion->cwnd;

    if (!cubic->is_running)
        begin_stage(congestion, now_ms);
    uint64_t t_ms = stage_time(cubic, now_ms);
    advance_estimate(congestion, acked);
    if (curve(cubic, congestion->mss, t_ms) < cubic->estimate) {
        congestion->cwnd = larger(cwnd, cubic->estimate); /* 4.3 */
        return;
    }
    /* 4.2: within one round trip to the target, cwnd to 1.5 cwnd. */
    uint32_t target =
        curve(cubic, congestion->mss, t_ms + ack->smoothed_rtt_us / 1000);
    target = smaller(larger(target, cwnd), cwnd + cwnd / 2);
    congestion_grow(congestion, target - cwnd, acked);
}

static void cubic_ack(struct tcp_congestion *congestion,
                      const struct tcp_ack_event *ack)
{
    struct cubic *cubic = &congestion->cubic;

    if (ack->is_unused) {
        cubic->is_paused = true;
    } else if (!congestion_in_slow_start(congestion)) {
        avoid_congestion(congestion, ack);
    } else if (!cubic->had_signal && !cubic->is_running) {
        hystart_ack(congestion, &cubic->hystart, ack);
    } else {
        cubic->is_paused = true;
        congestion_slow_start(congestion, ack, 1);
    }
}

static void cubic_signal(struct tcp_congestion *congestion,
                         enum tcp_congestion_signal signal, uint32_t flight)
{
    struct cubic *cubic = &congestion->cubic;
    uint32_t cwnd = congestion->cwnd;

    if (signal == TCP_SIGNAL_UNDO) {
        /* 4.9: the stage goes on, without the time since. */
        cubic->maximum = cubic->undone;
        cubic->is_running = cubic->is_running || cubic->was_running;
        cubic->is_paused = true;
        return;
    }
    cubic->undone = cubic->maximum;
    cubic->was_running = cubic->is_running;
    /* 4.7: fast convergence; half of (1 + beta) is 17 / 20. */
    cubic->maximum =
        cwnd < cubic->maximum ? (uint32_t)(cwnd * UINT64_C(17) / 20) : cwnd;
    if (signal == TCP_SIGNAL_TIMEOUT)
        cubic->maximum = 0; /* 4.8: W_max will be where slow start ends */
    cubic->prior = cwnd;
    cubic->had_signal = true;
    cubic->is_running = false;
    /* 4.6, from the window: it cannot grow where it is not used. Below a
     * peer's window it is a reserve, which losses take first (RFC 7661 4.2:
     * what was half used is validated). */
    (void)flight;
    congestion_reduce(congestion, (uint64_t)cwnd * BETA_TENTHS / 10, signal);
}

static void cubic_idle(struct tcp_congestion *congestion)
{
    congestion->cubic.is_paused = true;
    congestion_idle(congestion);
}

const struct tcp_congestion_module cubic_module = {
    .name = "cubic",
    .on_ack = cubic_ack,
    .on_signal = cubic_signal,
    .on_recovered = congestion_recovered,
    .on_idle = cubic_idle,
};
