/* SPDX-License-Identifier: MIT */
/*
 * Opening from our side: SYN-SENT (RFC 9293 3.10.7.3), simultaneous open
 * included, and what every connection does when it becomes ESTABLISHED.
 */
#include "net/limits.h"
#include "net/tcp/internal.h"

#include <errno.h>

void connection_negotiate(struct tcp_connection *c,
                          const struct tcp_header_options *options,
                          uint64_t now_ns)
{
    if (options->mss != 0)
        c->peer_mss = options->mss;
    if (options->has_window_scale && tcp_settings.window_scaling) {
        c->snd.scale = options->window_scale;
    } else {
        c->snd.scale = 0;
        c->rcv.scale = 0;
    }
    c->has_sack = options->has_sack_permitted && tcp_settings.sack;
    c->has_timestamps = options->has_timestamp && tcp_settings.timestamps;
    if (c->has_timestamps) {
        c->ts_recent = options->timestamp;
        c->ts_recent_at = connection_age(now_ns);
    }
    connection_update_mss(c);
}

void connection_establish(struct tcp_connection *c,
                          const struct tcp_segment *segment, uint64_t now_ns)
{
    bool is_syn = (segment->flags & TCP_SYN) != 0;
    unsigned syns_lost = c->retries;

    if (c->rtt_timing)
        (void)rtt_sample_us(&c->rtt,
                            (uint32_t)(now_ns / NS_PER_US) - c->rtt_at_us);
    c->rtt_timing = false;
    if (syns_lost != 0)
        rtt_syn_was_lost(&c->rtt);
    struct seq32 iss = c->snd.una;
    c->snd.una = seq_add(iss, 1);
    c->snd.nxt = c->snd.una;
    c->snd.max = c->snd.una;
    c->snd.small = c->snd.una;
    c->snd.wnd = is_syn ? segment->window : segment->window << c->snd.scale;
    c->snd.max_wnd = c->snd.wnd;
    c->snd.wl1 = segment->seq;
    c->snd.wl2 = segment->ack;
    mtu_start(c, now_ns);
    congestion_init(&c->congestion, c->snd.mss, iss);
    congestion_select(&c->congestion, c->options.congestion);
    if (syns_lost > 1) /* RFC 5681 3.1, but not after one: RFC 6928 2 */
        c->congestion.cwnd = c->snd.mss;
    timers_progress(c, now_ns);
    connection_set_state(c, c->fin_queued ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED);
    timers_keep_alive(c, now_ns);
    c->text_at_ms = connection_ms(now_ns);
    c->was_writable = true;
    connection_notify(c, TCP_WRITABLE);
    if (c->fin_queued)
        connection_touch(c, OWES_OUTPUT);
}

static void take_syn(struct tcp_connection *c,
                     const struct tcp_segment *segment, uint64_t now_ns)
{
    c->rcv.nxt = seq_add(segment->seq, 1);
    /* What our SYN offered counts from here. */
    c->rcv.edge = seq_add(c->rcv.nxt, c->rcv.edge.value);
    c->rcv.last_ack = c->rcv.nxt;
    connection_negotiate(c, &segment->options, now_ns);
}

void syn_sent_receive(struct tcp_connection *c, struct packet *packet,
                      struct tcp_segment *segment, uint64_t now_ns)
{
    bool has_ack = (segment->flags & TCP_ACK) != 0;

    /* First: the ACK. */
    if (has_ack && !seq_equal(segment->ack, seq_add(c->snd.una, 1))) {
        reply_reset(&c->node.tuple, segment);
        packet_drop(packet, DROP_TCP_ACK);
        return;
    }
    /* Second: the RST, believed only with an acceptable ACK. */
    if ((segment->flags & TCP_RST) != 0) {
        if (has_ack) {
            tcp_counters.attempt_fails++;
            connection_finish(c, ECONNREFUSED);
        }
        packet_drop(packet, DROP_TCP_RESET);
        return;
    }
    /* Fourth: the SYN. */
    if ((segment->flags & TCP_SYN) == 0) {
        packet_drop(packet, DROP_TCP_SYN);
        return;
    }
    take_syn(c, segment, now_ns);
    ecn_answered(c, segment);
    if (!has_ack) {
        connection_set_state(c, TCP_SYN_RECEIVED);
        connection_touch(c, OWES_SYN);
        packet_free(packet);
        return;
    }
    connection_establish(c, segment, now_ns);
    connection_touch(c, OWES_ACK);
    /* Its text, if any, comes after the SYN. */
    segment->seq = c->rcv.nxt;
    if (segment->length > connection_window(c)) {
        segment->length = connection_window(c);
        packet_trim(packet, segment->length);
        segment->flags &= (uint8_t)~TCP_FIN;
    }
    text_receive(c, packet, segment, now_ns);
}
