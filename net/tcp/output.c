/* SPDX-License-Identifier: MIT */
/*
 * What is sent, and when: the one place that decides it. Everything else only
 * notes what is owed. Nagle as Minshall amended it, sender's silly window
 * avoidance (RFC 9293 3.8.6.2.1), window probes (3.8.6.1). "When next" is the
 * mirror of this file: timers.c.
 */
#include "net/attributes.h"
#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/internal.h"

/* Bytes not sent, or to be sent again after a timeout; -1 when the FIN was
 * sent too. */
static int32_t unsent(const struct tcp_connection *c)
{
    return seq_diff(send_queue_end(&c->send), c->snd.nxt);
}

/* Full segments leave together, cut where the device is (or by it); a short
 * one goes along when it could leave alone. What is sent again, CWR and
 * urgent pointers go one by one. */
static uint32_t limit_burst(const struct tcp_connection *c, uint32_t length,
                            bool is_all)
{
    uint32_t mss = c->snd.mss;

    if (length <= mss)
        return length;
    if (mss <= TCP_COPY_LENGTH || c->ecn_cwr_owed || c->is_urgent ||
        seq_before(c->snd.nxt, c->snd.max))
        return mss;
    bool is_short = connections_wait_for_device() ||
                    (connection_netif(c)->features & NETIF_TX_SEGMENT) == 0;
    uint32_t segments = is_short ? TCP_BURST_CROWDED : TCP_BURST_SEGMENTS;
    uint32_t most = smaller(segments * mss, TCP_BURST_MAX);
    if (tcp_settings.push_bursts)
        most = 2 * mss;
    if (length > most) {
        length = most;
        is_all = false;
    }
    uint32_t rest = length % mss;
    if (rest != 0 && (!is_all || !output_may_be_small(c, rest, true)))
        length -= rest;
    return length;
}

bool output_plan_next(const struct tcp_connection *c, struct output_plan *plan)
{
    int32_t waiting = unsent(c);
    uint32_t flight = connection_flight(c);
    uint32_t room = c->snd.wnd > flight ? c->snd.wnd - flight : 0;
    uint32_t usable = smaller(recovery_room(c), room);

    if (waiting < 0 || (waiting == 0 && !c->fin_queued))
        return false;
    uint32_t length = smaller((uint32_t)waiting, usable);
    length = limit_burst(c, length, length == (uint32_t)waiting);
    bool is_all = length == (uint32_t)waiting;
    bool has_fin = is_all && c->fin_queued && c->snd.wnd > flight + length;
    plan->length = length;
    plan->flags = TCP_ACK;
    if ((is_all && length != 0 && !c->is_more) ||
        (length > c->snd.mss && tcp_settings.push_bursts))
        plan->flags |= TCP_PSH;
    if (has_fin) {
        plan->flags |= TCP_FIN;
        return true;
    }
    return length != 0 &&
           (length >= c->snd.mss || output_may_be_small(c, length, is_all));
}

/* Book-keeping of a segment that went out at snd.nxt. */
static COLD void advance(struct tcp_connection *c,
                         const struct output_plan *plan, uint64_t now_ns)
{
    struct seq32 seq = c->snd.nxt;
    bool is_fin = (plan->flags & TCP_FIN) != 0;

    c->snd.nxt = seq_add(seq, plan->length + is_fin);
    bool is_again = seq_before(seq, c->snd.max);
    if (is_again) {
        /* What a window probe had of it was refused. */
        tcp_counters.retransmitted_segments += !c->is_persisting;
        c->retransmits += !c->is_persisting;
    } else {
        connection_time_segment(c, seq, plan->length, now_ns);
    }
    c->snd.max = seq_max(c->snd.max, c->snd.nxt);
    recovery_segment_sent(c, seq, plan->length + is_fin, is_again, now_ns);
    if (plan->length != 0) {
        if (plan->length % c->snd.mss != 0)
            c->snd.small = c->snd.nxt;
        connection_text_sent(c, now_ns);
    }
    timers_segment_sent(c, now_ns);
    /* More than one: the probe's time depends on the timer set just now. */
    if (plan->length > c->snd.mss && !is_again && connection_is_tracking(c))
        probe_schedule(c, now_ns);
}

COLD bool output_fin(struct tcp_connection *c, uint64_t now_ns)
{
    struct output_plan plan = {.flags = TCP_ACK | TCP_FIN};

    if (!transmit_segment(c, c->snd.nxt, &plan.length, plan.flags, now_ns))
        return false;
    advance(c, &plan, now_ns);
    timers_update(c);
    return true;
}

/* The flags of what was sent before: as then, the end of what is queued has
 * PSH (RFC 9293 3.9.1, MUST-61). */
