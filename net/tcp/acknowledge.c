/* SPDX-License-Identifier: MIT */
/*
 * The fifth check of RFC 9293 3.10.7.4: what the peer acknowledges and the
 * window it offers, with the limits of RFC 5961 5.
 */
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

/* A sample for RFC 6298, in microseconds, or 0. One segment at a time is timed
 * exactly; after a retransmission the timestamp echo still tells (RFC 7323 4).
 */
static uint32_t take_sample(struct tcp_connection *c,
                            const struct tcp_segment *segment, uint64_t now_ns)
{
    if (c->rtt_timing && !seq_before(segment->ack, c->rtt_seq)) {
        uint32_t us = (uint32_t)(now_ns / NS_PER_US) - c->rtt_at_us;
        c->rtt_timing = false;
        return rtt_sample_us(&c->rtt, us);
    }
    if (c->rtt_timing || !c->has_timestamps || !segment->options.has_timestamp)
        return 0;
    uint32_t ms =
        connection_timestamp(c, now_ns) - segment->options.timestamp_echo;
    /* From the future, or older than any segment lives: not ours. */
    if (ms > TCP_RTO_MAX_NS / NS_PER_MS)
        return 0;
    return rtt_sample(&c->rtt, ms * NS_PER_MS + NS_PER_MS / 2);
}

void acknowledge_notify(struct tcp_connection *c)
{
    if (!send_memory_is_short())
        c->owed &= (uint8_t)~OWES_MEMORY;
    if (!c->was_writable && (tcp_ready(c) & TCP_WRITABLE) != 0)
        connection_notify(c, TCP_WRITABLE);
}

/* RFC 5927 7.2: segments of this size do get through. */
static void note_size(struct tcp_connection *c, uint32_t acked)
{
    uint32_t size = smaller(acked, c->snd.mss);

    if (size > c->acked_size)
        c->acked_size = (uint16_t)size;
    c->mtu_pending = false;
}

/* snd.una moves on. */
static void advance(struct tcp_connection *c, const struct tcp_segment *segment,
                    uint64_t now_ns)
{
    uint32_t acked = (uint32_t)seq_diff(segment->ack, c->snd.una);
    bool is_tracking = connection_is_tracking(c);
    uint32_t rtt_us = is_tracking ? 0 : take_sample(c, segment, now_ns);

    send_queue_acknowledge(&c->send, segment->ack);
    c->holds_more = false;
    c->bytes_acknowledged += acked;
    c->snd.una = segment->ack;
    c->snd.nxt = seq_max(c->snd.nxt, c->snd.una);
    c->snd.small = seq_max(c->snd.small, c->snd.una);
    note_size(c, acked);
    if (c->seldom != NULL)
        mtu_acknowledged(c, now_ns);
    if (!is_tracking) {
        recovery_new_ack(c, acked, rtt_us, now_ns);
    } else if (!recovery_sack_ack(c, segment, acked, now_ns)) {
        (void)take_sample(c, segment, now_ns);
    }
    connection_touch_unsent(c);
    acknowledge_notify(c);
}

static void update_window(struct tcp_connection *c,
                          const struct tcp_segment *segment)
{
    uint32_t window = segment->window << c->snd.scale;

    /* RFC 9293 3.10.7.4: not by an old segment. */
    if (!seq_before(segment->seq, c->snd.wl1) &&
        (!seq_equal(segment->seq, c->snd.wl1) ||
         !seq_before(segment->ack, c->snd.wl2))) {
        if (window != c->snd.wnd)
            connection_touch_unsent(c);
        c->snd.wnd = window;
        c->snd.wl1 = segment->seq;
        c->snd.wl2 = segment->ack;
        if (window > c->snd.max_wnd)
            c->snd.max_wnd = window;
        if (autotune_is_low(c))
            acknowledge_notify(c);
    }
}

/* RFC 5681 2, all five conditions. */
static bool is_duplicate(const struct tcp_connection *c,
                         const struct tcp_segment *segment)
{
    return segment->length == 0 && (segment->flags & TCP_FIN) == 0 &&
           seq_equal(segment->ack, c->snd.una) &&
           !seq_equal(c->snd.una, c->snd.max) &&
           segment->window << c->snd.scale == c->snd.wnd && c->snd.wnd != 0;
}

/* Our FIN was acknowledged. False: the connection is gone. */
static bool fin_acknowledged(struct tcp_connection *c, uint64_t now_ns)
{
    enum tcp_state state = c->state;

    if (state == TCP_FIN_WAIT_1) {
        connection_set_state(c, TCP_FIN_WAIT_2);
        connection_notify(c, TCP_WRITABLE); /* who lingers is done */
        if (c->is_orphan)
            timers_orphan(c, now_ns);
    } else if (state == TCP_CLOSING) {
        time_wait_enter(c, now_ns);
        return false;
    } else if (state == TCP_LAST_ACK) {
        connection_finish(c, 0);
        return false;
    }
    return true;
}

bool acknowledge_all(struct tcp_connection *c, struct seq32 ack,
                     uint64_t now_ns)
{
    c->bytes_acknowledged += (uint32_t)seq_diff(ack, c->snd.una);
    send_queue_acknowledge(&c->send, send_queue_end(&c->send));
    c->snd.una = ack;
    c->snd.nxt = ack;
    c->holds_more = false;
    c->is_persisting = false;
    c->retransmit_at_ns = 0;
    c->owed &= (uint8_t)~OWES_MEMORY;
    if (c->recovery != NULL)
        recovery_stop_tracking(c);
    connection_touch_unsent(c);
    return fin_acknowledged(c, now_ns);
}

bool acknowledge(struct tcp_connection *c, const struct tcp_segment *segment,
                 uint64_t now_ns)
{
    int32_t ahead = seq_diff(segment->ack, c->snd.una);

    if (seq_after(segment->ack, c->snd.max) ||
        (ahead < 0 && (uint32_t)-ahead > c->snd.max_wnd)) {
        connection_challenge(c, now_ns);
        return false;
    }
    if (ahead < 0)
        return true; /* old: nothing to learn, but its text may be new */
    if (ahead > 0 && c->fin_queued &&
        seq_after(segment->ack, send_queue_end(&c->send)))
        return acknowledge_all(c, segment->ack, now_ns);
    ecn_acknowledged(c, segment);
    if (ahead > 0) {
        advance(c, segment, now_ns);
        update_window(c, segment);
    } else if (connection_is_tracking(c) && segment->options.sack_count != 0) {
        tcp_counters.duplicate_acks += is_duplicate(c, segment);
        update_window(c, segment);
        (void)recovery_sack_ack(c, segment, 0, now_ns);
    } else if (!connection_is_tracking(c) && is_duplicate(c, segment)) {
        recovery_duplicate_ack(c);
    } else {
        update_window(c, segment);
    }
    c->ecn_heard = false;
    return true;
}
