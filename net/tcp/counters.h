/* SPDX-License-Identifier: MIT */
/*
 * What TCP counts: the objects of RFC 4022, and what Linux's TcpExt adds.
 */
#pragma once

#include <stdint.h>

struct tcp_counters {
    uint64_t active_opens;
    uint64_t passive_opens;
    uint64_t attempt_fails;
    uint64_t established_resets;
    uint64_t in_segments;
    uint64_t in_errors;
    uint64_t out_segments;
    uint64_t out_resets;
    uint64_t retransmitted_segments;

    uint64_t header_predictions;
    uint64_t timeouts;
    uint64_t fast_retransmits;
    uint64_t partial_acks;
    uint64_t loss_probes;
    uint64_t loss_probe_recoveries;
    uint64_t undone_reductions;
    uint64_t dsacks_received;
    uint64_t dsacks_sent;
    uint64_t duplicate_acks;
    uint64_t out_of_order;
    uint64_t delayed_acks;
    uint64_t challenge_acks;
    uint64_t paws_drops;
    uint64_t ecn_marks;
    uint64_t ecn_reductions;
    uint64_t listen_overflows;
    uint64_t syn_evictions;
    uint64_t syn_ack_retransmits;
    uint64_t syncookies_sent;
    uint64_t syncookies_received;
    uint64_t syncookies_failed;
    uint64_t window_probes;
    uint64_t keep_alive_probes;
    uint64_t time_waits;
    uint64_t time_wait_evictions;
    uint64_t time_wait_reuses;
    uint64_t orphans_refused;
    uint64_t aborts_on_data;
    uint64_t aborts_on_timeout;
    uint64_t aborts_on_memory;
    uint64_t icmp_ignored;
    uint64_t mtu_reductions;
    uint64_t mtu_black_holes;
    uint64_t mtu_probes;
    uint64_t mtu_raises;
    uint64_t no_connection_object;
    uint64_t no_packet;
    uint64_t replies_dropped;
    uint64_t states[16]; /* connections per enum tcp_state */
};

extern struct tcp_counters tcp_counters;