static uint8_t again_flags(const struct tcp_connection *c, struct seq32 start,
                           uint32_t length, bool has_fin)
{
    uint8_t flags = has_fin ? TCP_ACK | TCP_FIN : TCP_ACK;

    if (length != 0 &&
        seq_equal(seq_add(start, length), send_queue_end(&c->send)))
        flags |= TCP_PSH;
    return flags;
}

static COLD NOINLINE void note_again(struct tcp_connection *c, uint64_t now_ns)
{
    tcp_counters.retransmitted_segments++;
    c->retransmits++;
    c->rtt_timing = false; /* Karn */
    c->sent_at_ms = connection_ms(now_ns);
    timers_segment_sent(c, now_ns);
}

/* A piece of what was sent before, its FIN included. */
static COLD bool send_piece(struct tcp_connection *c, struct tcp_piece piece,
                            uint64_t now_ns)
{
    int32_t text = seq_diff(send_queue_end(&c->send), piece.start);
    uint32_t planned = smaller(text > 0 ? (uint32_t)text : 0, piece.length);
    uint32_t length = planned;
    bool has_fin = c->fin_queued && piece.length > planned;

    if (!transmit_segment(c, piece.start, &length,
                          again_flags(c, piece.start, planned, has_fin),
                          now_ns))
        return false;
    has_fin = has_fin && length == planned;
    recovery_sent_again(c, piece.start, length + has_fin, now_ns);
    note_again(c, now_ns);
    return true;
}

/* Work for another run. The device's ring is full: the next entry, at the
 * latest the device's own when there is room again, comes back here; who had
 * nothing of this turn comes before those who had. Or enough was sent. */
bool output_must_pause(struct tcp_connection *c, uint32_t sent)
{
    bool is_stopped = connection_netif(c)->transmit_stopped;

    if (!is_stopped && sent < TCP_RUN_BYTES)
        return false;
    if (sent != 0)
        connection_touch(c, OWES_OUTPUT);
    else
        connection_wait_for_device(c);
    if (!is_stopped)
        platform_raise_receive();
    return true;
}

/* The rest of what is owed waits for the next turn. */
static COLD void leave_rest(struct tcp_connection *c)
{
    connection_touch(c, OWES_OUTPUT);
    platform_raise_receive();
}

/* The same for text at `seq`, when what finds it, and all before, has taken
 * this turn. */
static COLD bool must_wait(struct tcp_connection *c, struct seq32 seq,
                           uint32_t sent)
{
    if (!turn_is_over() && send_queue_approach(&c->send, seq))
        return output_must_pause(c, sent);
    leave_rest(c);
    return true;
}

/* What was lost, as far as the congestion window goes. False: not now. */
static COLD bool send_lost(struct tcp_connection *c, uint32_t *sent,
                           uint64_t now_ns)
{
    struct tcp_piece piece;

    while (recovery_next(c, &piece)) {
        if (must_wait(c, piece.start, *sent))
            return false;
        *sent += TCP_RUN_PACKET;
        turn_spend_packets(1);
        if (!send_piece(c, piece, now_ns)) {
            timers_memory(c, now_ns);
            return false;
        }
    }
    return true;
}

/* RFC 8985 7.3: one new segment, or the last one again. */
static COLD void send_tail_probe(struct tcp_connection *c, uint64_t now_ns)
{
    int32_t waiting = unsent(c);
    uint32_t flight = connection_flight(c);
    struct tcp_piece piece;

    if (waiting > 0 && c->snd.wnd > flight) {
        struct output_plan plan;
        plan.length = smaller(smaller((uint32_t)waiting, c->snd.mss),
                              c->snd.wnd - flight);
        plan.flags = again_flags(c, c->snd.nxt, plan.length, false);
        if (transmit_segment(c, c->snd.nxt, &plan.length, plan.flags, now_ns)) {
            advance(c, &plan, now_ns);
            probe_sent(c, false);
        }
        return;
    }
    if (!scoreboard_tail(&c->recovery->board, &piece))
        return;
    uint32_t length = piece.length % c->snd.mss;
    length = length == 0 ? c->snd.mss : length;
    piece.start = seq_add(piece.start, piece.length - length);
    piece.length = length;
    if (send_piece(c, piece, now_ns))
        probe_sent(c, true);
}

