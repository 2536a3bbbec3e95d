/* SPDX-License-Identifier: MIT */
/*
 * GRO for what is passed on: segments of a flow become one large packet
 * (net/link/segment.h), which goes through routes, hooks and neighbours once
 * and is cut again by the card or by netif. What leaves is what came, but for
 * the hop and what hooks changed: identifications have to count up, and no
 * segment may be longer than the least MTU there is.
 */
#include "net/link/gro.h"

#include "net/link/netif.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

#include <stddef.h>
#include <string.h>

enum {
    IP_AT = ETHERNET_HEADER_LENGTH,
    TCP_AT = IP_AT + IPV4_HEADER_LENGTH,
};

static struct ipv4_header *ip_of(const struct packet *packet)
{
    return (void *)(packet->data + IP_AT);
}

static struct tcp_header *tcp_of(const struct packet *packet)
{
    return (void *)(packet->data + TCP_AT);
}

/* TTL 1 ends here, and is told of one by one. */
static bool may_begin(const struct packet *packet)
{
    uint32_t length = be16_get(ip_of(packet)->total_length);
    const struct netif *netif;

    for (size_t i = 0; (netif = netif_by_index(i)) != NULL; i++)
        if (length > netif->mtu)
            return false;
    return ip_of(packet)->ttl > 1;
}

/* The headers once more, and the first segment's payload behind them. */
static struct packet *begin(struct packet *first, uint32_t header_length,
                            uint32_t payload)
{
    struct packet *large = packet_alloc(packet_headroom(first));

    if (large == NULL)
        return NULL;
    memcpy(packet_append(large, header_length), first->data, header_length);
    large->netif = first->netif;
    large->time_ns = first->time_ns;
    large->segment_size = (uint16_t)payload;
    first->data += header_length;
    first->length = payload;
    packet_absorb(large, first);
    large->segment_count = 1;
    return large;
}

static struct packet *join(struct packet *first, struct packet *packet,
                           uint32_t header_length, uint32_t payload)
{
    const struct tcp_header *tcp = tcp_of(packet);
    uint32_t number = first->segment_count;
    struct packet *large = first;

    if (be16_get(ip_of(packet)->identification) !=
        (uint16_t)(be16_get(ip_of(first)->identification) + number))
        return NULL;
    if (first->segment_size == 0)
        large =
            begin(first, header_length,
                  be16_get(ip_of(first)->total_length) + IP_AT - header_length);
    if (large == NULL)
        return NULL;
    tcp_of(large)->flags |= tcp->flags & TCP_PSH;
    packet->data += header_length;
    packet->length = payload;
    packet_absorb(large, packet);
    return large;
}

/* As if we had made it: lengths of all, the pseudo-header's sum in place. */
static void finish(struct packet *large)
{
    struct ipv4_header *ip = ip_of(large);
    struct tcp_header *tcp = tcp_of(large);
    uint32_t length = (uint32_t)packet_total_length(large) - TCP_AT;
    uint32_t sum = checksum_add_32(0, be32_get(ip->source));

    sum = checksum_add_32(sum, be32_get(ip->destination));
    sum = checksum_add_32(sum, length + ip->protocol);
    tcp->checksum = be16_from(checksum_fold(sum));
    ip->total_length = be16_from((uint16_t)(IPV4_HEADER_LENGTH + length));
    ip->checksum = be16_from(0);
    ip->checksum = be16_from_raw((uint16_t)~checksum_native_20(ip));
    large->checksum = PACKET_CHECKSUM_PARTIAL;
    large->transport_offset = (uint16_t)(packet_headroom(large) + TCP_AT);
    large->checksum_start = large->transport_offset;
    large->checksum_offset = offsetof(struct tcp_header, checksum);
}

static const struct gro_transit transit = {
    .may_begin = may_begin,
    .join = join,
    .finish = finish,
};

void gro_set_transit(bool enabled)
{
    gro_use_transit(enabled ? &transit : NULL);
}
