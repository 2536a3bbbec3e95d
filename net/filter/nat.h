/* SPDX-License-Identifier: MIT */
/*
 * Address translation (RFC 3022, RFC 4787, RFC 5382, RFC 5508). What a flow's
 * packets are turned into is written in its two tuples when its first packet
 * passes a rule; from then on each packet becomes what inverts the other
 * direction's tuple.
 */
#pragma once

#include "net/filter/track.h"

enum nat_side {
    NAT_SOURCE,      /* POSTROUTING, INPUT */
    NAT_DESTINATION, /* PREROUTING, OUTPUT */
};

/* What may be chosen from; zero keeps all as it is. */
struct nat_range {
    uint32_t first; /* addresses; 0: the one it has */
    uint32_t last;
    uint16_t port_first; /* 0: any, preferably the one it has */
    uint16_t port_last;
    bool is_random;     /* does not keep the port it has */
    bool is_persistent; /* by the source alone, not by destinations, too */
};

/* Draws the key. Boot. */
void nat_init(void);

/* The packet's flow is fresh: settles one side of it. DROP when every port is
 * taken. */
enum filter_verdict nat_settle(struct packet *packet, enum nat_side side,
                               const struct nat_range *range, uint64_t now_ns);

/* Has the fresh flow's side been settled? */
bool nat_is_settled(const struct packet *packet, enum nat_side side);

/* Turns the packet into what its flow says, on that side. DROP for an error
 * that cannot be translated whole. */
enum filter_verdict nat_translate(struct packet *packet, enum nat_side side);

/* The same for a packet of a flow, not an error about one, of which
 * nat_changes() holds. */
enum filter_verdict nat_change(struct packet *packet, enum nat_side side);

/* Whether packets of a flow's direction are changed on that side. */
static inline bool nat_changes(const struct flow *flow,
                               enum flow_direction direction,
                               enum nat_side side)
{
    /* A source is turned into what answers go to. */
    unsigned by = direction ^ (side == NAT_SOURCE ? 0U : 1U);

    return (flow->status & FLOW_SOURCE_NAT << by) != 0;
}

_Static_assert(FLOW_DESTINATION_NAT == FLOW_SOURCE_NAT << 1, "see above");

/* ---- within nat_*.c --------------------------------------------------------
 */

struct nat_header {
    struct ipv4_header *ip;
    uint8_t *transport;
    size_t linear;
    bool is_partial; /* the checksum holds the sum of the pseudo-header */
};

/* Rewrites one side to `target`'s and corrects the checksums (RFC 1624); those
 * that are not there, or say "none", are left. */
void nat_rewrite(const struct nat_header *header,
                 const struct flow_tuple *target, enum nat_side side);

enum filter_verdict nat_translate_error(struct packet *packet,
                                        enum nat_side side);

/* Chooses a tuple (as the packet will bear it) that no live flow uses. False:
 * none was found. */
bool nat_choose(struct flow_tuple *tuple, uint8_t protocol, enum nat_side side,
                const struct nat_range *range, uint32_t now);
