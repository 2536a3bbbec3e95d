/* SPDX-License-Identifier: MIT */
/*
 * What was lost: fast retransmit and fast recovery (RFC 5681 3.2) with
 * NewReno's partial acknowledgements (RFC 6582), limited transmit (RFC 3042),
 * and going back after a timeout. How large the windows are is the congestion
 * module's business.
 */
#include "net/limits.h"
#include "net/tcp/internal.h"

static uint32_t outstanding(const struct tcp_connection *c)
{
    return (uint32_t)seq_diff(c->snd.max, c->snd.una);
}

uint32_t recovery_limit(const struct tcp_connection *c)
{
    const struct tcp_congestion *congestion = &c->congestion;
    uint32_t extra = congestion->duplicates;

    if (congestion->is_recovering)
        return congestion->cwnd;
    if (extra > TCP_LIMITED_TRANSMIT)
        extra = TCP_LIMITED_TRANSMIT;
    return congestion->cwnd + extra * c->snd.mss;
}

void recovery_segment_sent(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;
    uint32_t flight = connection_flight(c);

    if (flight >= congestion->peak ||
        !seq_before(c->snd.una, congestion->peak_end)) {
        congestion->peak = flight;
        congestion->peak_end = c->snd.nxt;
    }
}

static void enter_recovery(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;

    tcp_counters.fast_retransmits++;
    congestion->module->on_signal(congestion, TCP_SIGNAL_LOSS, outstanding(c));
    congestion->is_recovering = true;
    congestion->had_partial = false;
    congestion->recover = c->snd.max;
    congestion->cwnd =
        congestion->ssthresh + TCP_DUPLICATE_ACKS * congestion->mss;
    connection_touch(c, OWES_REXMIT | OWES_OUTPUT);
}

void recovery_duplicate_ack(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;

    tcp_counters.duplicate_acks++;
    if (congestion->duplicates < UINT16_MAX)
        congestion->duplicates++;
    if (congestion->is_recovering) {
        /* A segment has left the network; but not more of them than there
         * were when the loss was seen, whatever the peer says (RFC 5681 5). */
        uint32_t lost_from =
            (uint32_t)seq_diff(congestion->recover, c->snd.una);
        if (congestion->cwnd < congestion->ssthresh + lost_from)
            congestion->cwnd += congestion->mss;
        connection_touch(c, OWES_OUTPUT);
    } else if (congestion->duplicates == TCP_DUPLICATE_ACKS &&
               seq_after(c->snd.una, congestion->recover)) {
        enter_recovery(c);
    } else if (congestion->duplicates <= TCP_LIMITED_TRANSMIT) {
        connection_touch(c, OWES_OUTPUT);
    }
}

static void partial_ack(struct tcp_connection *c, uint32_t acked)
{
    struct tcp_congestion *congestion = &c->congestion;
    uint32_t mss = congestion->mss;

    tcp_counters.partial_acks++;
    /* RFC 6582 3.2 step 3: deflate by what left, add back one segment. */
    congestion->cwnd =
        congestion->cwnd > acked + mss ? congestion->cwnd - acked : mss;
    if (acked >= mss)
        congestion->cwnd += mss;
    connection_touch(c, OWES_REXMIT | OWES_OUTPUT);
}

void recovery_new_ack(struct tcp_connection *c, uint32_t acked, uint64_t rtt_ns,
                      uint64_t now_ns)
{
    struct tcp_congestion *congestion = &c->congestion;

    congestion->duplicates = 0;
    if (congestion->is_recovering) {
        if (seq_before(c->snd.una, congestion->recover)) {
            uint64_t deadline = c->retransmit_at_ns;
            partial_ack(c, acked);
            timers_progress(c, now_ns);
            if (congestion->had_partial)
                c->retransmit_at_ns = deadline;
            congestion->had_partial = true;
            return;
        }
        congestion->is_recovering = false;
        congestion->module->on_recovered(congestion, outstanding(c));
    } else {
        const struct tcp_ack_event ack = {
            .now_ns = now_ns,
            .rtt_ns = rtt_ns,
            .acked = acked,
            .flight = congestion->peak,
            .smoothed_rtt_us = c->rtt.smoothed_us,
            .una = c->snd.una,
            .nxt = c->snd.max,
        };
        congestion->module->on_ack(congestion, &ack);
        /* Keeps the comparison with it meaningful for ever. */
        if (seq_diff(c->snd.una, congestion->recover) > 1 << 30)
            congestion->recover = seq_subtract(c->snd.una, 1);
    }
    timers_progress(c, now_ns);
}

void recovery_timeout(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;

    /* RFC 5681 3.1: ssthresh is not set again for the same segment. */
    if (c->retries <= 1)
        congestion->module->on_signal(congestion, TCP_SIGNAL_TIMEOUT,
                                      outstanding(c));
    congestion->cwnd = congestion->mss;
    congestion->is_recovering = false;
    congestion->duplicates = 0;
    congestion->recover = c->snd.max;
    c->rtt_timing = false;
    c->snd.nxt = c->snd.una;
}
