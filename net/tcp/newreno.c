/* SPDX-License-Identifier: MIT */
/*
 * The window of RFC 5681 with byte counting (RFC 3465, L = 2) and the initial
 * window of RFC 6928. Integers only: cwnd stays between one segment and
 * CWND_MAX, so no sum of two of them overflows 32 bits.
 */
#include "net/tcp/congestion.h"

#include "net/limits.h"

enum {
    CWND_MAX = 1 << 30,
    BYTE_COUNTING_LIMIT = 2,   /* RFC 3465 2.2 */
    SSTHRESH_MIN_SEGMENTS = 2, /* RFC 5681 (4) */
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

uint32_t congestion_initial_window(uint32_t mss)
{
    /* RFC 6928 (1): min(10 * MSS, max(2 * MSS, 14600)) */
    return smaller(TCP_INITIAL_WINDOW * mss, larger(2 * mss, 14600));
}

void congestion_init(struct tcp_congestion *congestion, uint32_t mss,
                     struct seq32 iss)
{
    *congestion = (struct tcp_congestion){
        .module = &newreno_module,
        .cwnd = congestion_initial_window(mss),
        .ssthresh = CWND_MAX,
        .mss = mss,
        .recover = iss,
    };
}

void congestion_set_mss(struct tcp_congestion *congestion, uint32_t mss)
{
    /* RFC 1191 6.3: the window in segments stays as it was. */
    uint64_t segments = congestion->cwnd / congestion->mss;
    uint64_t cwnd = (segments == 0 ? 1 : segments) * mss;

    congestion->cwnd = (uint32_t)(cwnd > CWND_MAX ? CWND_MAX : cwnd);
    congestion->mss = mss;
}

static void newreno_ack(struct tcp_congestion *congestion,
                        const struct tcp_ack_event *ack)
{
    uint32_t mss = congestion->mss;

    if (congestion->cwnd < congestion->ssthresh) {
        /* A sender that did not fill its window learnt nothing of the path
         * (RFC 7661 4.1); in slow start half full is enough. */
        if (ack->flight < congestion->cwnd / 2)
            return;
        congestion->cwnd += smaller(ack->acked, BYTE_COUNTING_LIMIT * mss);
    } else {
        if (ack->flight < congestion->cwnd - smaller(mss, congestion->cwnd))
            return;
        congestion->counted += smaller(ack->acked, CWND_MAX);
        if (congestion->counted >= congestion->cwnd) {
            congestion->counted -= congestion->cwnd;
            congestion->counted =
                smaller(congestion->counted, congestion->cwnd);
            congestion->cwnd += mss;
        }
    }
    congestion->cwnd = smaller(congestion->cwnd, CWND_MAX);
}

static void newreno_signal(struct tcp_congestion *congestion,
                           enum tcp_congestion_signal signal, uint32_t flight)
{
    congestion->ssthresh =
        larger(flight / 2, SSTHRESH_MIN_SEGMENTS * congestion->mss);
    congestion->counted = 0;
    if (signal == TCP_SIGNAL_TIMEOUT)
        congestion->cwnd = congestion->mss;
}

static void newreno_recovered(struct tcp_congestion *congestion,
                              uint32_t flight)
{
    /* RFC 6582 3.2 step 3, first choice: no burst. */
    uint32_t mss = congestion->mss;

    congestion->cwnd = smaller(congestion->ssthresh, larger(flight, mss) + mss);
    congestion->counted = 0;
}

static void newreno_idle(struct tcp_congestion *congestion)
{
    /* RFC 5681 4.1: the restart window. */
    congestion->cwnd =
        smaller(congestion->cwnd, congestion_initial_window(congestion->mss));
}

const struct tcp_congestion_module newreno_module = {
    .name = "reno",
    .on_ack = newreno_ack,
    .on_signal = newreno_signal,
    .on_recovered = newreno_recovered,
    .on_idle = newreno_idle,
};
