/* SPDX-License-Identifier: MIT */
/*
 * Longest-prefix match over a small table kept in order of prefix length, so
 * that the first match is the longest. The transports cache what they find;
 * a trie can take the place of the array when there are many routes.
 */
#include "net/ip/route.h"

#include "net/ip/input.h"
#include "net/link/acd.h"
#include "net/link/loopback.h"
#include "net/link/neighbour.h"
#include "net/platform.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct route {
    uint32_t destination;
    uint32_t netmask;
    struct be32 gateway;
    struct netif *netif;
};

static struct {
    struct route list[IP_ROUTES_MAX];
    size_t count;
    uint32_t generation;
} routes;

struct be32 ip_own_addresses[NETIF_MAX];
size_t ip_own_address_count;

void ip_route_init(void)
{
    memset(&routes, 0, sizeof(routes));
    ip_own_address_count = 0;
    routes.generation = 1; /* a zeroed cache is stale */
}

uint32_t ip_route_generation(void)
{
    return routes.generation;
}

size_t ip_route_count(void)
{
    return routes.count;
}

int ip_route_add(struct be32 destination, unsigned prefix_length,
                 struct be32 gateway, struct netif *netif)
{
    struct route new = {0, 0, gateway, netif};
    size_t at = 0;

    if (prefix_length > 32)
        return -EINVAL;
    if (routes.count == IP_ROUTES_MAX)
        return -ENOSPC;
    new.netmask = be32_get(ipv4_netmask(prefix_length));
    new.destination = be32_get(destination) & new.netmask;
    /* As numbers, longer masks are greater. */
    while (at < routes.count && routes.list[at].netmask >= new.netmask) {
        const struct route *old = &routes.list[at];

        if (old->netmask == new.netmask &&
            old->destination == new.destination &&
            old->netif == netif &&be32_equal(old->gateway, gateway))
            return -EEXIST;
        at++;
    }
    memmove(&routes.list[at + 1], &routes.list[at],
            (routes.count - at) * sizeof(new));
    routes.list[at] = new;
    routes.count++;
    routes.generation++;
    return 0;
}

static void remove_of_netif(const struct netif *netif)
{
    size_t kept = 0;

    for (size_t i = 0; i < routes.count; i++)
        if (routes.list[i].netif != netif)
            routes.list[kept++] = routes.list[i];
    routes.count = kept;
    routes.generation++;
}

static void collect_own_addresses(void)
{
    struct netif *netif;

    ip_own_address_count = 0;
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++)
        if (be32_get(netif->ip.address) != 0 &&
            !ipv4_is_loopback(netif->ip.address))
            ip_own_addresses[ip_own_address_count++] = netif->ip.address;
}

void ip_configure(struct netif *netif, struct be32 address,
                  unsigned prefix_length, uint64_t now_ns)
{
    struct be32 netmask = ipv4_netmask(prefix_length);

    ASSERT(prefix_length >= 1);
    ASSERT(prefix_length <= 32);
    ip_deconfigure(netif);
    netif->ip.address = address;
    netif->ip.netmask = netmask;
    /* RFC 3021: a /31 has no broadcast address; nor has a /32. */
    if (prefix_length < 31)
        netif->ip.broadcast = be32_from(be32_get(address) | ~be32_get(netmask));
    collect_own_addresses();
    if ((netif->features & NETIF_LOOPBACK) != 0)
        return; /* ip_is_local() speaks for it */
    if (ip_route_add(address, prefix_length, be32_from(0), netif) != 0)
        platform_log(PLATFORM_ERROR, netif->name, "the route table is full");
    if (netif->link_up)
        acd_announce(netif, now_ns);
}

void ip_deconfigure(struct netif *netif)
{
    netif->ip = (struct netif_ip){0};
    collect_own_addresses();
    acd_cancel(netif);
    neighbour_flush(netif);
    remove_of_netif(netif);
}

static struct netif *netif_with_address(struct be32 address)
{
    struct netif *netif;

    if (be32_get(address) == 0)
        return NULL;
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++)
        if (be32_equal(netif->ip.address, address))
            return netif;
    return NULL;
}

/* The best route; among equals, the one of the interface that has `source`,
 * else the one that was added first. */
static const struct route *find(uint32_t destination, struct be32 source)
{
    const struct route *best = NULL;

    for (size_t i = 0; i < routes.count; i++) {
        const struct route *route = &routes.list[i];

        if (best != NULL && route->netmask != best->netmask)
            break;
        if ((destination & route->netmask) != route->destination)
            continue;
        if (best == NULL)
            best = route;
        if (be32_get(source) == 0 ||
            be32_equal(route->netif->ip.address, source))
            return route;
    }
    return best;
}

static void fill_local(struct be32 destination, struct ip_route *route)
{
    route->netif = loopback_netif();
    route->source = ip_address_from_ipv4(destination);
    route->is_local = true;
}

/* Limited broadcast and multicast leave by the interface that has the source
 * address, else by the way of the default route, else by the first one that
 * has an address. */
static struct netif *netif_for_group(struct be32 source)
{
    struct netif *netif = netif_with_address(source);
    const struct route *route;

    if (netif != NULL)
        return netif;
    route = find(0, be32_from(0));
    if (route != NULL)
        return route->netif;
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++)
        if ((netif->features & NETIF_LOOPBACK) == 0 &&
            be32_get(netif->ip.address) != 0)
            return netif;
    return NULL;
}

void ip_route_on_netif(struct netif *netif,
                       const struct ip_address *destination,
                       struct ip_route *route)
{
    struct be32 to = ip_address_ipv4(destination);
    const struct route *found = NULL;

    *route = (struct ip_route){
        .netif = netif,
        .source = ip_address_from_ipv4(netif->ip.address),
        .gateway = *destination,
        .mtu = netif->mtu,
        .generation = routes.generation,
        .is_broadcast =
            ipv4_is_limited_broadcast(to) ||
            (be32_get(to) != 0 && be32_equal(to, netif->ip.broadcast)),
    };
    if (route->is_broadcast || ipv4_is_multicast(to))
        return;
    found = find(be32_get(to), netif->ip.address);
    if (found != NULL && found->netif == netif && be32_get(found->gateway) != 0)
        route->gateway = ip_address_from_ipv4(found->gateway);
}

int ip_route_lookup(const struct ip_address *destination,
                    const struct ip_address *source, struct ip_route *route)
{
    struct be32 to = ip_address_ipv4(destination);
    struct be32 from = ip_address_ipv4(source);
    const struct route *found;

    *route = (struct ip_route){.generation = routes.generation,
                               .gateway = *destination};
    if (ip_is_local(to)) {
        fill_local(to, route);
    } else if (ipv4_is_limited_broadcast(to) || ipv4_is_multicast(to)) {
        route->netif = netif_for_group(from);
        route->is_broadcast = ipv4_is_limited_broadcast(to);
    } else if (!ipv4_is_this_network(to) && !ipv4_is_class_e(to)) {
        found = find(be32_get(to), from);
        if (found != NULL) {
            route->netif = found->netif;
            if (be32_get(found->gateway) != 0)
                route->gateway = ip_address_from_ipv4(found->gateway);
            route->is_broadcast = be32_equal(to, found->netif->ip.broadcast);
        }
    }
    if (route->netif == NULL) {
        ip_counters.out_no_routes++;
        return -ENETUNREACH;
    }
    route->mtu = route->netif->mtu;
    if (!route->is_local)
        route->source = ip_address_from_ipv4(route->netif->ip.address);
    if (be32_get(from) != 0)
        route->source = *source;
    return 0;
}
