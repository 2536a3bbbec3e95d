/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking: gives each packet its flow, and its place in it. The
 * states are those of `ct state` in a rule file.
 */
#pragma once

#include "net/filter/filter.h"
#include "net/filter/flow.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

/* Of packet->flow_state: bits as Linux numbers them for `ct state`. */
enum track_state {
    TRACK_INVALID = 1 << 0,
    TRACK_ESTABLISHED = 1 << 1,
    TRACK_RELATED = 1 << 2,
    TRACK_NEW = 1 << 3,
    TRACK_UNTRACKED = 1 << 6,
    TRACK_IS_REPLY = FILTER_IS_REPLY, /* direction: with a flow */
};

/* A packet as the trackers see it. */
struct track_segment {
    const struct ipv4_header *ip;
    const uint8_t *transport;
    uint32_t linear; /* bytes at `transport` */
    uint32_t length; /* bytes of transport header and payload in all */
    uint32_t now;    /* in ticks */
    enum flow_direction direction;
};

/* What a protocol's tracker says of a packet of a known flow. */
enum track_verdict {
    TRACK_IN_FLOW,
    TRACK_NOT_OF_IT, /* invalid; the flow is as it was */
    TRACK_ANEW,      /* the flow is over, this begins one */
};

enum track_timeout {
    TRACK_GENERIC_TIMEOUT,
    TRACK_ICMP_TIMEOUT,
    TRACK_UDP_TIMEOUT,
    TRACK_UDP_STREAM_TIMEOUT,
    TRACK_TCP_TIMEOUTS, /* by enum flow_tcp_state, from SYN_SENT on */
};

enum flow_tcp_state {
    FLOW_TCP_NONE,
    FLOW_TCP_SYN_SENT,
    FLOW_TCP_SYN_RECV,
    FLOW_TCP_ESTABLISHED,
    FLOW_TCP_FIN_WAIT,
    FLOW_TCP_CLOSE_WAIT,
    FLOW_TCP_LAST_ACK,
    FLOW_TCP_TIME_WAIT,
    FLOW_TCP_CLOSE,
    FLOW_TCP_SYN_SENT2, /* both opened */
    FLOW_TCP_STATE_COUNT,
};

enum {
    TRACK_TCP_MAX_RETRANS_TIMEOUT = TRACK_TCP_TIMEOUTS + FLOW_TCP_STATE_COUNT,
    TRACK_TCP_UNACKNOWLEDGED_TIMEOUT,
    TRACK_TIMEOUT_COUNT,
};

extern uint32_t track_timeouts[TRACK_TIMEOUT_COUNT]; /* in ticks */

struct track_settings {
    bool checksum;       /* verify those the NIC did not */
    bool tcp_loose;      /* take up connections in their middle */
    bool tcp_be_liberal; /* only resets must be within the window */
    bool tcp_ignore_invalid_rst;
    uint8_t tcp_max_retrans;
};

extern struct track_settings track_settings;

void track_init(void);

/* One of Linux's net.netfilter settings, without `net.`: -ENOENT, -EINVAL. */
int track_set(const char *name, unsigned value) MUST_CHECK;

/* PREROUTING and OUTPUT: sets packet->flow and packet->flow_state. */
void track_packet(struct packet *packet, uint64_t now_ns);

/* The packet passed all hooks: a flow it began goes into the table. DROP when
 * there is no room. */
enum filter_verdict track_confirm(struct packet *packet, uint64_t now_ns);

/* The flow that the packet being worked on has begun; there is only one such
 * packet at a time (filter.h). */
extern struct flow track_fresh;

/* This flow is of the packet's making, not of one that it speaks of, and not in
 * the table yet. */
static inline bool track_is_fresh(const struct packet *packet)
{
    return packet->flow == &track_fresh &&
           (packet->flow_state & TRACK_RELATED) == 0;
}

static inline bool track_needs_checksum(const struct packet *packet)
{
    return packet->checksum == PACKET_CHECKSUM_NONE &&
           track_settings.checksum && packet->netif != NULL &&
           !packet->is_looped;
}

