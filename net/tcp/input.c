/* SPDX-License-Identifier: MIT */
/*
 * Segments arriving at a connection: the checks of RFC 9293 3.10.7.4 in its
 * order, with PAWS (RFC 7323 5) before them and the challenges of RFC 5961.
 * What is in the ordinary course of things was taken before: predict.c.
 * Nothing is sent from here.
 */
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

#include <errno.h>

void connection_challenge(struct tcp_connection *c, uint64_t now_ns)
{
    uint8_t second = (uint8_t)(now_ns / NS_PER_S);

    /* RFC 5961 7, but per connection: a limit shared with others would tell
     * an attacker what they do (CVE-2016-5696). */
    if (c->challenge_s != second) {
        c->challenge_s = second;
        c->challenges = 0;
    }
    if (c->challenges >= tcp_settings.challenges)
        return;
    c->challenges++;
    tcp_counters.challenge_acks++;
    connection_touch(c, OWES_ACK);
}

/* RFC 7323 5.3 R1. */
static bool passes_paws(const struct tcp_connection *c,
                        const struct tcp_segment *segment, uint64_t now_ns)
{
    if ((int32_t)(segment->options.timestamp - c->ts_recent) >= 0 ||
        !segment->options.has_timestamp)
        return true;
    /* 5.5: after 24 days its clock may have gone round. */
    return (uint16_t)(connection_age(now_ns) - c->ts_recent_at) >
           connection_age(TCP_PAWS_IDLE_NS);
}

static void note_timestamp(struct tcp_connection *c,
                           const struct tcp_segment *segment, uint64_t now_ns)
{
    /* RFC 7323 4.3 (2): only of the segment that spans Last.ACK.sent; and of
     * none that is refused for its ACK. */
    if (!c->has_timestamps || !segment->options.has_timestamp ||
        seq_after(segment->seq, c->rcv.last_ack) ||
        seq_after(segment->ack, c->snd.max) || !passes_paws(c, segment, now_ns))
        return;
    c->ts_recent = segment->options.timestamp;
    c->ts_recent_at = connection_age(now_ns);
}

/* ---- the checks ---------------------------------------------------------- */

/* RFC 9293 3.10.7.4, first, table 6. An empty segment just behind the window
 * passes too, as everywhere: its peer sent what the window allowed, lost it,
 * and its ACK should still count. With the window closed, what begins at
 * RCV.NXT passes without its text, for the sake of its ACK, RST and URG. */
static bool is_acceptable(const struct tcp_connection *c,
                          const struct tcp_segment *segment)
{
    int32_t window = (int32_t)connection_window(c);
    int32_t from = seq_diff(segment->seq, c->rcv.nxt);
    int32_t to =
        seq_diff(seq_add(segment->seq, segment_space(segment)), c->rcv.nxt);

    if (segment_space(segment) == 0)
        return from >= 0 && from <= window;
    if (window == 0)
        return from == 0;
    return from < window && to > 0;
}

/* RFC 2883: what was received before comes again. */
static void note_duplicate(struct tcp_connection *c,
                           const struct tcp_segment *segment)
{
    struct seq32 end = seq_add(segment->seq, segment->length);

    if (!seq_before(segment->seq, c->rcv.nxt) || segment->length == 0 ||
        !c->has_sack || !tcp_settings.dsack)
        return;
    struct tcp_seldom *seldom = seldom_get(c);
    if (seldom != NULL)
        reassembly_note_duplicate(&seldom->reassembly, segment->seq,
                                  seq_before(end, c->rcv.nxt) ? end
                                                              : c->rcv.nxt);
}

/* Cuts what lies outside the window. */
static void trim(struct tcp_connection *c, struct packet *packet,
                 struct tcp_segment *segment)
{
    int32_t before = seq_diff(c->rcv.nxt, segment->seq);

    note_duplicate(c, segment);
    if (before > 0) {
        uint32_t cut = smaller((uint32_t)before, segment->length);
        packet->data += cut;
        packet->length -= cut;
        segment->length -= cut;
        segment->seq = c->rcv.nxt;
    }
    /* A FIN needs no room: it is taken even with the window shut. */
    int32_t left = seq_diff(c->rcv.edge, segment->seq);
    uint32_t room = left > 0 ? (uint32_t)left : 0;
    if (segment->length > room) {
        segment->length = room;
        packet_trim(packet, room);
        segment->flags &= (uint8_t)~TCP_FIN;
        connection_touch(c, OWES_ACK); /* perhaps a probe */
    }
}

/* Second: RST (RFC 5961 3.2). */
static void receive_reset(struct tcp_connection *c,
                          const struct tcp_segment *segment, uint64_t now_ns)
{
    enum tcp_state state = c->state;
    int32_t from = seq_diff(segment->seq, c->rcv.nxt);

    if (from != 0) {
        /* Beside the window: silence, also when SYN or text reach into it. */
        if (from > 0 && from < (int32_t)connection_window(c))
            connection_challenge(c, now_ns);
        return;
    }
    if (state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT)
        tcp_counters.established_resets++;
    if (state == TCP_SYN_RECEIVED) {
        tcp_counters.attempt_fails++;
        connection_finish(c, ECONNREFUSED);
    } else {
        connection_finish(c, state == TCP_CLOSE_WAIT &&
                                     tcp_settings.close_wait_pipe
                                 ? EPIPE
                                 : ECONNRESET);
    }
}

