/* SPDX-License-Identifier: MIT */
/*
 * Forwarding (RFC 1812 5.2, 5.3): packets for others are sent on, in the order
 * of steps that Linux has, so that rules see what they see there. Options are
 * carried along as they came: a router need not write into RECORD ROUTE or
 * TIMESTAMP. Redirects are never sent (RFC 1812 4.3.3.2 has them optional).
 */
#include "net/ip/forward.h"

#include "net/ip/fib_set.h"
#include "net/ip/fib_table.h"
#include "net/ip/icmp.h"
#include "net/ip/input.h"
#include "net/ip/output.h"
#include "net/ip/route.h"
#include "net/link/arp.h"
#include "net/link/gro.h"
#include "net/link/neighbour.h"
#include "net/wire/dhcp.h"
#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"
#include "net/wire/udp.h"

#include <errno.h>

enum source_filter {
    SOURCE_FILTER_OFF,
    SOURCE_FILTER_STRICT,
    SOURCE_FILTER_LOOSE,
    SOURCE_FILTER_COUNT,
};

static bool is_forwarding;
static enum source_filter source_filter;

static COLD void tell(const struct packet *packet, uint8_t type, uint8_t code,
                      uint32_t mtu, uint64_t now_ns)
{
    struct icmp_header error = {
        .type = type,
        .code = code,
        .rest = {0, 0, (uint8_t)(mtu >> 8), (uint8_t)mtu},
    };

    icmp_send_error(packet, error, now_ns);
}

/* No way leads there: the sender is told. */
static COLD void tell_no_route(const struct packet *packet,
                               const struct ip_path *path, uint64_t now_ns)
{
    ip_counters.in_no_routes++;
    if (path == NULL)
        tell(packet, ICMP_DESTINATION_UNREACHABLE, ICMP_NET_UNREACHABLE, 0,
             now_ns);
    else if (path->kind == IP_PATH_UNREACHABLE)
        tell(packet, ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0,
             now_ns);
}

/* RFC 1812 5.3.1: one second or one hop, whichever was shorter. The checksum
 * by RFC 1624 for this one change: the complement grows by 1 in the first
 * octet, the machine's lowest. */
static inline void take_hop(struct ipv4_header *header)
{
    uint32_t sum = be16_raw(header->checksum) + 1U;

    header->ttl--;
    header->checksum = be16_from_raw((uint16_t)(sum + (sum >= 0xffff)));
}

/* What is the matter with a packet whose way is known; DROP_NONE: nothing. The
 * sender is told. */
static COLD enum drop_reason check(const struct packet *packet,
                                   const struct ip_path *path, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    uint32_t mtu = path->netif->mtu;
    size_t size = packet->joined_size != 0 ? packet->joined_size
                                           : packet_total_length(packet);

    if (be32_equal(header->destination, path->netif->ip.broadcast)) {
        ip_counters.in_address_errors++; /* RFC 2644 */
        return DROP_IP_DESTINATION;
    }
    if (header->ttl <= 1) {
        ip_counters.in_header_errors++;
        tell(packet, ICMP_TIME_EXCEEDED, ICMP_TTL_EXCEEDED, 0, now_ns);
        return DROP_IP_TTL;
    }
    if (size > mtu && packet->segment_size == 0 &&
        (be16_get(header->fragment) & IPV4_DONT_FRAGMENT) != 0) {
        ip_counters.out_fragments_failed++;
        tell(packet, ICMP_DESTINATION_UNREACHABLE, ICMP_FRAGMENTATION_NEEDED,
             mtu, now_ns);
        return DROP_IP_TOO_BIG;
    }
    return DROP_NONE;
}

static COLD void send_by(struct packet *packet, struct netif *netif,
                         struct be32 next_hop, uint64_t now_ns)
{
    struct ip_route route = {
        .netif = netif,
        .gateway = ip_address_from_ipv4(next_hop),
        .mtu = netif->mtu,
    };

    ip_finish_send(packet, &route, now_ns);
}

/* Why the packet may not go that way (NULL: there is none); DROP_NONE: it may.
 * Who has to be told was told. */
static COLD enum drop_reason check_way(const struct packet *packet,
                                       const struct ip_path *path,
                                       uint64_t now_ns)
{
    if (!is_forwarding || packet->is_looped) {
        ip_counters.in_no_routes++;
        return DROP_IP_NOT_FORWARDED;
    }
    if (path == NULL || path->kind != IP_PATH_UNICAST) {
        tell_no_route(packet, path, now_ns);
        return DROP_IP_NO_ROUTE;
    }
    return check(packet, path, now_ns);
}

/* An interface without an address asks for one; whoever answers is not known
 * yet (RFC 2131 4.1). */
static bool is_dhcp_answer(const struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;
    size_t length = ipv4_header_length(header);
    const struct udp_header *udp = (const void *)(packet->data + length);

    return be32_get(packet->netif->ip.address) == 0 &&
           header->protocol == IP_PROTOCOL_UDP && !ipv4_is_fragment(header) &&
           packet->length >= length + sizeof(*udp) &&
           be16_get(udp->source_port) == DHCP_SERVER_PORT &&
           be16_get(udp->destination_port) == DHCP_CLIENT_PORT;
}

static bool is_source_valid(const struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;
    struct netif *netif;

    if (source_filter == SOURCE_FILTER_OFF || packet->is_looped ||
        be32_get(header->source) == 0 || is_dhcp_answer(packet))
        return true;
    netif = ip_route_netif(header->source, packet->netif);
    return netif == packet->netif ||
           (netif != NULL && source_filter == SOURCE_FILTER_LOOSE);
}

