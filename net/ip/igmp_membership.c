/* SPDX-License-Identifier: MIT */
/*
 * What IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP and IP_MULTICAST_IF are given: a
 * group, and which interface. As on Linux by default, a group that anybody
 * joined is heard by every socket bound to the port.
 */
#include "net/ip/igmp.h"
#include "net/ip/ip.h"
#include "net/link/netif.h"

#include <errno.h>
#include <string.h>

/* struct ip_mreqn of Linux; without the index it is struct ip_mreq. */
struct request {
    struct be32 group;
    struct be32 address;
    int32_t index;
};

static bool names_interface(const struct request *request)
{
    return request->index != 0 || be32_get(request->address) != 0;
}

/* By index (from 1), or by its address. */
static struct netif *named_interface(const struct request *request)
{
    struct netif *netif;

    if (request->index != 0)
        return request->index < 0 ? NULL
                                  : netif_by_index((size_t)request->index - 1);
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++)
        if (be32_equal(netif->ip.address, request->address))
            return netif;
    return NULL;
}

/* The named one, or the one that the group's packets leave by. */
static struct netif *choose(const struct request *request,
                            const struct ip_address *group)
{
    struct ip_address any = ip_address_from_ipv4(be32_from(0));
    struct ip_route route;

    if (names_interface(request))
        return named_interface(request);
    return ip_route_lookup(group, &any, &route) == 0 ? route.netif : NULL;
}

int igmp_read_interface(const void *value, size_t length, struct netif **netif)
{
    struct request request = {.index = 0};
    struct netif *chosen = NULL;

    if (length >= sizeof(request))
        memcpy(&request, value, sizeof(request));
    else if (length >= offsetof(struct request, index))
        memcpy(&request, value, offsetof(struct request, index));
    else if (length >= sizeof(request.address))
        memcpy(&request.address, value, sizeof(request.address));
    else
        return -EINVAL;
    if (names_interface(&request)) {
        chosen = named_interface(&request);
        if (chosen == NULL)
            return -EADDRNOTAVAIL;
    }
    *netif = chosen;
    return 0;
}

int igmp_set_membership(const void *owner, bool is_join, const void *value,
                        size_t length, uint64_t now_ns)
{
    struct request request = {.index = 0};
    struct ip_address group;
    struct netif *netif;

    if (length < offsetof(struct request, index))
        return -EINVAL;
    memcpy(&request, value,
           length < sizeof(request) ? offsetof(struct request, index)
                                    : sizeof(request));
    group = ip_address_from_ipv4(request.group);
    if (!ip_address_is_multicast(&group))
        return -EINVAL;
    netif = choose(&request, &group);
    if (netif == NULL)
        return -ENODEV;
    return is_join ? ip_multicast->join(owner, netif, &group, now_ns)
                   : ip_multicast->leave(owner, netif, &group, now_ns);
}
