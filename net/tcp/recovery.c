/* SPDX-License-Identifier: MIT */
/*
 * What was lost: fast retransmit and fast recovery (RFC 5681 3.2) with
 * NewReno's partial acknowledgements (RFC 6582), limited transmit (RFC 3042),
 * and going back after a timeout. How large the windows are is the congestion
 * module's business.
 */
#include "net/attributes.h"
#include "net/limits.h"
#include "net/pool.h"
#include "net/tcp/internal.h"

static struct pool pool;

int recoveries_init(size_t count)
{
    return pool_init(&pool, count, sizeof(struct tcp_recovery),
                     _Alignof(struct tcp_recovery));
}

struct tcp_recovery *recovery_begin(struct tcp_connection *c)
{
    struct tcp_recovery *r = c->has_sack ? pool_take(&pool) : NULL;

    if (r != NULL)
        *r = (struct tcp_recovery){
            .window_steps = 1,
            .dsack_round = c->snd.una,
        };
    c->recovery = r;
    return r;
}

void recovery_release(struct tcp_connection *c)
{
    if (c->recovery == NULL)
        return;
    scoreboard_clear(&c->recovery->board);
    pool_give(&pool, c->recovery);
    c->recovery = NULL;
}

static uint32_t outstanding(const struct tcp_connection *c)
{
    return (uint32_t)seq_diff(c->snd.max, c->snd.una);
}

/* The bytes the network holds, as far as we know (RFC 6675's pipe). */
static uint32_t in_network(const struct tcp_connection *c)
{
    return connection_is_tracking(c) ? c->recovery->board.in_flight
                                     : connection_flight(c);
}

uint32_t recovery_room(const struct tcp_connection *c)
{
    const struct tcp_congestion *congestion = &c->congestion;
    uint32_t limit = congestion->cwnd;
    uint32_t flight = in_network(c);

    /* RFC 3042. With SACK the pipe has shrunk instead. */
    if (tcp_settings.limited_transmit && !congestion->is_recovering &&
        !connection_is_tracking(c)) {
        uint32_t extra = congestion->duplicates;
        if (extra > TCP_LIMITED_TRANSMIT)
            extra = TCP_LIMITED_TRANSMIT;
        limit += extra * c->snd.mss;
    }
    return limit > flight ? limit - flight : 0;
}

bool recovery_next(struct tcp_connection *c, struct tcp_piece *piece)
{
    if (!connection_is_tracking(c) || c->recovery->frto == FRTO_NEW ||
        !scoreboard_next_lost(&c->recovery->board, piece))
        return false;
    if (piece->length > c->snd.mss)
        piece->length = c->snd.mss;
    /* Not beyond a window that shrank, but always at its left edge. */
    if (!seq_equal(piece->start, c->snd.una) &&
        (uint32_t)seq_diff(piece->start, c->snd.una) + piece->length >
            c->snd.wnd)
        return false;
    return piece->length <= recovery_room(c);
}

/* So much of what was sent before left again: what DSACK may tell of, and
 * timestamps. What a window probe had of it was refused. */
static COLD NOINLINE void note_again(struct tcp_connection *c, uint32_t length,
                                     uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;

    r->sent += length;
    r->unproven += length;
    r->bytes_again += c->is_persisting ? 0 : length;
    if (!r->has_again) {
        r->has_again = true;
        r->again_at_ms = connection_timestamp(c, now_ns);
    }
}

void recovery_sent_again(struct tcp_connection *c, struct seq32 seq,
                         uint32_t length, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;

    if (!connection_is_tracking(c))
        return;
    scoreboard_sent_again(&r->board, seq, length,
                          (uint32_t)(now_ns / NS_PER_US));
    note_again(c, length, now_ns);
    if (seq_equal(seq, c->snd.una))
        timers_restart(c, now_ns);
}

void recovery_stop_tracking(struct tcp_connection *c)
{
    struct tcp_recovery *r = c->recovery;

    scoreboard_clear(&r->board);
    r->is_off = true;
    r->is_timeout = false;
    r->deadline_ns = 0;
}

static void track(struct tcp_connection *c, struct seq32 seq, uint32_t length,
                  bool is_again, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;
    bool was_empty = seq_equal(seq, c->snd.una);

    if (r == NULL && was_empty)
        r = recovery_begin(c);
    if (r == NULL)
        return;
    if (was_empty && r->is_off)
        r->is_off = false;
    if (r->is_off)
        return;
    if (!scoreboard_append(&r->board, seq, length,
                           (uint32_t)(now_ns / NS_PER_US), is_again)) {
        recovery_stop_tracking(c);
        return;
    }
    if (is_again) {
        note_again(c, length, now_ns);
        return;
    }
    r->sent += length;
    probe_schedule(c, now_ns);
}

void recovery_segment_sent(struct tcp_connection *c, struct seq32 seq,
                           uint32_t length, bool is_again, uint64_t now_ns)
{
    track(c, seq, length, is_again, now_ns);
    congestion_note_flight(&c->congestion, in_network(c), c->snd.una,
                           c->snd.nxt);
}

void recovery_reduce(struct tcp_connection *c,
                     enum tcp_congestion_signal signal, uint32_t flight)
{
    congestion_chosen(&c->congestion)
        ->on_signal(&c->congestion, signal, flight);
    c->ecn_cwr_owed = c->has_ecn;
}

static void enter_recovery(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;

    tcp_counters.fast_retransmits++;
    recovery_reduce(c, TCP_SIGNAL_LOSS, outstanding(c));
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

void recovery_grow(struct tcp_connection *c, uint32_t acked, uint32_t rtt_us,
                   uint64_t now_ns)
{
    const struct tcp_ack_event ack = {
        .now_ns = now_ns,
        .rtt_us = rtt_us,
        .acked = acked,
        .is_unused = congestion_is_unused(&c->congestion),
        .smoothed_rtt_us = c->rtt.smoothed_us,
        .una = c->snd.una,
        .nxt = c->snd.max,
    };

    if (!c->ecn_heard) /* RFC 3168 6.1.2: no growth on ECE */
        congestion_chosen(&c->congestion)->on_ack(&c->congestion, &ack);
}

void recovery_new_ack(struct tcp_connection *c, uint32_t acked, uint32_t rtt_us,
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
        congestion_chosen(congestion)->on_recovered(congestion, outstanding(c));
    } else {
        recovery_grow(c, acked, rtt_us, now_ns);
        /* Keeps the comparison with it meaningful for ever. */
        if (seq_diff(c->snd.una, congestion->recover) > 1 << 30)
            congestion->recover = seq_subtract(c->snd.una, 1);
    }
    timers_progress(c, now_ns);
}

void recovery_timeout(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;

    if (connection_is_tracking(c)) {
        recovery_sack_timeout(c);
    } else {
        /* RFC 5681 3.1: ssthresh is not set again for the same segment. */
        if (c->retries <= 1)
            recovery_reduce(c, TCP_SIGNAL_TIMEOUT, outstanding(c));
        c->snd.nxt = c->snd.una;
    }
    congestion->cwnd = congestion->mss;
    congestion->is_recovering = false;
    congestion->duplicates = 0;
    congestion->recover = c->snd.max;
    c->rtt_timing = false;
}
