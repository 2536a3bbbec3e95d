/* SPDX-License-Identifier: MIT */
/*
 * Congestion control as a module with four events: an acknowledgement, a
 * signal of congestion, the end of recovery, the end of an idle time. A
 * module sees the windows and the event, never the connection; when to
 * retransmit what is recovery.c's business, not the module's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/sequence.h"

struct tcp_congestion;

struct tcp_ack_event {
    uint64_t now_ns;
    uint32_t rtt_us; /* of this ACK's sample, to TCP_RTO_MAX; 0: none */
    uint32_t acked;  /* bytes newly acknowledged */
    bool is_unused;  /* what the window allowed was not asked for */
    uint32_t smoothed_rtt_us;
    struct seq32 una; /* SND.UNA and SND.NXT, to tell round trips apart */
    struct seq32 nxt;
};

enum tcp_congestion_signal {
    TCP_SIGNAL_LOSS,    /* duplicate ACKs */
    TCP_SIGNAL_TIMEOUT, /* the retransmission timer */
    TCP_SIGNAL_ECN,     /* RFC 3168: marked, nothing lost */
    /* The signal before was a mistake; cwnd and ssthresh are already back. */
    TCP_SIGNAL_UNDO,
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

/* What the modules remember; all zero at the start. Times in milliseconds and
 * microseconds wrap; windows are bytes. */

/* RFC 9406: round-trip times of the first slow start. */
struct hystart {
    uint32_t last_us; /* least of the last round; 0: none */
    uint32_t current_us;
    uint32_t baseline_us; /* when CSS was entered */
    uint8_t samples;
    uint8_t css_rounds; /* begun; 0: not in CSS */
};

/* RFC 9438: one stage of congestion avoidance, and what outlives it. */
struct cubic {
    union {
        struct hystart hystart;
        struct {
            uint32_t credit; /* of W_est, in 17ths of byte windows: less
                                than 2^35, with credit_high above it */
            uint32_t estimate;
            uint32_t origin; /* W_max, or cwnd where the stage began */
            uint32_t plateau_ms;
            uint32_t began_ms;
            uint32_t seen_ms; /* when the window was last in use */
        };
    };
    uint32_t maximum; /* W_max; 0: none known */
    uint32_t prior;   /* cwnd_prior */
    uint32_t undone;  /* W_max before the last signal... */
    uint8_t credit_high;
    bool was_running : 1; /* ...and whether it ended a stage */
    bool had_signal : 1;  /* HyStart++ is over */
    bool is_running : 1;  /* there is a stage */
    bool is_paused : 1;   /* and its clock stands */
};

struct vegas {
    uint32_t base_us;  /* the least ever; 0: none */
    uint32_t round_us; /* the least of this round; 0: none */
    bool is_waiting;   /* slow start grows every other round */
};

struct westwood {
    uint32_t rate;     /* bytes per second, filtered twice */
    uint32_t rate_raw; /* once */
    uint32_t least_us; /* RTTmin; 0: none */
    uint32_t bytes;    /* in the sample that began then */
    uint32_t began_ms;
    bool is_sampling;
};

struct bic {
    uint32_t maximum; /* where the last loss was; 0: none */
};

struct tcp_congestion {
    uint32_t cwnd; /* all in bytes; 0: not begun */
    uint32_t ssthresh;
    uint32_t counted;     /* acknowledged since cwnd last grew */
    struct seq32 recover; /* RFC 6582: highest sent when loss was seen */
    uint32_t peak; /* most bytes in flight, until peak_end is acknowledged */
    struct seq32 peak_end;
    struct seq32 round_end; /* a round trip is over when this is acknowledged */
    uint16_t mss;
    uint16_t duplicates; /* ACKs in a row */
    uint8_t number;      /* of the module */
    bool was_full;       /* at that peak */
    bool is_recovering : 1;
    bool had_partial : 1; /* RFC 6582 3.2: only the first restarts the timer */
    union {
        struct cubic cubic;
        struct vegas vegas;
        struct westwood westwood;
        struct bic bic;
    };
};

extern const struct tcp_congestion_module newreno_module;
extern const struct tcp_congestion_module cubic_module;
extern const struct tcp_congestion_module vegas_module;
extern const struct tcp_congestion_module westwood_module;
extern const struct tcp_congestion_module bic_module;

/* The modules by number, the default first; NULL past the last. */
enum {
    CONGESTION_CUBIC,
    CONGESTION_NEWRENO,
    CONGESTION_VEGAS,
    CONGESTION_WESTWOOD,
    CONGESTION_BIC,
    CONGESTION_MODULES,
};
extern const struct tcp_congestion_module
    *const congestion_modules[CONGESTION_MODULES];
const struct tcp_congestion_module *congestion_module(size_t number);

static inline const struct tcp_congestion_module *
congestion_chosen(const struct tcp_congestion *congestion)
{
    return congestion_modules[congestion->number];
}

static inline bool congestion_in_slow_start(const struct tcp_congestion *c)
{
    return c->cwnd < c->ssthresh;
}

/* With so much in flight it has no room for another segment. */
static inline bool congestion_is_full(const struct tcp_congestion *congestion,
                                      uint32_t flight)
{
    return congestion->cwnd < flight + congestion->mss;
}

/* So much is in flight, snd.nxt included: was the window in use? The most until
 * all that was out then is acknowledged tells. */
static inline void congestion_note_flight(struct tcp_congestion *congestion,
                                          uint32_t flight, struct seq32 una,
                                          struct seq32 nxt)
{
    if (flight < congestion->peak && seq_before(una, congestion->peak_end))
        return;
    congestion->peak = flight;
    congestion->was_full = congestion_is_full(congestion, flight);
    congestion->peak_end = nxt;
}

/* The window was not in use, and so nothing was learnt of the path (RFC 7661
 * 4.1); in slow start more than half full is enough, as Linux has it. What was
 * full stays so when ACKs of one time let it grow before more can be sent. */
static inline bool congestion_is_unused(const struct tcp_congestion *congestion)
{
    uint32_t cwnd = congestion->cwnd;

    if (congestion->was_full)
        return false;
    if (congestion_in_slow_start(congestion))
        return congestion->peak <= cwnd / 2;
    return congestion->peak + congestion->mss < cwnd;
}

/* A window of RFC 6928 for this segment size. */
uint32_t congestion_initial_window(uint32_t mss);

/* Starts with NewReno. */
void congestion_init(struct tcp_congestion *congestion, uint32_t mss,
                     struct seq32 iss);

/* The windows stay, the module begins anew. */
void congestion_select(struct tcp_congestion *congestion, size_t number);

/* The segment size changed (path MTU). */
void congestion_set_mss(struct tcp_congestion *congestion, uint32_t mss);
