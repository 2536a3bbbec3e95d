/* SPDX-License-Identifier: MIT */
/*
 * Longest-prefix match for a host with a handful of routes: an array in order
 * of prefix length, so that the first match is the longest. Metrics are not
 * looked at: the first that was added counts.
 */
#include "net/ip/route_table.h"

#include "net/limits.h"
#include "net/wire/ipv4.h"

#include <errno.h>
#include <string.h>

struct route {
    uint32_t destination;
    uint32_t netmask;
    struct ip_path path;
};

static struct {
    struct route list[IP_ROUTES_MAX];
    size_t count;
} routes;

void ip_route_list_init(void)
{
    memset(&routes, 0, sizeof(routes));
}

static size_t list_count(void)
{
    return routes.count;
}

static int list_add(struct ip_prefix prefix, const struct ip_path *path,
                    uint32_t metric)
{
    struct route new = {.path = *path};
    size_t at = 0;

    (void)metric;
    if (routes.count == IP_ROUTES_MAX)
        return -ENOSPC;
    new.netmask = be32_get(ipv4_netmask(prefix.length));
    new.destination = prefix.address &new.netmask;
    /* As numbers, longer masks are greater. */
    while (at < routes.count && routes.list[at].netmask >= new.netmask) {
        const struct route *old = &routes.list[at];

        if (old->netmask == new.netmask &&
            old->destination == new.destination &&
            old->path.netif ==
                path->netif &&be32_equal(old->path.gateway, path->gateway))
            return -EEXIST;
        at++;
    }
    memmove(&routes.list[at + 1], &routes.list[at],
            (routes.count - at) * sizeof(new));
    routes.list[at] = new;
    routes.count++;
    return 0;
}

static void list_remove_of_netif(const struct netif *netif, unsigned longest)
{
    uint32_t netmask = be32_get(ipv4_netmask(longest));
    size_t kept = 0;

    for (size_t i = 0; i < routes.count; i++)
        if (routes.list[i].path.netif != netif ||
            routes.list[i].netmask > netmask)
            routes.list[kept++] = routes.list[i];
    routes.count = kept;
}

static const struct ip_path *list_find(uint32_t destination, struct be32 source,
                                       const struct packet *packet)
{
    const struct route *best = NULL;

    (void)packet;
    for (size_t i = 0; i < routes.count; i++) {
        const struct route *route = &routes.list[i];

        if (best != NULL && route->netmask != best->netmask)
            break;
        if ((destination & route->netmask) != route->destination)
            continue;
        if (best == NULL)
            best = route;
        if (be32_get(source) == 0 ||
            (route->path.netif != NULL &&
             be32_equal(route->path.netif->ip.address, source)))
            return &route->path;
    }
    return best == NULL ? NULL : &best->path;
}

static void list_visit(ip_route_visit *visit, void *context)
{
    for (size_t i = 0; i < routes.count; i++) {
        const struct route *route = &routes.list[i];
        struct ip_prefix prefix = {
            route->destination,
            (uint8_t)ipv4_prefix_length(be32_from(route->netmask))};

        visit(context, prefix, &route->path, 0);
    }
}

const struct ip_route_table ip_route_list = {
    .find = list_find,
    .add = list_add,
    .remove_of_netif = list_remove_of_netif,
    .count = list_count,
    .visit = list_visit,
};
