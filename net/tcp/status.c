/* SPDX-License-Identifier: MIT */
/*
 * What TCP shows of itself: connections, states, counters.
 */
#include "net/counter.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

static const char *const state_names[TCP_STATE_COUNT] = {
    [TCP_CLOSED] = "CLOSED",           [TCP_LISTEN] = "LISTEN",
    [TCP_SYN_SENT] = "SYN-SENT",       [TCP_SYN_RECEIVED] = "SYN-RECEIVED",
    [TCP_ESTABLISHED] = "ESTABLISHED", [TCP_FIN_WAIT_1] = "FIN-WAIT-1",
    [TCP_FIN_WAIT_2] = "FIN-WAIT-2",   [TCP_CLOSE_WAIT] = "CLOSE-WAIT",
    [TCP_CLOSING] = "CLOSING",         [TCP_LAST_ACK] = "LAST-ACK",
    [TCP_TIME_WAIT] = "TIME-WAIT",
};

const char *tcp_state_name(enum tcp_state state)
{
    return state < TCP_STATE_COUNT ? state_names[state] : "?";
}

enum tcp_state tcp_get_state(const struct tcp_connection *c)
{
    return c->state;
}

struct tcp_endpoint tcp_local(const struct tcp_connection *c)
{
    return (struct tcp_endpoint){c->node.tuple.local, c->node.tuple.local_port};
}

struct tcp_endpoint tcp_remote(const struct tcp_connection *c)
{
    return (struct tcp_endpoint){c->node.tuple.remote,
                                 c->node.tuple.remote_port};
}

void tcp_get_status(const struct tcp_connection *c, struct tcp_status *status)
{
    *status = (struct tcp_status){
        .state = c->state,
        .local = tcp_local(c),
        .remote = tcp_remote(c),
        .rtt_ns = c->rtt.smoothed_us * NS_PER_US,
        .rtt_variation_ns = c->rtt.variation_us * NS_PER_US,
        .rto_ns = rtt_timeout_ns(&c->rtt),
        .congestion_window = c->congestion.cwnd,
        .slow_start_threshold = c->congestion.ssthresh,
        .send_window = c->snd.wnd,
        .receive_window = connection_window(c),
        .flight = (uint32_t)seq_diff(c->snd.max, c->snd.una),
        .sacked = connection_is_tracking(c) ? c->recovery->board.sacked : 0,
        .lost = connection_is_tracking(c) ? c->recovery->board.lost : 0,
        .read_queued = c->receive.length,
        .write_queued = c->send.length,
        .retransmits = c->retransmits,
        .data_sent_ms = c->sent_at_ms,
        .heard_ms = c->heard_at_ms,
        .text_ms = c->text_at_ms,
        .bytes_acknowledged = c->bytes_acknowledged,
        .bytes_received = c->bytes_received,
        .segments_in = c->segments_in,
        .segments_out = c->segments_out,
        .text_in = c->text_in,
        .text_out = c->text_out,
        .unsent = (uint32_t)tcp_write_unsent(c),
        .receive_limit = c->options.receive_buffer,
        .path_mtu = c->path_mtu != 0 && c->path_mtu < c->hop.mtu ? c->path_mtu
                                                                 : c->hop.mtu,
        .send_mss = c->snd.mss,
        .announced_mss = tcp_options_mss(&c->options, c->hop.mtu),
        .receive_mss = c->rcv.mss,
        .send_scale = c->snd.scale,
        .receive_scale = c->rcv.scale,
        .timeouts = c->is_persisting ? 0 : c->retries,
        .probes = c->keep_probes,
        .backoff = c->rtt.backoff,
        .is_recovering = c->congestion.is_recovering,
        .is_reducing = c->ecn_reduced,
        .has_gaps = connection_is_tracking(c) ? c->recovery->board.sacked != 0
                                              : c->congestion.duplicates != 0,
        .has_timestamps = c->has_timestamps,
        .has_sack = c->has_sack,
        .has_ecn = c->has_ecn,
        .is_orphan = c->is_orphan,
    };
    if (c->recovery != NULL) {
        status->again = scoreboard_again(&c->recovery->board);
        status->rtt_least_us = c->recovery->rtt_min_us;
        status->bytes_again = c->recovery->bytes_again;
        status->dsacks = c->recovery->dsacks;
        status->reorderings = c->recovery->reorderings;
        status->reordered_most = c->recovery->reordered_most;
    }
}

