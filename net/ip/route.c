/* SPDX-License-Identifier: MIT */
/*
 * Addresses, and the way to a destination: ours, everybody's, or by the table
 * of prefixes. The transports cache what they find.
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

const struct ip_route_table *ip_route_table = &ip_route_list;
uint32_t ip_route_current;
static ip_configured *configured;

struct be32 ip_own_addresses[NETIF_MAX];
size_t ip_own_address_count;
uint64_t ip_own_address_marks;

void ip_route_init(void)
{
    ip_route_list_init();
    ip_route_table = &ip_route_list;
    configured = NULL;
    ip_own_address_count = 0;
    ip_own_address_marks = 0;
    ip_route_current = 1; /* a zeroed cache is stale */
}

void ip_route_use(const struct ip_route_table *other, ip_configured *told)
{
    ip_route_table = other;
    configured = told;
    ip_route_current++;
}

size_t ip_route_count(void)
{
    return ip_route_table->count();
}

void ip_route_visit_all(ip_route_visit *visit, void *context)
{
    ip_route_table->visit(visit, context);
}

int ip_route_add_path(struct ip_prefix prefix, const struct ip_path *path,
                      uint32_t metric)
{
    if (prefix.length > 32)
        return -EINVAL;
    ip_route_current++;
    return ip_route_table->add(prefix, path, metric);
}

int ip_route_add(struct be32 destination, unsigned prefix_length,
                 struct be32 gateway, struct netif *netif)
{
    struct ip_prefix prefix = {be32_get(destination), (uint8_t)prefix_length};
    struct ip_path path = {.netif = netif, .gateway = gateway};

    return prefix_length > 32 ? -EINVAL : ip_route_add_path(prefix, &path, 0);
}

bool ip_is_local(struct be32 address)
{
    return ipv4_is_loopback(address) || ip_is_own_address(address);
}

static void collect_own_addresses(void)
{
    struct netif *netif;

    ip_own_address_count = 0;
    ip_own_address_marks = 0;
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++) {
        struct be32 address = netif->ip.address;

        if (be32_get(address) == 0 || ipv4_is_loopback(address))
            continue;
        ip_own_addresses[ip_own_address_count++] = address;
        ip_own_address_marks |= UINT64_C(1) << address.octet[3] % 64;
    }
    if (ip_route_table->addresses_changed != NULL)
        ip_route_table->addresses_changed();
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
    if (configured != NULL)
        configured(netif);
    if (netif->link_up)
        acd_announce(netif, now_ns);
}

void ip_deconfigure(struct netif *netif)
{
    netif->ip = (struct netif_ip){0};
    collect_own_addresses();
    acd_cancel(netif);
    neighbour_flush(netif);
    ip_route_table->remove_of_netif(netif, 32);
    ip_route_current++;
}

void ip_route_remove_default(struct netif *netif)
{
    ip_route_table->remove_of_netif(netif, 0);
    ip_route_current++;
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
    const struct ip_path *path;

    if (netif != NULL)
        return netif;
    path = ip_route_table->find(0, be32_from(0), NULL);
    if (path != NULL && path->netif != NULL)
        return path->netif;
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
    const struct ip_path *found = NULL;

    *route = (struct ip_route){
        .netif = netif,
        .source = ip_address_from_ipv4(netif->ip.address),
        .gateway = *destination,
        .mtu = netif->mtu,
        .generation = ip_route_current,
        .is_broadcast =
            ipv4_is_limited_broadcast(to) ||
            (be32_get(to) != 0 && be32_equal(to, netif->ip.broadcast)),
    };
    if (route->is_broadcast || ipv4_is_multicast(to))
        return;
    found = ip_route_table->find(be32_get(to), netif->ip.address, NULL);
    if (found != NULL && found->netif == netif && be32_get(found->gateway) != 0)
        route->gateway = ip_address_from_ipv4(found->gateway);
}

/* As Linux: what connect() and sendto() say of such a route. */
static int refuse(const struct ip_path *path)
{
    ip_counters.out_no_routes++;
    return path->kind == IP_PATH_BLACKHOLE ? -EINVAL : -EHOSTUNREACH;
}

int ip_route_lookup(const struct ip_address *destination,
                    const struct ip_address *source, struct ip_route *route)
{
    struct be32 to = ip_address_ipv4(destination);
    struct be32 from = ip_address_ipv4(source);
    const struct ip_path *found;

    *route = (struct ip_route){.generation = ip_route_current,
                               .gateway = *destination};
    if (ip_is_local(to)) {
        fill_local(to, route);
    } else if (ipv4_is_limited_broadcast(to) || ipv4_is_multicast(to)) {
        route->netif = netif_for_group(from);
        route->is_broadcast = ipv4_is_limited_broadcast(to);
    } else if (!ipv4_is_this_network(to) && !ipv4_is_class_e(to)) {
        found = ip_route_table->find(be32_get(to), from, NULL);
        if (found != NULL && found->kind != IP_PATH_UNICAST)
            return refuse(found);
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

struct ip_hop ip_hop_of(const struct ip_route *route)
{
    return (struct ip_hop){
        .gateway = ip_address_ipv4(&route->gateway),
        .generation = route->generation,
        .mtu = (uint16_t)(route->mtu < UINT16_MAX ? route->mtu : UINT16_MAX),
        .netif = route->netif->index,
        .is_local = route->is_local,
        .is_plain = !route->is_local && !route->is_broadcast &&
                    !ipv4_is_multicast(ip_address_ipv4(&route->gateway)),
    };
}

/* To a single host somewhere else, as most of them are, no more is looked at
 * than a hop tells. */
int ip_hop_lookup(const struct ip_address *destination,
                  const struct ip_address *source, struct ip_hop *hop)
{
    struct be32 to = ip_address_ipv4(destination);
    const struct ip_path *found = NULL;
    struct ip_route route;

    if (ipv4_is_unicast(to) && !ip_is_own_address(to))
        found =
            ip_route_table->find(be32_get(to), ip_address_ipv4(source), NULL);
    if (found != NULL && found->kind == IP_PATH_UNICAST &&
        !be32_equal(to, found->netif->ip.broadcast)) {
        hop->gateway = be32_get(found->gateway) != 0 ? found->gateway : to;
        hop->generation = ip_route_current;
        hop->mtu = (uint16_t)found->netif->mtu;
        hop->netif = found->netif->index;
        hop->is_local = false;
        hop->is_plain = true;
        return 0;
    }
    int status = ip_route_lookup(destination, source, &route);
    if (status == 0)
        *hop = ip_hop_of(&route);
    return status;
}

COLD struct ip_route ip_hop_route(const struct ip_hop *hop,
                                  const struct ip_address *source)
{
    return (struct ip_route){
        .netif = netif_by_index(hop->netif),
        .source = *source,
        .gateway = ip_address_from_ipv4(hop->gateway),
        .mtu = hop->mtu,
        .generation = hop->generation,
        .is_local = hop->is_local,
    };
}
