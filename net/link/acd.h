/* SPDX-License-Identifier: MIT */
/*
 * Address conflict detection (RFC 5227): is an address free, it is mine now,
 * and it stays mine. One address for each interface.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/link/netif.h"
#include "net/wire/arp.h"
#include "net/wire/byteorder.h"

struct acd_counters {
    uint64_t conflicts_found; /* while probing: not taken */
    uint64_t conflicts_seen;  /* somebody uses the address we have */
    uint64_t defences;
};

extern struct acd_counters acd_counters;

typedef void acd_done(struct netif *netif, struct be32 address, bool is_free,
                      uint64_t now_ns);

/* Boot. */
void acd_init(void);

/* Probes for `address`; `done` is told once, later. Replaces what was going
 * on for this interface. In haste (an address a server gave, which knows its
 * leases) it takes ACD_HASTE_NS times ACD_HASTE_PROBES, else some seconds. */
void acd_probe(struct netif *netif, struct be32 address, bool in_haste,
               acd_done *done, uint64_t now_ns);

/* Tells everybody that the interface has its address now: gratuitous ARP. */
void acd_announce(struct netif *netif, uint64_t now_ns);

/* Ends probing and announcing; `done` is not called. */
void acd_cancel(struct netif *netif);

/* A valid ARP message was received. True when it claims our address: nothing
 * else may be learnt from it. */
bool acd_hear(struct netif *netif, const struct arp_message *message,
              uint64_t now_ns);
