/* SPDX-License-Identifier: MIT */
/*
 * What TCP keeps of a connection, under the names of RFC 9293 3.3.1, and the
 * functions its files call of each other. A connection has one timer, set to
 * the earliest of its deadlines (timers.c). Whoever makes it owe something
 * calls connection_touch(); what is sent, and when, is decided by output.c
 * alone (output_plain.c is its short way).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/tcp/congestion.h"
#include "net/tcp/counters.h"
#include "net/tcp/queues.h"
#include "net/tcp/recovery.h"
#include "net/tcp/rtt.h"
#include "net/tcp/seldom.h"
#include "net/tcp/table.h"
#include "net/tcp/tcp.h"

#include "net/ip/ip.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/timer.h"
#include "net/wire/sequence.h"
#include "net/wire/tcp.h"

struct tcp_listener;

/* One received segment, parsed and in host order. */
struct tcp_segment {
    struct seq32 seq;
    struct seq32 ack;
    uint32_t length; /* of the payload */
    uint32_t window; /* not scaled */
    uint8_t flags;   /* without ECE and CWR... */
    uint8_t ecn;     /* ...which are here, over the two bits of the IP header */
    struct seq32 urgent_from; /* seq, as it came */
    struct seq32 urgent_end;  /* as the urgent pointer says */
    struct tcp_header_options options;
};

/* Sequence space the segment takes up. */
static inline uint32_t segment_space(const struct tcp_segment *segment)
{
    return segment->length + ((segment->flags & TCP_SYN) != 0) +
           ((segment->flags & TCP_FIN) != 0);
}

/* What input asks of output. */
enum tcp_owed {
    OWES_ACK = 1 << 0,    /* an acknowledgement, now */
    OWES_OUTPUT = 1 << 1, /* look whether something can be sent */
    OWES_SYN = 1 << 2,    /* the SYN, first or again */
    OWES_REXMIT = 1 << 3, /* the segment at snd.una, once */
    OWES_PROBE = 1 << 4,  /* one octet past the window, or what fits */
    OWES_KEEP = 1 << 5,   /* a keep-alive probe */
    OWES_RESET = 1 << 6,  /* a reset; then the connection is gone */
    OWES_MEMORY = 1 << 7, /* a writer waits for send memory */
};

struct tcp_connection {
    struct tcp_node node; /* kind, tuple */

    /* Two cache lines, the node's included, of what every segment touches. */
    uint8_t state;      /* enum tcp_state */
    uint8_t owed;       /* enum tcp_owed */
    uint8_t quick_acks; /* so many more are not delayed */
    uint8_t retries;    /* of the retransmit or persist timer, in a row */
    union {
        struct {
            bool is_orphan : 1;
            bool fin_queued : 1;
            bool read_shut : 1;
            bool is_urgent : 1;  /* perhaps not acknowledged up to that mark */
            bool holds_more : 1; /* MSG_MORE, and no acknowledgement since */
            uint8_t spent : 3;   /* enum tcp_spent */
        };
        /* Any of these: the short ways are not for it, but that a FIN may go
         * by itself (may_finish() in output_plain.c lists the rest). */
        uint8_t unusual;
    };
    bool is_pending : 1;
    bool is_dead : 1; /* to be freed when taken from the pending list */
    bool is_sending : 1;
    bool has_timestamps : 1;
    bool has_sack : 1;
    bool is_accept_queued : 1;
    bool fin_received : 1;
    bool rtt_timing : 1;
    bool is_keep_probing : 1;
    bool is_persisting : 1; /* retransmit_at_ns is the persist deadline */
    bool mtu_pending : 1;
    bool has_urgent : 1; /* not read up to that mark (seldom.h) */
    bool has_ecn : 1;
    bool ecn_asked : 1;      /* in our SYN */
    bool ecn_echo : 1;       /* marks came, and no CWR since */
    bool ecn_heard : 1;      /* the ACK in hand has ECE */
    bool ecn_reduced : 1;    /* for this window, up to ecn_end */
    bool ecn_cwr_owed : 1;   /* on the next new data */
    bool is_probing_mtu : 1; /* the segment being made is a probe */
    bool is_peer_losing : 1; /* quick_acks are for that */
    bool is_pushed : 1;      /* no cork holds what was written up to now */
    /* Of each write: an octet is stored, a bit has to be put in its place. */
    bool is_cut;       /* the last one did not fit: the rest follows */
    bool is_more;      /* MSG_MORE on the last one */
    bool was_writable; /* as tcp_ready() said last */
    struct {
        struct seq32 nxt;
        struct seq32 edge;     /* right edge of the window, as offered */
        struct seq32 last_ack; /* what we acknowledged last */
        uint16_t mss;          /* largest payload seen */
        uint8_t scale;
    } rcv;
    struct {
        struct seq32 una;   /* until established, the first of all */
        struct seq32 nxt;   /* to be sent next; goes back after a timeout */
        struct seq32 max;   /* RFC 9293's SND.NXT: all before was sent once */
        struct seq32 small; /* end of the last segment shorter than mss */
        struct seq32 wl1;
        struct seq32 wl2;
        uint32_t wnd;
        uint32_t max_wnd;
        uint16_t mss; /* payload of a full segment, options allowed for */
        uint8_t scale;
    } snd;
    uint32_t ts_recent;
    uint32_t ts_offset;
    uint32_t text_at_ms;  /* when some last came, or it was established */
    uint32_t retransmits; /* of segments, in its whole life */

