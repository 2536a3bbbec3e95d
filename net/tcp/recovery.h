/* SPDX-License-Identifier: MIT */
/*
 * What a sender keeps to find and mend losses, beside the congestion window:
 * the scoreboard, RACK-TLP (RFC 8985), PRR (RFC 9937), F-RTO (RFC 5682) and
 * what undoing a reduction takes. A connection has one from its first byte
 * sent on; one that has nothing in flight gives it back when they run short.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tcp/scoreboard.h"

enum tcp_frto {
    FRTO_OFF,
    FRTO_FIRST, /* RFC 5682 3.1 step 2: the first ACK after the timeout */
    FRTO_NEW,   /* step 2b: new data is sent rather than old */
};

struct tcp_recovery {
    struct tcp_scoreboard board;
    uint64_t deadline_ns; /* of the reordering or the probe timer; 0: none */

    /* RACK. Times are microseconds modulo 2^32: all that is compared was
     * sent within TCP_RTO_MAX, far less than half of that. */
    uint32_t rack_sent_us;
    struct seq32 rack_end;
    uint32_t rack_rtt_us;
    uint32_t rtt_min_us;  /* 0: none yet */
    uint32_t rtt_min_at;  /* coarse_time() when it was measured */
    struct seq32 highest; /* RACK.fack: end of the highest delivered */
    struct seq32 dsack_round;
    struct seq32 probe_end; /* TLP.end_seq */

    /* PRR, in bytes. */
    uint32_t delivered;
    uint32_t sent;
    uint32_t sent_before; /* what might have been, before the loss was seen */
    uint32_t flight_at_start; /* RecoverFS */

    /* Undo: what the windows were before this episode. */
    uint32_t prior_cwnd; /* 0: nothing to undo */
    uint32_t prior_ssthresh;
    struct seq32 undo_una;
    uint32_t again_at_ms; /* our timestamp on its first retransmission */
    uint32_t unproven;    /* retransmissions no DSACK has told of */

    /* For TCP_INFO. */
    uint64_t bytes_again;
    uint32_t dsacks;
    uint32_t reorderings;
    uint32_t reordered_most; /* so many bytes were overtaken */

    uint8_t window_steps;   /* RACK.reo_wnd_mult, 1 to 255 */
    uint8_t window_persist; /* recoveries until it is 1 again */
    uint8_t frto;           /* enum tcp_frto */
    union {
        struct {
            bool is_off : 1; /* no span was to be had: until all is acked */
            bool
                is_timeout : 1; /* mending after a timeout, not by duplicates */
            bool has_probe : 1; /* a tail loss probe is out */
            bool owes_probe : 1;
            bool owes_losses : 1; /* the turn was over: who is lost? */
        };
        uint8_t unusual; /* any of these: the short ways are not for it */
    };
    bool has_rack : 1;
    bool is_reordering : 1; /* RACK.reordering_seen */
    bool has_highest : 1;
    bool has_again : 1; /* again_at_ms is set */
    bool probe_was_again : 1;
    bool is_probe_timer : 1; /* deadline_ns is the probe's */
};

int recoveries_init(size_t count) MUST_CHECK;