void tcp_visit_connections(void (*visit)(void *context,
                                         const struct tcp_status *status),
                           void *context)
{
    struct tcp_status status;

    listener_visit(visit, context);
    for (size_t i = 0; i < connections_total(); i++) {
        const struct tcp_connection *c = connection_at(i);
        if (c != NULL) {
            tcp_get_status(c, &status);
            visit(context, &status);
        }
    }
    half_open_visit(visit, context);
    time_wait_visit(visit, context);
}

/* RFC 4022, then what Linux calls TcpExt. */
static const struct counter counters[] = {
    {"tcp_active_opens_total", &tcp_counters.active_opens,
     "tcpActiveOpens: connections we began"},
    {"tcp_passive_opens_total", &tcp_counters.passive_opens,
     "tcpPassiveOpens: connections listeners completed"},
    {"tcp_attempt_fails_total", &tcp_counters.attempt_fails,
     "tcpAttemptFails: connections that never were established"},
    {"tcp_established_resets_total", &tcp_counters.established_resets,
     "tcpEstabResets: established connections reset by the peer"},
    {"tcp_in_segments_total", &tcp_counters.in_segments,
     "tcpInSegs: segments received"},
    {"tcp_in_errors_total", &tcp_counters.in_errors,
     "tcpInErrs: segments with a bad header or checksum"},
    {"tcp_out_segments_total", &tcp_counters.out_segments,
     "tcpOutSegs: segments sent"},
    {"tcp_out_resets_total", &tcp_counters.out_resets,
     "tcpOutRsts: resets sent"},
    {"tcp_retransmitted_segments_total", &tcp_counters.retransmitted_segments,
     "tcpRetransSegs: segments sent again"},
    {"tcp_header_predictions_total", &tcp_counters.header_predictions,
     "segments that took the short way"},
    {"tcp_timeouts_total", &tcp_counters.timeouts,
     "retransmission timers that expired"},
    {"tcp_fast_retransmits_total", &tcp_counters.fast_retransmits,
     "recoveries begun by duplicate acknowledgements"},
    {"tcp_partial_acks_total", &tcp_counters.partial_acks,
     "partial acknowledgements during recovery"},
    {"tcp_loss_probes_total", &tcp_counters.loss_probes,
     "tail loss probes (RFC 8985)"},
    {"tcp_loss_probe_recoveries_total", &tcp_counters.loss_probe_recoveries,
     "losses a tail loss probe mended"},
    {"tcp_undone_reductions_total", &tcp_counters.undone_reductions,
     "window reductions taken back: nothing had been lost"},
    {"tcp_dsacks_received_total", &tcp_counters.dsacks_received,
     "duplicates a peer reported (RFC 2883)"},
    {"tcp_dsacks_sent_total", &tcp_counters.dsacks_sent,
     "duplicates reported to peers"},
    {"tcp_duplicate_acks_total", &tcp_counters.duplicate_acks,
     "duplicate acknowledgements received"},
    {"tcp_out_of_order_total", &tcp_counters.out_of_order,
     "segments that came before their turn"},
    {"tcp_delayed_acks_total", &tcp_counters.delayed_acks,
     "acknowledgements sent by the delay timer"},
    {"tcp_challenge_acks_total", &tcp_counters.challenge_acks,
     "challenge acknowledgements sent (RFC 5961)"},
    {"tcp_ecn_marks_total", &tcp_counters.ecn_marks,
     "segments that came marked by a congested router"},
    {"tcp_ecn_reductions_total", &tcp_counters.ecn_reductions,
     "windows reduced because the peer told of marks"},
    {"tcp_paws_drops_total", &tcp_counters.paws_drops,
     "segments with an old timestamp"},
    {"tcp_listen_overflows_total", &tcp_counters.listen_overflows,
     "segments refused because an accept queue was full"},
    {"tcp_syn_evictions_total", &tcp_counters.syn_evictions,
     "half-open connections given up for newer ones"},
    {"tcp_syn_ack_retransmits_total", &tcp_counters.syn_ack_retransmits,
     "SYN-ACKs sent again"},
    {"tcp_syncookies_sent_total", &tcp_counters.syncookies_sent,
     "SyncookiesSent: SYNs answered with nothing kept"},
    {"tcp_syncookies_received_total", &tcp_counters.syncookies_received,
     "SyncookiesRecv: cookies that came back"},
    {"tcp_syncookies_failed_total", &tcp_counters.syncookies_failed,
     "SyncookiesFailed: acknowledgements of no cookie of ours"},
    {"tcp_window_probes_total", &tcp_counters.window_probes,
     "probes of a closed window"},
    {"tcp_keep_alive_probes_total", &tcp_counters.keep_alive_probes,
     "keep-alive probes"},
    {"tcp_time_waits_total", &tcp_counters.time_waits,
     "connections that entered TIME-WAIT"},
    {"tcp_time_wait_evictions_total", &tcp_counters.time_wait_evictions,
     "TIME-WAITs cut short for want of room"},
    {"tcp_time_wait_reuses_total", &tcp_counters.time_wait_reuses,
     "TIME-WAITs ended by a new connection (RFC 6191)"},
    {"tcp_orphans_refused_total", &tcp_counters.orphans_refused,
     "closes turned into resets: too many orphans"},
    {"tcp_aborts_on_data_total", &tcp_counters.aborts_on_data,
     "resets because data was or would be unread"},
    {"tcp_aborts_on_timeout_total", &tcp_counters.aborts_on_timeout,
     "connections given up without an answer"},
    {"tcp_icmp_ignored_total", &tcp_counters.icmp_ignored,
     "ICMP errors that fit no segment in flight"},
    {"tcp_mtu_reductions_total", &tcp_counters.mtu_reductions,
     "path MTUs lowered by ICMP"},
    {"tcp_mtu_black_holes_total", &tcp_counters.mtu_black_holes,
     "path MTUs lowered because large segments vanished (RFC 4821)"},
    {"tcp_mtu_probes_total", &tcp_counters.mtu_probes,
     "segments sent to try a larger path MTU"},
    {"tcp_mtu_raises_total", &tcp_counters.mtu_raises,
     "path MTUs raised because such a segment arrived"},
    {"tcp_no_connection_total", &tcp_counters.no_connection_object,
     "openings refused: all connection objects taken"},
    {"tcp_no_packet_total", &tcp_counters.no_packet,
     "segments not sent for want of a packet"},
    {"tcp_replies_dropped_total", &tcp_counters.replies_dropped,
     "resets, SYN-ACKs and the like not sent for want of room"},
};