/* Fourth: SYN (RFC 5961 4.2). In SYN-RECEIVED, after a simultaneous open, the
 * peer's SYN-ACK or its SYN again. True: goes on to the fifth. */
static bool receive_syn(struct tcp_connection *c, struct tcp_segment *segment,
                        uint64_t now_ns)
{
    if (c->state == TCP_SYN_RECEIVED &&
        seq_equal(seq_add(segment->seq, 1), c->rcv.nxt)) {
        if ((segment->flags & TCP_ACK) != 0 &&
            seq_equal(segment->ack, c->snd.max)) {
            segment->flags &= (uint8_t)~TCP_SYN;
            segment->seq = c->rcv.nxt;
            return true;
        }
        connection_touch(c, OWES_SYN);
        return false;
    }
    connection_challenge(c, now_ns);
    return false;
}

/* First to fourth; false when the segment is done with. */
static bool passes_checks(struct tcp_connection *c, struct packet *packet,
                          struct tcp_segment *segment, uint64_t now_ns)
{
    bool is_reset = (segment->flags & TCP_RST) != 0;
    bool is_syn = (segment->flags & TCP_SYN) != 0;

    if (c->has_timestamps && !is_reset && !is_syn) {
        if (!segment->options.has_timestamp && !tcp_settings.tolerate_missing) {
            packet_drop(packet, DROP_TCP_TIMESTAMP_MISSING);
            return false;
        }
        if (!passes_paws(c, segment, now_ns)) {
            tcp_counters.paws_drops++;
            note_duplicate(c, segment);
            connection_challenge(c, now_ns);
            packet_drop(packet, DROP_TCP_PAWS);
            return false;
        }
    }
    if (!is_syn && !is_acceptable(c, segment)) {
        /* Text is always answered: it may be a probe. The rest only within
         * limits, or two confused ends would answer each other for ever. */
        note_duplicate(c, segment);
        if (segment->length != 0 && !is_reset)
            connection_touch(c, OWES_ACK);
        else if (!is_reset)
            connection_challenge(c, now_ns);
        packet_drop(packet, DROP_TCP_SEQUENCE);
        return false;
    }
    if (is_reset) {
        receive_reset(c, segment, now_ns);
        packet_drop(packet, DROP_TCP_RESET);
        return false;
    }
    if (is_syn && !receive_syn(c, segment, now_ns)) {
        packet_drop(packet, DROP_TCP_SYN);
        return false;
    }
    if ((segment->flags & TCP_ACK) == 0) {
        packet_drop(packet, DROP_TCP_ACK);
        return false;
    }
    return true;
}

static void receive_checked(struct tcp_connection *c, struct packet *packet,
                            struct tcp_segment *segment, uint64_t now_ns)
{
    if (!passes_checks(c, packet, segment, now_ns))
        return;
    connection_heard(c, now_ns);
    if (c->state == TCP_SYN_RECEIVED) {
        if (!seq_equal(segment->ack, c->snd.max)) {
            reply_reset(&c->node.tuple, segment);
            packet_drop(packet, DROP_TCP_ACK);
            return;
        }
        connection_establish(c, segment, now_ns);
    }
    note_timestamp(c, segment, now_ns);
    trim(c, packet, segment);
    ecn_receive(c, segment);
    if (acknowledge(c, segment, now_ns)) {
        if ((segment->flags & TCP_URG) != 0)
            urgent_receive(c, segment);
        text_receive(c, packet, segment, now_ns);
    } else if (c->state == TCP_CLOSED)
        packet_free(packet); /* it was the last one */
    else
        packet_drop(packet, DROP_TCP_ACK);
}

void connection_confirm_path(struct tcp_connection *c, uint64_t now_ns)
{
    if (c->state == TCP_CLOSED || c->hop.generation != ip_route_generation())
        return;
    c->confirmed_at = (uint16_t)coarse_time(now_ns);
    ip_confirm(&c->hop, now_ns);
}

void connection_receive(struct tcp_connection *c, struct packet *packet,
                        struct tcp_segment *segment, uint64_t now_ns)
{
    struct seq32 una = c->snd.una;
    struct seq32 nxt = c->rcv.nxt;

    if ((c->owed & OWES_RESET) != 0) {
        packet_drop(packet, DROP_TCP_AFTER_CLOSE);
        return;
    }
    turn_steps = 0;
    c->segments_in++;
    c->text_in += segment->length != 0;
    if (c->state == TCP_SYN_SENT)
        syn_sent_receive(c, packet, segment, now_ns);
    else
        receive_checked(c, packet, segment, now_ns);
    if (!seq_equal(una, c->snd.una) || !seq_equal(nxt, c->rcv.nxt))
        connection_note_progress(c, now_ns);
    connection_turn_end(c);
    timers_update(c);
}
