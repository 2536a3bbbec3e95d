/* SPDX-License-Identifier: MIT */
/*
 * The words of a router on the command line, and what they ask for.
 */
#pragma once

#include <stddef.h>

#include "net/attributes.h"
#include "net/link/netif.h"

void net_router_words_init(void);

/* `route=PREFIX/LENGTH:GATEWAY[:DEVICE[:METRIC]]`, the gateway an address,
 * empty (on-link, with a device), "blackhole" or "unreachable"; and
 * `qdisc=DEVICE:DISCIPLINE[,...]`. -EINVAL, -ENOSPC. Boot. */
int net_router_add_route(const char *value) MUST_CHECK;
int net_router_add_qdisc(const char *value) MUST_CHECK;

/* `vlan=eth0.10`; and what an `ip=` word for such a device does, too. */
int net_router_add_vlan(const char *value) MUST_CHECK;
void net_router_create_vlan(const char *name);

/* The interface has an address: its routes hold now. */
void net_router_routes_of(struct netif *netif);

/* VLANs, the routes that need no interface, and the disciplines. */
void net_router_apply_words(void);