    struct tcp_send_queue send;
    struct tcp_receive_queue receive;
    struct tcp_recovery *recovery; /* NULL: nothing sent yet, or no SACK */
    struct tcp_seldom *seldom;     /* NULL: nothing in it */
    struct tcp_connection *pending_next;
    union {
        void *owner;
        struct tcp_connection *accept_next;
    };
    struct tcp_congestion congestion;
    struct tcp_rtt rtt;
    struct seq32 rtt_seq; /* the segment being timed ends here... */
    uint32_t rtt_at_us;   /* ...and left then, no longer ago than an RTO */

    /* Deadlines; 0 is none. */
    struct timer timer;
    uint64_t retransmit_at_ns;
    uint64_t ack_at_ns;
    uint64_t keep_at_ns; /* keep-alive; for an orphan, the end of its life */

    /* When something happened, in milliseconds modulo 2^32 (49 days). */
    uint32_t progress_at_ms; /* when snd.una last moved, or sending began */
    uint32_t sent_at_ms;     /* when data last left; 0: never */
    uint32_t heard_at_ms;    /* when a segment last was acceptable */

    uint8_t error;      /* an errno for the owner */
    uint8_t soft_error; /* what may explain a timeout */
    uint8_t keep_probes;
    uint8_t challenges;  /* challenge ACKs in this second */
    uint8_t challenge_s; /* modulo 2^8: one more or less in 256 s */
    uint8_t more_acks;   /* in this batch, besides the one owed */
    uint16_t pseudo_sum; /* of the pseudo-header but for the length */
    struct tcp_options options;
    struct seq32 ecn_end;
    uint32_t read_bytes; /* by the app, since read_at_us */
    uint32_t read_at_us;
    uint16_t confirmed_at; /* coarse_time() when the next hop was last said to
                              answer */
    uint16_t peer_mss;     /* as the peer's option said */
    uint16_t path_mtu;     /* learnt by ICMP; 0: the route's */
    uint16_t pending_mtu;  /* claimed, believed at the next timeout */
    uint16_t acked_size;   /* largest segment size known to have arrived */
    uint16_t ts_recent_at; /* connection_age() when ts_recent was set */
    struct ip_hop hop;     /* the way to the peer */

    /* For TCP_INFO, in its whole life. */
    uint64_t bytes_acknowledged; /* of ours; the FIN is one */
    uint64_t bytes_received;     /* in order */
    uint32_t segments_in;
    uint32_t segments_out;
    uint32_t text_in; /* of them, with text */
    uint32_t text_out;
};

_Static_assert(offsetof(struct tcp_connection, send) <= 128,
               "what every segment touches lies in two cache lines");

static inline struct tcp_connection *connection_of(struct tcp_node *node)
{
    return container_of(node, struct tcp_connection, node);
}

/* Where its segments leave. */
static inline const struct netif *
connection_netif(const struct tcp_connection *c)
{
    return netif_by_index(c->hop.netif);
}

/* Sent and not acknowledged, the SYN and FIN included. */
static inline uint32_t connection_flight(const struct tcp_connection *c)
{
    return (uint32_t)seq_diff(c->snd.nxt, c->snd.una);
}

/* Every byte in flight is on the scoreboard; otherwise NewReno recovers. */
static inline bool connection_is_tracking(const struct tcp_connection *c)
{
    return c->recovery != NULL && !c->recovery->is_off;
}

/* Something came too early and waits. */
static inline bool connection_has_early(const struct tcp_connection *c)
{
    return c->seldom != NULL && c->seldom->reassembly.first != NULL;
}

/* How many packets that is. */
static inline uint32_t connection_early_packets(const struct tcp_connection *c)
{
    return c->seldom == NULL ? 0 : c->seldom->reassembly.count;
}

/* A larger MTU is being looked for. */
static inline bool connection_seeks_mtu(const struct tcp_connection *c)
{
    return c->seldom != NULL && c->seldom->mtu.high != 0;
}

