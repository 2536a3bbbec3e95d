/* SPDX-License-Identifier: MIT */
/*
 * Neighbours: which hardware address has this next hop. Entries are made when
 * we send, or when somebody asks for us; what others announce only changes
 * entries that exist. All functions: softirq, or app with the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/link/netif.h"
#include "net/packet.h"
#include "net/wire/byteorder.h"
#include "net/wire/ethernet.h"

enum neighbour_state {
    NEIGHBOUR_FREE,
    NEIGHBOUR_INCOMPLETE, /* asked for, by broadcast */
    NEIGHBOUR_REACHABLE,  /* confirmed a short while ago */
    NEIGHBOUR_STALE,      /* was, some time ago */
    NEIGHBOUR_DELAY,      /* used since: traffic may still confirm it */
    NEIGHBOUR_PROBE,      /* asked again */
    NEIGHBOUR_FAILED,     /* did not answer */
};

/* What was heard of an address. */
enum neighbour_news {
    NEIGHBOUR_ANNOUNCED, /* told to everybody: only known ones change */
    NEIGHBOUR_ASKED_US,  /* it is about to talk to us */
    NEIGHBOUR_ANSWERED,  /* a reply to us */
};

struct neighbour_counters {
    uint64_t created;
    uint64_t replaced; /* to make room */
    uint64_t refused;  /* no room: all in use */
    uint64_t failed;   /* gave up */
    uint64_t changed;  /* has another hardware address now */
    uint64_t queue_dropped;
};

extern struct neighbour_counters neighbour_counters;

/* `unreachable` gets packets whose next hop does not answer, data at the IP
 * header, and owns them. It is only called from timers. Boot, after the
 * buffers. */
void neighbour_init(void (*unreachable)(struct packet *packet,
                                        uint64_t now_ns));

/* Sends an IP packet to that next hop, at once or when it has answered. */
void neighbour_send(struct netif *netif, struct be32 next_hop,
                    struct packet *packet, uint64_t now_ns);

void neighbour_hear(struct netif *netif, struct be32 address,
                    const struct ethernet_address *hardware,
                    enum neighbour_news news, uint64_t now_ns);

/* Something above knows that it answers (RFC 4861 7.3.1). */
void neighbour_confirm(struct netif *netif, struct be32 address,
                       uint64_t now_ns);

/* Forgets all of one interface: its address or its link is gone. */
void neighbour_flush(struct netif *netif);

size_t neighbour_count(void);

/* For those who look at all of them; `hardware` is zero while unknown. */
struct neighbour_view {
    const struct netif *netif;
    struct be32 address;
    const struct ethernet_address *hardware;
    enum neighbour_state state;
};
void neighbour_visit_all(void (*visit)(void *context,
                                       const struct neighbour_view *view),
                         void *context);
enum neighbour_state neighbour_state(const struct netif *netif,
                                     struct be32 address);
