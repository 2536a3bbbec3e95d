/* SPDX-License-Identifier: MIT */
/*
 * RACK-TLP (RFC 8985): what is lost, told by time; the reordering window, and
 * how it grows when a peer reports that something was sent again in vain; the
 * probe for a lost tail. With RACK switched off, RFC 6675's IsLost.
 */
#include "net/attributes.h"
#include "net/limits.h"
#include "net/tcp/internal.h"
#include "net/tcp/turn.h"

enum {
    WINDOW_STEPS_MAX = UINT8_MAX,
    WINDOW_PERSIST = 16, /* RFC 8985 6.2 step 4 */
};

/* Step 2, with its guard against an ACK of the original: when the newest
 * delivered segment had been sent twice, an RTT below the least one, or an
 * older timestamp, tells that it was not the second that arrived. */
static void update_newest(struct tcp_connection *c,
                          const struct tcp_segment *segment,
                          const struct tcp_delivery *d, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;
    uint32_t rtt_us = (uint32_t)(now_ns / NS_PER_US) - d->sent_us;

    if (d->is_again) {
        uint32_t sent_ms = connection_timestamp(c, now_ns) - rtt_us / 1000;
        if (c->has_timestamps && segment->options.has_timestamp &&
            (int32_t)(segment->options.timestamp_echo - sent_ms + 1) < 0 &&
            !seq_before(segment->ack, d->end))
            return;
        if (rtt_us < r->rtt_min_us)
            return;
    }
    r->rack_rtt_us = rtt_us;
    if (!r->has_rack || (int32_t)(d->sent_us - r->rack_sent_us) > 0 ||
        (d->sent_us == r->rack_sent_us && seq_after(d->end, r->rack_end))) {
        r->has_rack = true;
        r->rack_sent_us = d->sent_us;
        r->rack_end = d->end;
    }
}

COLD void rack_note_reordering(struct tcp_recovery *r, struct seq32 lowest,
                               struct seq32 highest)
{
    uint32_t overtaken = (uint32_t)seq_diff(r->highest, lowest);

    if (overtaken > r->reordered_most)
        r->reordered_most = overtaken;
    r->reorderings++;
    r->is_reordering = true;
    r->highest = seq_max(r->highest, highest);
}

void rack_delivered(struct tcp_connection *c, const struct tcp_segment *segment,
                    const struct tcp_delivery *d, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;

    if (d->has_original) {
        rack_note_rtt(r, (uint32_t)(now_ns / NS_PER_US) - d->original_us,
                      now_ns);
        /* Step 3: it overtook nothing, but was overtaken. */
        if (!r->has_highest)
            r->highest = d->highest;
        else if (seq_before(d->lowest, r->highest))
            rack_note_reordering(r, d->lowest, d->highest);
        else
            r->highest = seq_max(r->highest, d->highest);
        r->has_highest = true;
    }
    update_newest(c, segment, d, now_ns);
}

/* Step 4: once a round trip at most. */
COLD void rack_was_in_vain(struct tcp_connection *c)
{
    struct tcp_recovery *r = c->recovery;

    r->is_reordering = true;
    if (seq_before(c->snd.una, r->dsack_round))
        return;
    r->dsack_round = c->snd.nxt;
    r->window_persist = WINDOW_PERSIST;
    if (tcp_settings.adapt_reordering && r->window_steps < WINDOW_STEPS_MAX)
        r->window_steps++;
}

void rack_recovered(struct tcp_recovery *r)
{
    if (r->window_persist > 0 && --r->window_persist == 0)
        r->window_steps = 1;
}

static uint32_t reordering_window_us(const struct tcp_connection *c)
{
    const struct tcp_recovery *r = c->recovery;
    uint64_t window = (uint64_t)r->rtt_min_us / 4 * r->window_steps;

    if (!r->is_reordering &&
        (c->congestion.is_recovering || r->is_timeout ||
         r->board.sacked >= (uint32_t)TCP_DUPLICATE_ACKS * c->snd.mss))
        return 0;
    return (uint32_t)(window < c->rtt.smoothed_us ? window
                                                  : c->rtt.smoothed_us);
}

/* Marks what is lost. */
void rack_detect(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;

    r->owes_losses = false;
    if (!tcp_settings.recovery) {
        scoreboard_lose_below(&r->board, 2U * c->snd.mss);
        r->owes_losses = turn_is_over();
        return;
    }
    if (!r->is_probe_timer)
        r->deadline_ns = 0;
    if (!r->has_rack)
        return;
    uint32_t wait_us = r->rack_rtt_us + reordering_window_us(c);
    uint32_t left_us =
        scoreboard_expire(&r->board, r->rack_sent_us, r->rack_end, wait_us,
                          (uint32_t)(now_ns / NS_PER_US));
    if (left_us != 0) {
        r->deadline_ns = now_ns + (left_us + 1) * NS_PER_US;
        r->is_probe_timer = false;
    } else {
        r->owes_losses = turn_is_over();
    }
}

/* --- TLP ------------------------------------------------------------------ */

/* 7.2: after new data was sent, or something was acknowledged. */
void probe_schedule(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;

    if (r->deadline_ns != 0 && !r->is_probe_timer)
        return; /* the reordering timer goes first */
    r->deadline_ns = 0;
    r->is_probe_timer = true;
    if (!tcp_settings.early_retransmit || c->congestion.is_recovering ||
        r->is_timeout || r->has_probe || r->board.sacked != 0 ||
        r->board.in_flight == 0 || c->is_persisting || c->retransmit_at_ns == 0)
        return;
    uint64_t timeout_ns =
        2 * c->rtt.smoothed_us * NS_PER_US + TCP_PROBE_SLACK_NS;
    if (c->rtt.smoothed_us == 0)
        timeout_ns = TCP_RTO_INITIAL_NS;
    else if (r->board.in_flight <= c->snd.mss)
        timeout_ns += TCP_PROBE_ACK_DELAY_NS;
    r->deadline_ns = now_ns + timeout_ns;
    if (r->deadline_ns > c->retransmit_at_ns)
        r->deadline_ns = c->retransmit_at_ns;
}

/* 7.3, done by output: new data if there is any, else the last segment. */
COLD void probe_sent(struct tcp_connection *c, bool is_again)
{
    struct tcp_recovery *r = c->recovery;

    tcp_counters.loss_probes++;
    r->owes_probe = false;
    r->has_probe = true;
    r->probe_was_again = is_again;
    r->probe_end = c->snd.nxt;
}

/* 7.4. True: the probe mended a loss, which counts as congestion. */
COLD bool probe_acknowledged(struct tcp_connection *c,
                             const struct tcp_segment *segment, bool is_dsack)
{
    struct tcp_recovery *r = c->recovery;

    if (!r->has_probe || seq_before(segment->ack, r->probe_end))
        return false;
    /* Exactly up to there it may still have been the original; then a DSACK
     * follows. */
    if (!is_dsack && r->probe_was_again &&
        seq_equal(segment->ack, r->probe_end))
        return false;
    r->has_probe = false;
    if (is_dsack || !r->probe_was_again)
        return false;
    tcp_counters.loss_probe_recoveries++;
    return true;
}

COLD void recovery_timer_expired(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;

    r->deadline_ns = 0;
    if (r->is_probe_timer) {
        r->owes_probe = r->board.in_flight != 0;
        if (r->owes_probe)
            timers_restart(c, now_ns);
    } else {
        rack_detect(c, now_ns);
        recovery_losses(c, now_ns);
    }
    connection_touch(c, OWES_OUTPUT);
}