static inline uint32_t connection_window(const struct tcp_connection *c)
{
    int32_t window = seq_diff(c->rcv.edge, c->rcv.nxt);
    return window > 0 ? (uint32_t)window : 0;
}

/* RFC 7323's clock: milliseconds, from a start of the connection's own. */
static inline uint32_t connection_timestamp(const struct tcp_connection *c,
                                            uint64_t now_ns)
{
    return (uint32_t)(now_ns / NS_PER_MS) + c->ts_offset;
}

/* In the unit of connection's past times; never 0. */
static inline uint32_t connection_ms(uint64_t now_ns)
{
    uint32_t ms = (uint32_t)(now_ns / NS_PER_MS);

    return ms + (ms == 0);
}

/* Seconds, or nearly: of 2^30 nanoseconds, which cost no division. */
static inline uint32_t coarse_time(uint64_t now_ns)
{
    return (uint32_t)(now_ns >> 30);
}

/* In steps of 2^40 nanoseconds, 18 minutes; modulo 2^16, more than 2 years. */
static inline uint16_t connection_age(uint64_t now_ns)
{
    return (uint16_t)(now_ns >> 40);
}

/* An acceptable segment came: whatever it brings, the peer lives. */
static inline void connection_heard(struct tcp_connection *c, uint64_t now_ns)
{
    c->heard_at_ms = connection_ms(now_ns);
    c->soft_error = 0;
    c->keep_probes = 0;
    c->is_keep_probing = false;
}

/* `length` of text left from `seq` on, perhaps a FIN with it; snd.nxt has moved
 * on. If nothing is being timed, this is: of a burst its first segment, which
 * may be acknowledged alone. */
static inline void connection_time_segment(struct tcp_connection *c,
                                           struct seq32 seq, uint32_t length,
                                           uint64_t now_ns)
{
    if (c->rtt_timing)
        return;
    c->rtt_timing = true;
    c->rtt_seq = length > c->snd.mss ? seq_add(seq, c->snd.mss) : c->snd.nxt;
    c->rtt_at_us = (uint32_t)(now_ns / NS_PER_US);
}

/* Text left, whether for the first time or again. */
static inline void connection_text_sent(struct tcp_connection *c,
                                        uint64_t now_ns)
{
    if (c->quick_acks != TCP_QUICK_ACKS)
        c->quick_acks = 0; /* a dialogue: ACKs can ride on data */
    c->sent_at_ms = connection_ms(now_ns);
}

/* RFC 5681 4.1: nothing was sent for longer than an RTO. */
static inline bool connection_was_idle(const struct tcp_connection *c,
                                       uint64_t now_ns)
{
    return connection_flight(c) == 0 && c->sent_at_ms != 0 &&
           (connection_ms(now_ns) - c->sent_at_ms) * NS_PER_MS >
               rtt_timeout_ns(&c->rtt);
}

static inline bool state_is_synchronised(enum tcp_state state)
{
    return state >= TCP_ESTABLISHED && state < TCP_STATE_COUNT;
}

/* connection.c: life and death. In the table it takes the place of `old`, a
 * half-open one, if there is one. */
int connection_pool_init(size_t count) MUST_CHECK;
struct tcp_connection *connection_create(const struct tcp_tuple *tuple,
                                         const struct ip_hop *hop,
                                         const struct tcp_options *options,
                                         struct tcp_node *old,
                                         uint64_t now_ns) MUST_CHECK;
bool connection_is_available(void);
void connection_set_state(struct tcp_connection *c, enum tcp_state state);
void owner_notify(void *owner, uint32_t ready);
void connection_notify(struct tcp_connection *c, uint32_t ready);

/* The protocol is done with it: out of the table, no timers. The object stays
 * for its owner, with this error (0: none), or is freed if it has none. */
void connection_finish(struct tcp_connection *c, int error);

/* The same for one that is no longer in the table. */
void connection_leave(struct tcp_connection *c, int error);

/* The owner lets go of one that is finished. */
void connection_release(struct tcp_connection *c);

/* Nobody has it any more: back to the pool, or marked dead while it is on the
 * list of those who owe or is being run (pending.c), which then calls again. */
void connection_free(struct tcp_connection *c);
void connection_update_mss(struct tcp_connection *c);

/* A reset is owed, and the end. */
void connection_abort(struct tcp_connection *c, int error);
bool connection_route(struct tcp_connection *c);
size_t connections_total(void);
struct tcp_connection *connection_at(size_t index); /* NULL: free */
size_t orphan_count(void);
void connection_make_orphan(struct tcp_connection *c);
