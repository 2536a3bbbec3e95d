/* SPDX-License-Identifier: MIT */
/*
 * Routes and addresses: which networks lie behind which interface, and which
 * addresses are ours. The transports ask through ip_route_lookup (ip.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/ip.h"
#include "net/link/netif.h"
#include "net/wire/byteorder.h"

/* Boot. */
void ip_route_init(void);

/* Gives the interface its address, its network's route and tells the
 * neighbours. Replaces what it had; prefix_length 1 to 32. */
void ip_configure(struct netif *netif, struct be32 address,
                  unsigned prefix_length, uint64_t now_ns);

/* Takes address and routes away. */
void ip_deconfigure(struct netif *netif);

/* `gateway` 0.0.0.0: on-link. -ENOSPC, -EINVAL (no such prefix), -EEXIST. */
int ip_route_add(struct be32 destination, unsigned prefix_length,
                 struct be32 gateway, struct netif *netif) MUST_CHECK;

/* Is it an address of one of our interfaces, or 127/8? */
bool ip_is_local(struct be32 address);

/* The way out of one given interface, whatever the routes say: for an
 * interface without an address (DHCP), and for sockets bound to one. */
void ip_route_on_netif(struct netif *netif,
                       const struct ip_address *destination,
                       struct ip_route *route);

size_t ip_route_count(void);
