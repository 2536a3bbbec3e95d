/* SPDX-License-Identifier: MIT */
/*
 * What IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP are given: a group, and on
 * which interface. As on Linux by default, a group that anybody joined is
 * heard by every socket bound to the port.
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

/* By index (from 1), by its address, or the one that the group's packets leave
 * by. */
static struct netif *choose(const struct request *request,
                            const struct ip_address *group)
{
    struct ip_address any = ip_address_from_ipv4(be32_from(0));
    struct ip_route route;
    struct netif *netif;

    if (request->index > 0)
        return netif_by_index((size_t)request->index - 1);
    if (be32_get(request->address) == 0)
        return ip_route_lookup(group, &any, &route) == 0 ? route.netif : NULL;
    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++)
        if (be32_equal(netif->ip.address, request->address))
            return netif;
    return NULL;
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