static inline struct be32 next_hop_of(const struct ip_path *path,
                                      const struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;

    return be32_raw(path->gateway) != 0 ? path->gateway : header->destination;
}

/* The rest of the way where hooks or fragments may be met. */
static NOINLINE void pass_on(struct packet *packet, const struct ip_path *path,
                             uint64_t now_ns)
{
    struct netif *netif = path->netif;
    struct be32 next_hop = next_hop_of(path, packet);
    enum filter_verdict verdict =
        filter_run(FILTER_FORWARD, packet, netif, now_ns);

    if (verdict != FILTER_ACCEPT) {
        if (filter_is_reject(verdict))
            ip_refuse(packet, verdict, now_ns);
        packet_drop(packet, DROP_FILTER);
        return;
    }
    ip_counters.out_forwarded++;
    if (packet_total_length(packet) > netif->mtu || packet->joined_size != 0) {
        send_by(packet, netif, next_hop, now_ns);
    } else if ((filter_express == NULL ||
                !filter_express->cross(packet, true)) &&
               filter_run(FILTER_POSTROUTING, packet, netif, now_ns) !=
                   FILTER_ACCEPT) {
        ip_counters.out_discards++;
        packet_drop(packet, DROP_FILTER);
    } else {
        ip_counters.out_transmits++;
        neighbour_send(netif, next_hop, packet, now_ns);
    }
}

static COLD NOINLINE void forward(struct packet *packet, uint64_t now_ns)
{
    const struct ip_path *path = ip_route_forward(packet);
    enum drop_reason reason = check_way(packet, path, now_ns);

    if (reason != DROP_NONE) {
        packet_drop(packet, reason);
        return;
    }
    take_hop((void *)packet->data);
    pass_on(packet, path, now_ns);
}

/* The only path of a set, or what the table chooses. */
static inline const struct ip_path *path_of(uint32_t number,
                                            const struct packet *packet)
{
    const struct fib_set *set = &fib_sets[number];

    return set->active == 1 ? &set->paths[0].path : ip_route_forward(packet);
}

static NOINLINE bool may_come_this_way(const struct packet *packet)
{
    return be32_raw(packet->netif->ip.address) != 0 && is_source_valid(packet);
}

static inline bool comes_this_way(uint32_t number, const struct packet *packet)
{
    const struct fib_set *set = &fib_sets[number];

    return (set->active == 1 && set->paths[0].path.netif == packet->netif) ||
           may_come_this_way(packet);
}

/* Most are from a host to a host, by the only way there is, in by the same way
 * that an answer takes. */
static void transit(struct packet *packet, uint64_t now_ns)
{
    struct ipv4_header *header = (void *)packet->data;
    uint32_t from = fib_look(be32_get(header->source));
    uint32_t to = fib_look(be32_get(header->destination));
    const struct ip_path *path;

    if (((from | to) & SET_SPECIAL) != 0 || header->ttl <= 1 ||
        !is_forwarding || !comes_this_way(from, packet)) {
        ip_route_received(packet, now_ns);
        return;
    }
    path = path_of(to, packet);
    if (path == NULL || path->kind != IP_PATH_UNICAST ||
        packet_total_length(packet) > path->netif->mtu) {
        forward(packet, now_ns);
        return;
    }
    take_hop(header);
    if ((filter_is_used(FILTER_FORWARD) ||
         filter_is_used(FILTER_POSTROUTING)) &&
        (filter_express == NULL || !filter_express->cross(packet, false))) {
        pass_on(packet, path, now_ns);
        return;
    }
    ip_counters.out_forwarded++;
    ip_counters.out_transmits++;
    neighbour_send(path->netif, next_hop_of(path, packet), packet, now_ns);
}

/* It waited: its flow may be another's by now. */
static void unreachable(struct packet *packet, uint64_t now_ns)
{
    packet->flow = NULL;
    tell(packet, ICMP_DESTINATION_UNREACHABLE, ICMP_HOST_UNREACHABLE, 0,
         now_ns);
    packet_drop(packet, DROP_NEIGHBOUR_FAILED);
}

static const struct ip_router router = {
    .forward = forward,
    .transit = transit,
    .is_source_valid = is_source_valid,
    .refuse = ip_refuse,
    .cut = ip_cut_train,
    .unreachable = unreachable,
};

void ip_forward_start(void)
{
    ip_router = &router;
    is_forwarding = true;
    arp_set_proxy(NULL);
    source_filter = SOURCE_FILTER_STRICT;
    gro_set_transit(true);
}

int ip_forward_set(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    is_forwarding = value == 1;
    return 0;
}

int ip_forward_gro_set(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    gro_set_transit(value == 1);
    return 0;
}

static bool is_behind_another(const struct netif *netif, struct be32 address)
{
    const struct netif *way = ip_route_netif(address, netif);

    return is_forwarding && way != NULL && way != netif &&
           !ip_is_local(address);
}

int ip_proxy_arp_set(unsigned value)
{
    if (value > 1)
        return -EINVAL;
    arp_set_proxy(value == 1 ? is_behind_another : NULL);
    return 0;
}

int ip_source_filter_set(unsigned value)
{
    if (value >= SOURCE_FILTER_COUNT)
        return -EINVAL;
    source_filter = (enum source_filter)value;
    return 0;
}
