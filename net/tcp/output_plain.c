/* SPDX-License-Identifier: MIT */
/*
 * What a connection owes in its ordinary state: new text and acknowledgements,
 * with nothing lost, nothing to be sent again, no probe or urgent pointer on
 * its way, and no FIN but one that goes alone. All that output.c would look at
 * first is known not to be there; this does what is left of
 * connection_output(), and leaves whatever differs to it.
 * net.tcp_plain_output=0 leaves everything to it, and the judge compares.
 */
#include "net/attributes.h"
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

/* All but the FIN was sent, and it may follow. */
static COLD NOINLINE bool may_finish(const struct tcp_connection *c)
{
    return (c->state == TCP_FIN_WAIT_1 || c->state == TCP_LAST_ACK) &&
           !c->read_shut && !c->is_urgent && !c->holds_more && c->spent == 0 &&
           seq_equal(c->snd.nxt, send_queue_end(&c->send)) &&
           connection_flight(c) < c->snd.wnd;
}

/* Nothing but text and acknowledgements can be owed, or nothing but a FIN. */
static bool is_plain(const struct tcp_connection *c)
{
    const struct tcp_recovery *r = c->recovery;

    return (c->unusual == 0
                ? c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT
                : may_finish(c)) &&
           (c->owed & ~(OWES_ACK | OWES_OUTPUT)) == 0 && !c->has_ecn &&
           seq_equal(c->snd.nxt, c->snd.max) &&
           connection_flight(c) <= c->snd.wnd && c->seldom == NULL &&
           !send_queue_is_behind(&c->send) && c->more_acks == 0 &&
           (r == NULL || (r->board.lost == 0 && r->unusual == 0)) &&
           c->hop.generation == ip_route_generation();
}

/* Text may be sent, and needs nothing that is rare. */
static bool may_send_text(struct tcp_connection *c, uint64_t now_ns)
{
    const struct tcp_recovery *r = c->recovery;

    if (r == NULL && connection_flight(c) == 0)
        r = recovery_begin(c);
    return r != NULL && (r->is_probe_timer || r->deadline_ns == 0) &&
           !c->congestion.is_recovering && !connection_was_idle(c, now_ns);
}

/* What recovery_segment_sent() does for text that leaves for the first time,
 * and timers_segment_sent(). */
static void note_sent(struct tcp_connection *c, struct seq32 seq,
                      uint32_t length, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;
    bool had_timer = c->retransmit_at_ns != 0 && !c->is_persisting;

    if (scoreboard_append(&r->board, seq, length,
                          (uint32_t)(now_ns / NS_PER_US), false))
        r->sent += length;
    else
        recovery_stop_tracking(c);

    congestion_note_flight(&c->congestion, r->board.in_flight, c->snd.una,
                           c->snd.nxt);
    connection_time_segment(c, seq, length, now_ns);
    connection_text_sent(c, now_ns);
    timers_segment_sent(c, now_ns);
    timers_arm(c, c->retransmit_at_ns);
    /* The probe's time depends on the retransmission timer: the segment that
     * sets it has a probe only when it is not alone. */
    if (had_timer || length > c->snd.mss) {
        probe_schedule(c, now_ns);
        if (r->deadline_ns != 0)
            timers_arm(c, r->deadline_ns);
    }
}

/* output_plan_next(), when all that is left fits one segment, or when a window
 * has no room for one. */
static inline bool plan_next(const struct tcp_connection *c,
                             struct output_plan *plan)
{
    uint32_t waiting = (uint32_t)seq_diff(send_queue_end(&c->send), c->snd.nxt);
    uint32_t room = c->snd.wnd - connection_flight(c);
    int32_t open = (int32_t)(c->congestion.cwnd - c->recovery->board.in_flight);

    if (open < (int32_t)room) /* both are below 2^31 */
        room = open > 0 ? (uint32_t)open : 0;
    if (waiting > room && room < c->snd.mss && room < c->snd.max_wnd / 2)
        return false;
    if (waiting > c->snd.mss || waiting > room)
        return output_plan_next(c, plan);
    plan->length = waiting;
    plan->flags = c->is_more ? TCP_ACK : TCP_ACK | TCP_PSH;
    return waiting == c->snd.mss || output_may_be_small(c, waiting, true);
}

/* New text, as much of it as may leave now. False: look at everything. */
static bool send_text(struct tcp_connection *c, uint64_t now_ns)
{
    struct output_plan plan;
    uint32_t sent = 0;

    while (plan_next(c, &plan)) {
        struct seq32 seq = c->snd.nxt;
        uint32_t length = plan.length;

        if (output_must_pause(c, sent))
            return true;
        if (c->send.length > TCP_SEARCH_BYTES &&
            !send_queue_approach(&c->send, seq))
            return false;
        sent += larger(length, TCP_RUN_PACKET);
        if (!transmit_segment(c, seq, &length, plan.flags, now_ns))
            return false;
        c->snd.nxt = seq_add(seq, length);
        c->snd.max = c->snd.nxt;
        if (length < c->snd.mss || length % c->snd.mss != 0)
            c->snd.small = c->snd.nxt;
        note_sent(c, seq, length, now_ns);
        if (seq_equal(c->snd.nxt, send_queue_end(&c->send)))
            return true;
    }
    return connection_flight(c) != 0; /* else the persist timer is due */
}

bool output_plain(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t none = 0;

    if (!tcp_settings.plain_output || !is_plain(c))
        return false;
    c->owed &= (uint8_t)~OWES_OUTPUT;
    if (!seq_equal(c->snd.nxt, send_queue_end(&c->send)) &&
        (!may_send_text(c, now_ns) || !send_text(c, now_ns)))
        return false;
    if (c->unusual != 0)
        return output_fin(c, now_ns);
    return (c->owed & OWES_ACK) == 0 ||
           transmit_segment(c, c->snd.max, &none, TCP_ACK, now_ns);
}