static inline enum flow_direction track_direction(const struct packet *packet)
{
    return (packet->flow_state & TRACK_IS_REPLY) != 0 ? FLOW_REPLY
                                                      : FLOW_ORIGINAL;
}

const char *track_tcp_state_name(unsigned state);

/* ---- the trackers, as track.c calls them ----------------------------------
 */

/* Fills in a fresh flow. False: the packet begins none. */
bool track_tcp_begin(struct flow *flow, const struct track_segment *segment);
/* The usual cases in one go: an ACK without options of IP or SACK blocks, of an
 * established connection that goes both ways, and in its window; UDP of a
 * known flow. False: nothing was done. */
bool track_usual(struct packet *packet, uint32_t now);
/* What track_packet does with all others. */
void track_unusual(struct packet *packet, uint64_t now_ns);
void track_udp_continue(struct flow *flow, uint32_t now);
/* The transport's checksum, its pseudo-header's included or not. */
bool track_is_intact(const struct packet *packet, bool has_pseudo);
uint32_t track_tcp_timeout(const struct flow *flow);
enum track_verdict track_tcp_continue(struct flow *flow,
                                      const struct track_segment *segment);

/* A rule answered this packet with a reset: as good as one of the flow's. */
void track_tcp_refused(const struct packet *packet, uint64_t now_ns);

/* Header lengths and flags that no stack sends. */
bool track_tcp_is_sane(const struct track_segment *segment);

/* Sequence and acknowledgement against what both sides announced ("Real
 * Stateful TCP Packet Filtering in IP Filter", G. van Rooij). */
enum track_window {
    TRACK_WINDOW_OK,
    TRACK_WINDOW_ASIDE,   /* a late copy, or a little too much: passes, and
                             changes no state */
    TRACK_WINDOW_OUTSIDE, /* invalid */
};
enum track_window track_tcp_window(struct flow *flow,
                                   const struct track_segment *segment,
                                   unsigned kind);
void track_tcp_window_begin(struct flow *flow,
                            const struct track_segment *segment);
void track_tcp_options(const struct track_segment *segment,
                       struct flow_tcp_side *side);
uint32_t track_tcp_end(const struct track_segment *segment);

/* An ICMP error: finds the flow of the packet it quotes, and the direction the
 * error goes. NULL: none, or not worth belief. */
struct flow *track_icmp_error(const struct track_segment *segment,
                              enum flow_direction *direction);
bool track_is_icmp_error(const struct track_segment *segment);

/* The tuple at a transport header of which `linear` bytes are there. False
 * when too short. */
bool track_tuple(const struct ipv4_header *ip, const uint8_t *transport,
                 size_t linear, struct flow_tuple *tuple);

/* ---- bits of struct flow_tcp ------------------------------------------------
 */

enum flow_tcp_flag {
    FLOW_TCP_SCALES = 1 << 0,   /* offered window scaling */
    FLOW_TCP_SACKS = 1 << 1,    /* may send SACK blocks */
    FLOW_TCP_CLOSED = 1 << 2,   /* sent the first FIN */
    FLOW_TCP_LIBERAL = 1 << 3,  /* its window is not known for certain */
    FLOW_TCP_UNACKED = 1 << 4,  /* sent data not acknowledged yet */
    FLOW_TCP_HAS_ACKED = 1 << 5 /* ack_max is set */
};

enum flow_tcp_last_flag {
    FLOW_TCP_LAST_SCALES = 1 << 0,
    FLOW_TCP_LAST_SACKS = 1 << 1,
    FLOW_TCP_CHALLENGE = 1 << 2, /* RFC 5961: an ACK to come proves nothing */
    FLOW_TCP_BOTH_OPEN = 1 << 3,
};

/* What a segment is in the first place. */
enum track_kind {
    TRACK_SYN,
    TRACK_SYN_ACK,
    TRACK_FIN,
    TRACK_ACK,
    TRACK_RST,
    TRACK_BARE, /* none of these flags */
    TRACK_KIND_COUNT,
};
