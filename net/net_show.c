/* SPDX-License-Identifier: MIT */
/*
 * Views of interfaces, neighbours and resolvers, for whoever prints them.
 */
#include "net/net_show.h"

#include "net/link/neighbour.h"
#include "net/link/netif.h"
#include "net/service/dns.h"

bool net_show_interface(size_t index, struct net_interface_view *view)
{
    const struct netif *netif = netif_by_index(index);

    if (netif == NULL)
        return false;
    *view = (struct net_interface_view){
        .name = netif->name,
        .hardware = netif->address.octet,
        .address = be32_get(netif->ip.address),
        .netmask = be32_get(netif->ip.netmask),
        .mtu = netif->mtu,
        .speed = netif->link_speed,
        .is_up = netif->link_up,
        .rx_packets = netif->counters.rx_packets,
        .rx_bytes = netif->counters.rx_bytes,
        .tx_packets = netif->counters.tx_packets,
        .tx_bytes = netif->counters.tx_bytes,
        .dropped = netif->counters.rx_dropped + netif->counters.tx_dropped,
    };
    return true;
}

struct neighbour_visit {
    void (*visit)(void *context, const struct net_neighbour_view *view);
    void *context;
};

static void show_neighbour(void *context,
                           const struct neighbour_view *neighbour)
{
    static const char *const states[] = {
        [NEIGHBOUR_FREE] = "NONE",
        [NEIGHBOUR_INCOMPLETE] = "INCOMPLETE",
        [NEIGHBOUR_REACHABLE] = "REACHABLE",
        [NEIGHBOUR_STALE] = "STALE",
        [NEIGHBOUR_DELAY] = "DELAY",
        [NEIGHBOUR_PROBE] = "PROBE",
        [NEIGHBOUR_FAILED] = "FAILED",
    };
    const struct neighbour_visit *to = context;
    const struct net_neighbour_view view = {
        .netif = neighbour->netif->name,
        .address = be32_get(neighbour->address),
        .hardware = neighbour->hardware->octet,
        .state = states[neighbour->state],
    };

    to->visit(to->context, &view);
}

void net_show_neighbours(void (*visit)(void *context,
                                       const struct net_neighbour_view *view),
                         void *context)
{
    struct neighbour_visit to = {visit, context};

    neighbour_visit_all(show_neighbour, &to);
}

size_t net_show_resolvers(uint32_t *addresses, size_t limit)
{
    struct ip_address servers[DNS_SERVERS_MAX];
    size_t count = dns_servers(servers);

    if (count > limit)
        count = limit;
    for (size_t i = 0; i < count; i++)
        addresses[i] = be32_get(ip_address_ipv4(&servers[i]));
    return count;
}