/* RFC 4821 7.5: a segment larger than the others. */
static COLD void send_mtu_probe(struct tcp_connection *c, uint64_t now_ns)
{
    int32_t waiting = unsent(c);
    uint32_t length =
        waiting > 0 ? mtu_probe_length(c, (uint32_t)waiting, now_ns) : 0;
    struct output_plan plan = {.length = length, .flags = TCP_ACK};

    if (length == 0 || must_wait(c, c->snd.nxt, 0))
        return;
    turn_spend_packets(1);
    c->is_probing_mtu = true;
    bool was_sent =
        transmit_segment(c, c->snd.nxt, &plan.length, plan.flags, now_ns);
    c->is_probing_mtu = false;
    if (!was_sent)
        return;
    advance(c, &plan, now_ns);
    if (plan.length == length)
        mtu_probe_sent(c, length);
}

static COLD void send_new(struct tcp_connection *c, uint64_t now_ns)
{
    struct output_plan plan;
    uint32_t sent = 0;

    if (tcp_settings.slow_start_after_idle && connection_was_idle(c, now_ns) &&
        congestion_chosen(&c->congestion)->on_idle != NULL &&
        seq_equal(c->snd.nxt, c->snd.max))
        congestion_chosen(&c->congestion)->on_idle(&c->congestion);
    if (!send_lost(c, &sent, now_ns))
        return;
    struct seq32 first = c->snd.nxt;
    if (connection_seeks_mtu(c))
        send_mtu_probe(c, now_ns);
    if (!seq_equal(first, c->snd.nxt))
        sent += TCP_RUN_PACKET;
    while (output_plan_next(c, &plan)) {
        if (must_wait(c, c->snd.nxt, sent))
            return;
        sent += larger(plan.length, TCP_RUN_PACKET);
        turn_spend_packets(1);
        turn_spend(plan.length / BUFFER_SIZE);
        uint32_t planned = plan.length;
        if (!transmit_segment(c, c->snd.nxt, &plan.length, plan.flags,
                              now_ns)) {
            timers_memory(c, now_ns);
            return;
        }
        if (plan.length < planned)
            plan.flags &= (uint8_t)~TCP_FIN;
        advance(c, &plan, now_ns);
    }
    if (connection_flight(c) == 0 &&
        (unsent(c) > 0 || (unsent(c) == 0 && c->fin_queued)))
        timers_persist(c, now_ns);
}

/* The segment at snd.una, again (fast retransmit, partial ACK): nothing that
 * was not sent before. */
static COLD void send_again(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t sent = (uint32_t)seq_diff(c->snd.max, c->snd.una);
    uint32_t planned = smaller(smaller(c->send.length, sent), c->snd.mss);
    uint32_t length = planned;
    struct seq32 end = seq_add(c->snd.una, planned);
    bool has_fin = c->fin_queued && planned == c->send.length &&
                   seq_after(c->snd.max, end);

    if (seq_equal(c->snd.una, c->snd.max))
        return;
    if (!transmit_segment(c, c->snd.una, &length,
                          again_flags(c, c->snd.una, planned, has_fin), now_ns))
        return;
    has_fin = has_fin && length == planned;
    c->snd.nxt = seq_max(c->snd.nxt, seq_add(c->snd.una, length + has_fin));
    note_again(c, now_ns);
}

/* RFC 9293 3.8.6.1: what fits the window, but an octet at least; also what a
 * cork or silly window avoidance held back for too long. */
static COLD void send_probe(struct tcp_connection *c, uint64_t now_ns)
{
    int32_t waiting = unsent(c);
    struct output_plan plan = {.flags = TCP_ACK | TCP_PSH};

    if (connection_flight(c) != 0 || waiting < 0)
        return;
    uint32_t room = c->snd.wnd == 0 ? 1 : c->snd.wnd;
    plan.length = smaller(smaller((uint32_t)waiting, room), c->snd.mss);
    if (waiting == 0) {
        if (!c->fin_queued)
            return;
        plan.flags |= TCP_FIN;
    }
    if (!transmit_segment(c, c->snd.nxt, &plan.length, plan.flags, now_ns))
        return;
    if (c->snd.wnd != 0) {
        advance(c, &plan, now_ns);
        return;
    }
    /* Past the window: not in flight, but it may be acknowledged. */
    tcp_counters.window_probes++;
    c->rtt_timing = false;
    c->snd.max = seq_max(
        c->snd.max,
        seq_add(c->snd.nxt, plan.length + ((plan.flags & TCP_FIN) != 0)));
}

static COLD void send_syn(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t length = 0;
    uint8_t flags = c->state == TCP_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    bool is_again = !seq_equal(c->snd.max, c->snd.una);

    flags |= ecn_syn_flags(c, is_again);
    timers_segment_sent(c, now_ns);
    if (!transmit_segment(c, c->snd.una, &length, flags, now_ns))
        return;
    if (is_again) {
        tcp_counters.retransmitted_segments++;
        c->retransmits++;
    }
    c->rtt_timing = !is_again;
    c->rtt_at_us = (uint32_t)(now_ns / NS_PER_US);
    c->rtt_seq = seq_add(c->snd.una, 1);
    c->snd.nxt = c->rtt_seq;
    c->snd.max = c->rtt_seq;
}

