/* SPDX-License-Identifier: MIT */
/*
 * Congestion control as a module with four events: an acknowledgement, a
 * signal of congestion, the end of recovery, the end of an idle time. A
 * module sees the windows and the event, never the connection; when to
 * retransmit what is recovery.c's business, not the module's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/wire/sequence.h"

struct tcp_congestion;

struct tcp_ack_event {
    uint64_t now_ns;
    uint64_t rtt_ns; /* of this ACK's sample; 0: none */
    uint32_t acked;  /* bytes newly acknowledged */
    uint32_t flight; /* the most in flight during the last window */
};

enum tcp_congestion_signal {
    TCP_SIGNAL_LOSS,    /* duplicate ACKs */
    TCP_SIGNAL_TIMEOUT, /* the retransmission timer */
};

struct tcp_congestion_module {
    const char *name;
    void (*on_ack)(struct tcp_congestion *congestion,
                   const struct tcp_ack_event *ack);
    /* Sets ssthresh; for a timeout, cwnd too. */
    void (*on_signal)(struct tcp_congestion *congestion,
                      enum tcp_congestion_signal signal, uint32_t flight);
    void (*on_recovered)(struct tcp_congestion *congestion, uint32_t flight);
    /* Nothing was sent for longer than the retransmission timeout. */
    void (*on_idle)(struct tcp_congestion *congestion);
};

struct tcp_congestion {
    const struct tcp_congestion_module *module;
    uint32_t cwnd; /* all in bytes */
    uint32_t ssthresh;
    uint32_t mss;
    uint32_t counted;     /* acknowledged since cwnd last grew */
    struct seq32 recover; /* RFC 6582: highest sent when loss was seen */
    uint32_t peak; /* most bytes in flight, until peak_end is acknowledged */
    struct seq32 peak_end;
    uint16_t duplicates; /* ACKs in a row */
    bool is_recovering;
    bool had_partial; /* RFC 6582 3.2: only the first restarts the timer */
};

extern const struct tcp_congestion_module newreno_module;

/* A window of RFC 6928 for this segment size. */
uint32_t congestion_initial_window(uint32_t mss);
void congestion_init(struct tcp_congestion *congestion, uint32_t mss,
                     struct seq32 iss);

/* The segment size changed (path MTU). */
void congestion_set_mss(struct tcp_congestion *congestion, uint32_t mss);
