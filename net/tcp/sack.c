/* SPDX-License-Identifier: MIT */
/*
 * An ACK from a peer that SACKs (RFC 6675 5, with RACK's idea of what is
 * lost): episodes of recovery, paced by PRR (RFC 9937); after a timeout F-RTO
 * (RFC 5682 3); and undoing a reduction that was in vain, told by timestamps
 * (RFC 3522) or DSACK (RFC 3708). RFC 6675's rescue retransmission is left
 * out: the tail loss probe does its work.
 */
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

/* RFC 5681's FlightSize, SACKed bytes included; new data sent in their place
 * does not count twice. */
static uint32_t flight_size(const struct tcp_connection *c)
{
    uint32_t flight = connection_flight(c);

    return smaller(flight, c->congestion.cwnd);
}

/* --- episodes ------------------------------------------------------------- */

/* Before the window is reduced. Within an episode the first values count. */
static void note_prior(struct tcp_connection *c)
{
    struct tcp_recovery *r = c->recovery;

    if (c->congestion.is_recovering || r->is_timeout)
        return;
    r->prior_cwnd = c->congestion.cwnd;
    r->prior_ssthresh = c->congestion.ssthresh;
    r->undo_una = c->snd.una;
    r->unproven = 0;
    r->has_again = false;
}

/* Full segments the congestion window lets go that have not gone yet: ACKs that
 * come together are answered together. Whoever answers one by one has sent it
 * when the last of them tells of a loss. */
static uint32_t room_unused(const struct tcp_connection *c, uint32_t acked)
{
    int32_t waiting = seq_diff(send_queue_end(&c->send), c->snd.nxt);
    int32_t open = (int32_t)(c->snd.wnd - connection_flight(c) - acked);
    uint32_t room = recovery_room(c);

    waiting = waiting < open ? waiting : open;
    if (waiting <= 0)
        return 0;
    room = smaller(room, (uint32_t)waiting);
    return room - room % c->snd.mss;
}

static void enter(struct tcp_connection *c, const struct tcp_delivery *d,
                  uint32_t unused)
{
    struct tcp_congestion *congestion = &c->congestion;
    struct tcp_recovery *r = c->recovery;
    uint32_t flight = connection_flight(c);

    tcp_counters.fast_retransmits++;
    note_prior(c);
    recovery_reduce(c, TCP_SIGNAL_LOSS, flight_size(c));
    congestion->is_recovering = true;
    congestion->recover = seq_add(c->snd.max, unused);
    r->delivered = 0;
    r->sent = 0;
    r->sent_before = unused;
    /* RFC 9937 5.1: what was SACKed before does not count, what this ACK
     * brought does. */
    r->flight_at_start = flight - r->board.sacked + d->bytes + unused;
    r->flight_at_start = larger(r->flight_at_start, c->snd.mss);
    r->has_probe = false;
}

static void leave(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;

    if (congestion->is_recovering)
        congestion_chosen(congestion)
            ->on_recovered(congestion, congestion->ssthresh);
    congestion->is_recovering = false;
    c->recovery->is_timeout = false;
    c->recovery->frto = FRTO_OFF;
    rack_recovered(c->recovery);
}

static void undo(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;
    struct tcp_recovery *r = c->recovery;

    tcp_counters.undone_reductions++;
    congestion->cwnd = larger(congestion->cwnd, r->prior_cwnd);
    congestion->ssthresh = larger(congestion->ssthresh, r->prior_ssthresh);
    congestion_chosen(congestion)
        ->on_signal(congestion, TCP_SIGNAL_UNDO, flight_size(c));
    congestion->is_recovering = false;
    r->is_timeout = false;
    r->frto = FRTO_OFF;
    r->prior_cwnd = 0;
    r->is_reordering = true; /* what seemed lost was late */
    scoreboard_unlose(&r->board);
}

/* RFC 9937 5.2. What might have gone before the loss was seen goes still, and
 * counts as in flight; what ACKs of the same time let go adds up. */
static void pace(struct tcp_connection *c, const struct tcp_delivery *d,
                 uint32_t unused, bool is_safe)
{
    struct tcp_congestion *congestion = &c->congestion;
    struct tcp_recovery *r = c->recovery;
    uint32_t before = r->sent_before > r->sent ? r->sent_before - r->sent : 0;
    uint32_t sent = r->sent > r->sent_before ? r->sent - r->sent_before : 0;
    uint32_t flight = r->board.in_flight + before;
    uint32_t ssthresh = congestion->ssthresh;
    uint64_t count;

    if (d->bytes == 0)
        return;
    r->delivered += d->bytes;
    if (!tcp_settings.prr) {
        /* RFC 6675 5 (4.2), and (4.3): the first hole does not wait. */
        congestion->cwnd = r->sent == 0
                               ? larger(ssthresh, flight + congestion->mss)
                               : ssthresh;
        return;
    }
    if (flight > ssthresh) {
        uint64_t due =
            ((uint64_t)r->delivered * ssthresh + (r->flight_at_start - 1)) /
            r->flight_at_start;
        count = due > sent ? due - sent : 0;
    } else {
        uint32_t behind = r->delivered > sent ? r->delivered - sent : 0;
        uint32_t left = unused > before ? unused - before : 0;
        count = (uint64_t)larger(behind, left + d->bytes) +
                (is_safe ? congestion->mss : 0);
        if (count > ssthresh - flight)
            count = ssthresh - flight;
    }
    if (r->sent == 0 && count < congestion->mss)
        count = congestion->mss; /* the fast retransmit */
    congestion->cwnd = larger(flight + (uint32_t)count, congestion->mss);
}

