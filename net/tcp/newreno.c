/* SPDX-License-Identifier: MIT */
/*
 * The window of RFC 5681 with byte counting (RFC 3465): one segment
 * more for every window acknowledged, half of what was in flight at a loss.
 */
#include "net/tcp/congestion_growth.h"

static void newreno_ack(struct tcp_congestion *congestion,
                        const struct tcp_ack_event *ack)
{
    if (ack->is_unused)
        return;
    if (congestion_in_slow_start(congestion)) {
        congestion_slow_start(congestion, ack, 1);
        return;
    }
    congestion->counted += smaller(ack->acked, CWND_MAX);
    if (congestion->counted >= congestion->cwnd) {
        congestion->counted =
            smaller(congestion->counted - congestion->cwnd, congestion->cwnd);
        congestion->cwnd =
            smaller(congestion->cwnd + congestion->mss, CWND_MAX);
    }
}

static void newreno_signal(struct tcp_congestion *congestion,
                           enum tcp_congestion_signal signal, uint32_t flight)
{
    if (signal != TCP_SIGNAL_UNDO)
        congestion_reduce(congestion, flight / 2, signal);
}

const struct tcp_congestion_module newreno_module = {
    .name = "reno",
    .on_ack = newreno_ack,
    .on_signal = newreno_signal,
    .on_recovered = congestion_recovered,
    .on_idle = congestion_idle,
};