static const char *const state_counters[TCP_STATE_COUNT] = {
    [TCP_LISTEN] = "tcp_connections{state=\"listen\"}",
    [TCP_SYN_SENT] = "tcp_connections{state=\"syn-sent\"}",
    [TCP_SYN_RECEIVED] = "tcp_connections{state=\"syn-received\"}",
    [TCP_ESTABLISHED] = "tcp_connections{state=\"established\"}",
    [TCP_FIN_WAIT_1] = "tcp_connections{state=\"fin-wait-1\"}",
    [TCP_FIN_WAIT_2] = "tcp_connections{state=\"fin-wait-2\"}",
    [TCP_CLOSE_WAIT] = "tcp_connections{state=\"close-wait\"}",
    [TCP_CLOSING] = "tcp_connections{state=\"closing\"}",
    [TCP_LAST_ACK] = "tcp_connections{state=\"last-ack\"}",
};

void tcp_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context)
{
    counters_visit(counters, ARRAY_COUNT(counters), visit, context);
    for (size_t i = TCP_LISTEN; i < TCP_TIME_WAIT; i++)
        visit(context, state_counters[i], tcp_counters.states[i],
              "connections by state");
    visit(context, "tcp_connections{state=\"time-wait\"}", time_wait_count(),
          "connections by state");
    visit(context, "tcp_connection_objects", connections_total(),
          "connections there can be");
    visit(context, "tcp_orphans", orphan_count(),
          "connections no app owns any more");
    visit(context, "tcp_send_buffers_used", send_buffers_used(),
          "buffers in send queues");
    visit(context, "tcp_send_buffers_limit", send_buffers_limit(),
          "buffers send queues may hold");
    visit(context, "tcp_receive_packets_used", receive_packets_used(),
          "packets in receive and reassembly queues");
    visit(context, "tcp_receive_packets_limit", receive_packets_limit(),
          "packets receive and reassembly queues may hold");
}
