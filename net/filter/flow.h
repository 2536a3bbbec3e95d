/* SPDX-License-Identifier: MIT */
/*
 * Flows: what connection tracking remembers of one conversation, and the table
 * of all of them, found by the keyed hash of either direction's addresses and
 * ports. A packet's first sight of a flow is not in the table: it gets there
 * when the packet has passed every hook (flow_confirm), so that what the rules
 * drop costs no memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/attributes.h"
#include "net/limits.h"

enum flow_protocol {
    FLOW_ICMP = 1,
    FLOW_TCP = 6,
    FLOW_UDP = 17,
};

enum flow_direction {
    FLOW_ORIGINAL,
    FLOW_REPLY,
};

/* What a packet of one direction bears. ICMP queries: the identifier as
 * source port, type and code as destination port. In this order it is made of
 * two words of the packet, each turned round as a whole. */
struct flow_tuple {
    uint32_t destination;
    uint32_t source;
    uint16_t destination_port;
    uint16_t source_port;
};

/* Linux's IPS_ bits, as `ct status` names them, and our own. */
enum flow_status {
    FLOW_SEEN_REPLY = 1 << 1,
    FLOW_ASSURED = 1 << 2, /* not dropped early */
    FLOW_CONFIRMED = 1 << 3,
    FLOW_SOURCE_NAT = 1 << 4,
    FLOW_DESTINATION_NAT = 1 << 5,
    FLOW_SOURCE_DONE = 1 << 7, /* the rules have been asked */
    FLOW_DESTINATION_DONE = 1 << 8,
    FLOW_DYING = 1 << 9,
    FLOW_BOTH_KNOWN = 1 << 10, /* TCP: windows of both sides; seen reply */
};

/* One side of a TCP connection, as its packets let us see it. */
struct flow_tcp_side {
    uint32_t end;        /* highest sequence number sent, plus one */
    uint32_t end_max;    /* highest the other side allows */
    uint32_t window_max; /* largest it offered, scaled */
    uint32_t ack_max;
    uint8_t scale;
    uint8_t flags; /* enum flow_tcp_flag */
};

struct flow_tcp {
    struct flow_tcp_side side[2];
    uint32_t last_ack; /* in this order for track_usual.c */
    uint32_t last_sequence;
    uint32_t last_end;
    uint16_t last_window;
    uint8_t state; /* enum flow_tcp_state */
    uint8_t last_kind;
    uint8_t last_direction;
    uint8_t last_scale;
    uint8_t last_flags;
    uint8_t repeats;
};

struct flow {
    struct flow_tuple tuple[2];
    uint32_t next[2];    /* of the chains, as handles */
    uint32_t expires;    /* in ticks */
    uint32_t packets[2]; /* by direction, for people */
    uint64_t bytes[2];
    uint16_t status; /* enum flow_status */
    uint8_t protocol;
    uint8_t out; /* masquerade: its interface's index, plus one */
    union {
        struct flow_tcp tcp;
        uint32_t stream_at; /* UDP: in ticks */
    };
};

_Static_assert(sizeof(struct flow) <= 128, "a million fit 128 MiB");

/* Time of flows: 2^20 ns, about a millisecond, modulo 2^32. */
#define FLOW_TICK_SHIFT 20

static inline uint32_t flow_ticks(uint64_t now_ns)
{
    return (uint32_t)(now_ns >> FLOW_TICK_SHIFT);
}

static inline bool flow_is_due(uint32_t deadline, uint32_t now)
{
    return (int32_t)(deadline - now) <= 0;
}

struct flow_counters {
    uint64_t created;
    uint64_t refused; /* the table was full of assured flows */
    uint64_t evicted; /* dropped early, to make room */
    uint64_t expired;
    uint64_t invalid; /* packets that belong to no flow and begin none */
};

extern struct flow_counters flow_counters;

/* Takes the memory of the table, as many flows as a part of all memory holds.
 * -ENOMEM when there is not enough. Boot. */
int flow_table_init(void) MUST_CHECK;

/* At most so many, and no more than there is memory for. */
void flow_table_limit(size_t count);
size_t flow_table_limit_now(void);

/* Sets *direction to that of the tuple. NULL: no such flow. */
struct flow *flow_find(const struct flow_tuple *tuple, uint8_t protocol,
                       uint32_t now, enum flow_direction *direction);

struct flow_found {
    struct flow *flow; /* NULL: no such flow */
    enum flow_direction direction;
};

/* The places, and where tuples were found last (flow_table.c). */
extern struct flow_recent {
    struct flow *flows;
    uint32_t *handles;
    uint32_t mask;
} flow_recent;

/* By the two words of a tuple, in the whole table. */
struct flow_found flow_find_words(uint64_t hosts, uint32_t ports,
                                  uint8_t protocol, uint32_t now);

/* A pair of places, where the tuple's handle may be. */
static inline uint32_t *flow_recent_of(uint64_t hosts, uint32_t ports)
{
    hosts = (hosts ^ ports * FLOW_HASH_FACTOR) * FLOW_HASH_FACTOR;
    return &flow_recent.handles[hosts >> 31 & flow_recent.mask];
}

/* The flow of that handle, if it has this tuple: a place may have another by
 * now; who leaves the table is forgotten. */
static inline struct flow_found flow_found_at(uint32_t handle, uint64_t hosts,
                                              uint32_t ports, uint8_t protocol,
                                              uint32_t now)
{
    struct flow *flow = &flow_recent.flows[(handle - 1) / 2];
    enum flow_direction direction = (handle - 1) % 2;
    const struct flow_tuple *tuple = &flow->tuple[direction];

    if (handle != 0 && memcmp(tuple, &hosts, sizeof(hosts)) == 0 &&
        memcmp(&tuple->destination_port, &ports, sizeof(ports)) == 0 &&
        flow->protocol == protocol && !flow_is_due(flow->expires, now))
        return (struct flow_found){flow, direction};
    return (struct flow_found){NULL, FLOW_ORIGINAL};
}

/* The same as flow_find_words, where packets of known flows are looked for. */
static inline struct flow_found flow_find_recent(uint64_t hosts, uint32_t ports,
                                                 uint8_t protocol, uint32_t now)
{
    struct flow_found found = flow_found_at(flow_recent_of(hosts, ports)[0],
                                            hosts, ports, protocol, now);

    return found.flow != NULL ? found
                              : flow_find_words(hosts, ports, protocol, now);
}

/* Whether a packet like that would be taken for one of a flow's. */
bool flow_is_taken(const struct flow_tuple *tuple, uint8_t protocol,
                   uint32_t now);

/* Puts a copy into the table, or NULL: full, or one of its tuples is taken. */
struct flow *flow_insert(const struct flow *fresh, uint32_t now) MUST_CHECK;

/* Out of the table at once; its memory stays as it is until the next call of
 * flow_reap, for the packet that ended it. */
void flow_remove(struct flow *flow);
void flow_reap(void);

/* Frees what has expired among the next flows: bounded work. */
void flow_table_age(uint32_t now, size_t count);
void flow_table_clear(void);

size_t flow_count(void);
size_t flow_capacity(void);
/* For tests: how well the hash spreads. */
size_t flow_longest_chain(void);
/* The n-th place; NULL when it holds no flow. For visits. */
struct flow *flow_at(size_t index);

/* Addresses and ports of the answer. */
struct flow_tuple flow_inverse(const struct flow_tuple *tuple,
                               uint8_t protocol);

static inline bool flow_tuple_equal(const struct flow_tuple *a,
                                    const struct flow_tuple *b)
{
    return memcmp(a, b, sizeof(*a)) == 0; /* there is no padding */
}