/* Where a segment without text stands: SND.NXT, but not beyond a window that
 * shrank. */
static struct seq32 empty_seq(const struct tcp_connection *c)
{
    struct seq32 edge = seq_add(c->snd.una, c->snd.wnd);

    if (!state_is_synchronised(c->state))
        return c->snd.max;
    return seq_before(edge, c->snd.max) ? edge : c->snd.max;
}

static COLD void send_reset(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t length = 0;

    if (c->state != TCP_SYN_SENT && connection_route(c)) {
        tcp_counters.out_resets++;
        (void)transmit_segment(c, empty_seq(c), &length, TCP_RST | TCP_ACK,
                               now_ns);
    }
    connection_finish(c, c->error);
}

/* One ACK; where several are owed, in steps of whole segments up to the last,
 * and of what came too early each again. */
static COLD void send_empty(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t length = 0;
    struct seq32 end = c->rcv.nxt;
    uint32_t received = (uint32_t)seq_diff(end, c->rcv.last_ack);
    unsigned count = turn_is_over() ? 1U : 1U + c->more_acks;
    uint32_t step = (received / count / c->rcv.mss + 1) * c->rcv.mss;

    c->more_acks = 0;
    turn_spend_packets(count);
    for (; count > 0; count--) {
        bool is_last = count == 1 || received <= step;
        received -= is_last ? received : step;
        c->rcv.nxt = seq_subtract(end, received);
        bool is_sent =
            transmit_segment(c, empty_seq(c), &length, TCP_ACK, now_ns);
        c->rcv.nxt = end;
        if (!is_sent) {
            timers_delay_ack(c, now_ns);
            return;
        }
        if (is_last && !connection_has_early(c))
            return;
    }
}

static COLD void send_keep_alive(struct tcp_connection *c, uint64_t now_ns)
{
    uint32_t length = 0;

    /* An old sequence number: the peer must answer (RFC 1122 4.2.3.6). */
    tcp_counters.keep_alive_probes++;
    (void)transmit_segment(c, seq_subtract(c->snd.una, 1), &length, TCP_ACK,
                           now_ns);
}

/* Something was spent. After a turn that was all spent, the losses that it
 * left come first. */
static COLD void resume_turn(struct tcp_connection *c, uint64_t now_ns)
{
    if (c->spent < SPENT_LAST)
        turn_steps = c->spent * (uint32_t)TCP_TURN_PART;
    else if (connection_is_tracking(c) && c->recovery->owes_losses)
        recovery_more_losses(c, now_ns);
    c->spent = turn_is_over() ? SPENT_LAST : SPENT_NOTHING;
}

COLD void connection_output(struct tcp_connection *c, uint64_t now_ns)
{
    unsigned owed = c->owed;

    if (c->state == TCP_CLOSED)
        return;
    turn_steps = 0;
    if (c->spent != SPENT_NOTHING)
        resume_turn(c, now_ns);
    /* First what was acknowledged goes, so much in each turn: then nothing is
     * looked for behind it. */
    if (c->spent == SPENT_LAST || send_queue_trim(&c->send)) {
        leave_rest(c);
        return;
    }
    if ((owed & OWES_RESET) != 0) {
        send_reset(c, now_ns);
        return;
    }
    c->owed &= OWES_ACK | OWES_MEMORY;
    if (!connection_route(c)) {
        timers_segment_sent(c, now_ns); /* tries again */
    } else if (!state_is_synchronised(c->state)) {
        if ((owed & OWES_SYN) != 0)
            send_syn(c, now_ns);
        else if ((owed & OWES_ACK) != 0 && c->state == TCP_SYN_RECEIVED)
            send_empty(c, now_ns); /* what RFC 9293 3.10.7.4 answers */
    } else {
        if ((owed & OWES_REXMIT) != 0 && !connection_is_tracking(c))
            send_again(c, now_ns);
        if (c->recovery != NULL && c->recovery->owes_probe)
            send_tail_probe(c, now_ns);
        if ((owed & OWES_PROBE) != 0)
            send_probe(c, now_ns);
        if ((owed & OWES_KEEP) != 0)
            send_keep_alive(c, now_ns);
        /* Full segments have no room for SACK blocks: those go ahead. */
        if ((c->owed & OWES_ACK) != 0 && connection_has_early(c))
            send_empty(c, now_ns);
        send_new(c, now_ns);
        if ((c->owed & OWES_ACK) != 0)
            send_empty(c, now_ns);
        c->more_acks = 0;
    }
    timers_update(c);
}
