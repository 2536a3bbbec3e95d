/* SPDX-License-Identifier: MIT */
/*
 * DHCP client (RFC 2131): gives an interface its address, router and name
 * servers, and keeps the lease. One for each interface; all functions:
 * softirq, or app with the lock held.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/link/netif.h"

enum dhcp_state {
    DHCP_STOPPED,
    DHCP_INIT,       /* about to discover */
    DHCP_SELECTING,  /* waits for offers */
    DHCP_REQUESTING, /* waits for the acknowledgement */
    DHCP_PROBING,    /* asks whether somebody uses the address */
    /* From here on there is a lease. */
    DHCP_BOUND,
    DHCP_RENEWING,  /* after T1: asks the server that gave the lease */
    DHCP_REBINDING, /* after T2: asks any */
    DHCP_REBOOTING, /* the link is back: asks any whether the lease is good */
};

/* Boot. */
void dhcp_init(void);

/* Asks for an address on this interface from now on; `host` is our name, or
 * empty. */
void dhcp_start(struct netif *netif, const char *host, uint64_t now_ns);

/* From net.c: carrier came or went. A lease is kept, and verified. */
void dhcp_link_changed(struct netif *netif, uint64_t now_ns);

enum dhcp_state dhcp_state(const struct netif *netif);

void dhcp_visit_counters(void (*visit)(void *context, const char *name,
                                       uint64_t value, const char *help),
                         void *context);
