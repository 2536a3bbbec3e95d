/* SPDX-License-Identifier: MIT */
/*
 * What the congestion modules have in common: ranges, slow start, growth
 * spread over a window, the events most of them answer alike. cwnd stays
 * between one segment and CWND_MAX, so no sum of two windows overflows 32
 * bits, nor the product of two 60.
 */
#pragma once

#include "net/tcp/congestion.h"

#include "net/bounds.h"
#include "net/limits.h"

enum {
    CWND_MAX = 1 << 30,
    BYTE_COUNTING_LIMIT = 2,   /* segments, RFC 3465 2.2 */
    FIRST_START_LIMIT = 64,    /* more than a GRO train of 64 KiB */
    SSTHRESH_MIN_SEGMENTS = 2, /* RFC 5681 (4) */
};

/* The first ACK of a round trip; once per round. */
static inline bool congestion_is_new_round(struct tcp_congestion *congestion,
                                           const struct tcp_ack_event *ack)
{
    if (seq_before(ack->una, congestion->round_end))
        return false;
    congestion->round_end = ack->nxt;
    return true;
}

/* Slow start with byte counting (RFC 3465), slowed down by `divisor`. */
static inline void congestion_slow_start(struct tcp_congestion *congestion,
                                         const struct tcp_ack_event *ack,
                                         uint32_t divisor)
{
    /* One ACK may stand for as many as the peer took up at once. */
    uint32_t limit = congestion->ssthresh == CWND_MAX ? FIRST_START_LIMIT
                                                      : BYTE_COUNTING_LIMIT;
    uint32_t bytes = smaller(ack->acked, limit * congestion->mss);

    congestion->cwnd = smaller(congestion->cwnd + bytes / divisor, CWND_MAX);
}

/* Congestion avoidance: `increment` bytes, CWND_MAX at most, for every window
 * of bytes acknowledged. */
void congestion_grow(struct tcp_congestion *congestion, uint32_t increment,
                     uint32_t acked);

/* After a signal: the threshold, not below two segments; one segment of
 * window after a timeout. */
void congestion_reduce(struct tcp_congestion *congestion, uint64_t threshold,
                       enum tcp_congestion_signal signal);
void congestion_recovered(struct tcp_congestion *congestion, uint32_t flight);
void congestion_idle(struct tcp_congestion *congestion);
