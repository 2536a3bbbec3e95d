/* SPDX-License-Identifier: MIT */
/*
 * The table of neighbours from inside, for neighbour*.c alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/hash.h"
#include "net/limits.h"
#include "net/link/neighbour.h"
#include "net/timer.h"

struct neighbour {
    struct neighbour *bucket_next;
    struct neighbour *older; /* the order of replacement */
    struct neighbour *newer;
    struct netif *netif;
    struct be32 address;
    struct ethernet_address hardware;
    struct ethernet_header header; /* of frames to it, once it is known */
    uint8_t state;                 /* enum neighbour_state */
    uint8_t probes;
    bool was_used;
    uint64_t used_ns;
    uint64_t confirmed_ns;
    uint64_t changed_ns;
    struct timer timer;
    struct packet_queue queue;
};

extern struct neighbours {
    struct neighbour entries[NEIGHBOUR_MAX];
    struct neighbour *buckets[NEIGHBOUR_BUCKETS];
    struct neighbour *free;
    struct neighbour *oldest;
    struct neighbour *newest;
    struct neighbour
        *recent[NEIGHBOUR_RECENT]; /* most traffic goes to few of them */
    struct hash_key key;
    size_t count;
    size_t incomplete;
    size_t queued;
    size_t queued_limit;
    /* Told to be unreachable in a moment: not from inside neighbour_send,
     * whose caller may be the very transport that must hear it. */
    struct packet_queue refused;
    struct timer refused_timer;
    void (*unreachable)(struct packet *packet, uint64_t now_ns);
} neighbours;

static inline struct neighbour **neighbour_recent(const struct netif *netif,
                                                  struct be32 address)
{
    return &neighbours
                .recent[(address.octet[3] + netif->index) % NEIGHBOUR_RECENT];
}

static inline bool neighbour_is(const struct neighbour *n,
                                const struct netif *netif, struct be32 address)
{
    return n->netif == netif && be32_equal(n->address, address);
}

/* NULL: there is none. */
struct neighbour *neighbour_find(const struct netif *netif,
                                 struct be32 address);

/* A new one; `for_us`: we want to send to it. NULL: no room. */
struct neighbour *neighbour_create(struct netif *netif, struct be32 address,
                                   bool for_us, uint64_t now_ns);
void neighbour_remove(struct neighbour *n);

/* It is the last to be replaced. */
void neighbour_make_newest(struct neighbour *n);
void neighbour_set_state(struct neighbour *n, enum neighbour_state state);
struct packet *neighbour_take_queued(struct neighbour *n);
