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
#include "net/ip/route_table.h"
#include "net/link/netif.h"
#include "net/wire/byteorder.h"
#include "net/wire/ipv4.h"

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

/* The same in full: any kind of path, and a metric. */
int ip_route_add_path(struct ip_prefix prefix, const struct ip_path *path,
                      uint32_t metric) MUST_CHECK;

/* Takes the interface's default routes away. */
void ip_route_remove_default(struct netif *netif);

/* Another table, empty, in place of the host's list; and who is told of every
 * interface that has been given an address (NULL: nobody). Boot, before any
 * route is added. */
typedef void ip_configured(struct netif *netif);
void ip_route_use(const struct ip_route_table *table, ip_configured *told);

void ip_route_visit_all(ip_route_visit *visit, void *context);

/* The table in use. */
extern const struct ip_route_table *ip_route_table;

/* The way of a packet for others, data at its IP header; NULL: none. */
static inline const struct ip_path *
ip_route_forward(const struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;

    return ip_route_table->find(be32_get(header->destination), be32_from(0),
                                packet);
}

/* The interface by which packets to `address` leave, among several `preferred`
 * one; NULL: there is none. */
static inline struct netif *ip_route_netif(struct be32 address,
                                           const struct netif *preferred)
{
    const struct ip_path *found =
        ip_route_table->find(be32_get(address), preferred->ip.address, NULL);

    return found == NULL ? NULL : found->netif;
}

/* The addresses of our interfaces, 127/8 not among them. */
extern struct be32 ip_own_addresses[NETIF_MAX];
extern size_t ip_own_address_count;
/* A bit for each last octet (modulo 64) that one of them has: almost all other
 * addresses are told by it. */
extern uint64_t ip_own_address_marks;

static inline bool ip_is_own_address(struct be32 address)
{
    if ((ip_own_address_marks >> address.octet[3] % 64 & 1) == 0)
        return false;
    for (size_t i = 0; i < ip_own_address_count; i++)
        if (be32_equal(ip_own_addresses[i], address))
            return true;
    return false;
}

/* Is it one of them, or in 127/8? */
bool ip_is_local(struct be32 address);

/* The way out of one given interface, whatever the routes say: for an
 * interface without an address (DHCP), and for sockets bound to one. */
void ip_route_on_netif(struct netif *netif,
                       const struct ip_address *destination,
                       struct ip_route *route);

size_t ip_route_count(void);