/* --- was it in vain? ------------------------------------------------------ */

/* RFC 3522: this ACK passes over what was sent again, but answers something
 * sent before that. */
static bool is_answer_to_original(const struct tcp_connection *c,
                                  const struct tcp_segment *segment,
                                  const struct tcp_delivery *d)
{
    const struct tcp_recovery *r = c->recovery;

    return d->acked_again && r->has_again && c->has_timestamps &&
           tcp_settings.undo && segment->options.has_timestamp &&
           (int32_t)(segment->options.timestamp_echo - r->again_at_ms) < 0;
}

/* RFC 5682 3.1. True: the timeout was spurious. */
static bool advance_frto(struct tcp_connection *c, const struct tcp_delivery *d,
                         bool is_advance)
{
    struct tcp_recovery *r = c->recovery;

    if (r->frto == FRTO_OFF)
        return false;
    if (d->has_original && !seq_after(d->lowest, c->congestion.recover) &&
        !seq_equal(d->lowest, c->congestion.recover))
        return true; /* something sent once, before the timeout, arrived */
    if (r->frto == FRTO_NEW) {
        if (d->sacked != 0)
            r->frto = FRTO_OFF; /* 3a */
    } else if (is_advance) {
        bool has_new = seq_before(c->snd.nxt, send_queue_end(&c->send)) &&
                       (uint32_t)seq_diff(c->snd.nxt, c->snd.una) < c->snd.wnd;
        r->frto = has_new ? FRTO_NEW : FRTO_OFF; /* 2b */
    }
    return false;
}

/* RFC 2883 4: the first block tells of a duplicate when it lies below the
 * ACK, or within the second. */
static bool find_dsack(const struct tcp_connection *c,
                       const struct tcp_segment *segment)
{
    const struct tcp_sack_block *block = segment->options.sack;

    if (segment->options.sack_count == 0 || !tcp_settings.dsack ||
        !seq_before(block[0].left, block[0].right) ||
        seq_diff(c->snd.una, block[0].left) > (int32_t)c->snd.max_wnd)
        return false;
    if (!seq_after(block[0].right, segment->ack))
        return true;
    return segment->options.sack_count > 1 &&
           seq_before(block[1].left, block[1].right) &&
           !seq_before(block[0].left, block[1].left) &&
           !seq_after(block[0].right, block[1].right);
}

/* Every retransmission of the episode is proven to have been needless? */
static bool is_all_in_vain(struct tcp_connection *c,
                           const struct tcp_segment *segment)
{
    struct tcp_recovery *r = c->recovery;
    const struct tcp_sack_block *block = segment->options.sack;
    uint32_t length = (uint32_t)seq_diff(block->right, block->left);

    tcp_counters.dsacks_received++;
    r->dsacks++;
    if (r->prior_cwnd == 0 || r->unproven == 0 ||
        seq_before(block->left, r->undo_una))
        return false;
    r->unproven -= smaller(length, r->unproven);
    return r->unproven == 0 && tcp_settings.undo;
}

/* --- the ACK -------------------------------------------------------------- */

static void take_blocks(struct tcp_connection *c,
                        const struct tcp_segment *segment, bool is_dsack,
                        struct tcp_delivery *d)
{
    for (uint8_t i = is_dsack ? 1 : 0; i < segment->options.sack_count; i++) {
        const struct tcp_sack_block *block = &segment->options.sack[i];
        /* RFC 2018; 6675 5: nothing but what is in flight. */
        if (!seq_before(block->left, block->right) ||
            seq_before(block->left, c->snd.una) ||
            seq_after(block->right, c->snd.max))
            continue;
        scoreboard_sack(&c->recovery->board, block->left, block->right, d);
    }
}

/* Lost is what was found lost since the last look. */
void recovery_losses(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;
    const struct tcp_delivery none = {.bytes = 0};

    if (r->board.lost == 0 || c->congestion.is_recovering || r->is_timeout)
        return;
    enter(c, &none, 0);
    pace(c, &(struct tcp_delivery){.bytes = c->snd.mss}, 0, false);
    timers_restart(c, now_ns);
    connection_touch(c, OWES_OUTPUT);
}

/* What was left to this turn. What is found now was in flight when the window
 * was set, which reckons from there. */
void recovery_more_losses(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_congestion *congestion = &c->congestion;
    uint32_t lost = c->recovery->board.lost;

    rack_detect(c, now_ns);
    lost = c->recovery->board.lost - lost;
    if (congestion->is_recovering && lost != 0)
        congestion->cwnd = congestion->cwnd > lost + congestion->mss
                               ? congestion->cwnd - lost
                               : congestion->mss;
    recovery_losses(c, now_ns);
    probe_schedule(c, now_ns);
}

static void grow(struct tcp_connection *c, const struct tcp_delivery *d,
                 uint64_t now_ns)
{
    if (d->bytes != 0)
        recovery_grow(c, d->bytes, d->rtt_us, now_ns);
}

static void react(struct tcp_connection *c, const struct tcp_segment *segment,
                  const struct tcp_delivery *d, uint32_t acked, uint32_t unused,
                  uint64_t now_ns)
{
    struct tcp_congestion *congestion = &c->congestion;
    struct tcp_recovery *r = c->recovery;
    uint32_t lost_before = r->board.lost;
    bool was_open = !congestion->is_recovering && !r->is_timeout;

    if (!was_open && is_answer_to_original(c, segment, d))
        undo(c);
    else if (r->is_timeout && advance_frto(c, d, acked != 0))
        undo(c);
    if ((congestion->is_recovering || r->is_timeout) &&
        !seq_before(c->snd.una, congestion->recover))
        leave(c);
    uint32_t lost = r->board.lost;
    rack_detect(c, now_ns);
    bool found = r->board.lost > lost || r->owes_losses;
    if (congestion->is_recovering) {
        pace(c, d, unused,
             acked != 0 && !found && r->board.lost <= lost_before);
    } else if (r->board.lost != 0 && !r->is_timeout) {
        enter(c, d, unused);
        pace(c, d, 0, false);
    } else if (!r->owes_losses && (acked != 0 || r->is_reordering)) {
        grow(c, d, now_ns);
    }
}

void recovery_forget_old(struct tcp_connection *c)
{
    struct tcp_recovery *r = c->recovery;

    if (seq_diff(c->snd.una, r->undo_una) > 1 << 30)
        r->prior_cwnd = 0;
    if (seq_diff(c->snd.una, c->congestion.recover) > 1 << 30)
        c->congestion.recover = seq_subtract(c->snd.una, 1);
    if (seq_diff(c->snd.una, r->dsack_round) > 1 << 30)
        r->dsack_round = c->snd.una;
}

static uint32_t take_sample(struct tcp_connection *c,
                            const struct tcp_delivery *d, uint64_t now_ns)
{
    if (!d->has_original)
        return 0;
    uint32_t us = (uint32_t)(now_ns / NS_PER_US) - d->original_us;
    c->rtt_timing = false;
    return rtt_sample_us(&c->rtt, us);
}

bool recovery_sack_ack(struct tcp_connection *c,
                       const struct tcp_segment *segment, uint32_t acked,
                       uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;
    struct tcp_delivery d = {.bytes = 0};
    bool is_dsack = find_dsack(c, segment);
    uint32_t unused = room_unused(c, acked);

    if (acked != 0)
        scoreboard_acknowledge(&r->board, c->snd.una, &d);
    take_blocks(c, segment, is_dsack, &d);
    d.rtt_us = take_sample(c, &d, now_ns);
    if (is_dsack) {
        rack_was_in_vain(c);
        if (is_all_in_vain(c, segment))
            undo(c);
    }
    if (d.bytes != 0)
        rack_delivered(c, segment, &d, now_ns);
    bool is_mended = probe_acknowledged(c, segment, is_dsack);
    react(c, segment, &d, acked, unused, now_ns);
    if (is_mended && !c->congestion.is_recovering) {
        recovery_reduce(c, TCP_SIGNAL_LOSS, flight_size(c) + acked);
        c->congestion.cwnd = c->congestion.ssthresh;
    }
    if (acked != 0) {
        timers_progress(c, now_ns);
        recovery_forget_old(c);
    }
    probe_schedule(c, now_ns);
    if (!seq_equal(c->snd.una, c->snd.max))
        connection_touch(c, OWES_OUTPUT);
    return d.rtt_us != 0;
}

/* The retransmission timer: everything is lost, until F-RTO knows better. */
void recovery_sack_timeout(struct tcp_connection *c)
{
    struct tcp_congestion *congestion = &c->congestion;
    struct tcp_recovery *r = c->recovery;
    bool is_first = !r->is_timeout && c->retries <= 1;

    r->has_probe = false;
    r->owes_probe = false;
    r->deadline_ns = 0;
    note_prior(c);
    if (is_first)
        recovery_reduce(c, TCP_SIGNAL_TIMEOUT, flight_size(c));
    r->frto = tcp_settings.frto && is_first && !congestion->is_recovering
                  ? FRTO_FIRST
                  : FRTO_OFF;
    r->is_timeout = true;
    /* RFC 2018 8: it may have reneged; surely when its left edge is SACKed,
     * and to be safe when nothing helps. A shut window goes back as well. */
    if (c->retries > 1 || c->snd.wnd == 0 || scoreboard_is_reneged(&r->board)) {
        scoreboard_clear(&r->board);
        c->snd.nxt = c->snd.una;
    } else {
        scoreboard_lose_all(&r->board);
    }
}
