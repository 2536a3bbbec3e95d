/* SPDX-License-Identifier: MIT */
/*
 * Translation of packets: addresses, ports, identifiers, and the checksums
 * that cover them.
 */
#include "net/filter/nat.h"

#include "net/wire/checksum.h"
#include "net/wire/icmp.h"
#include "net/wire/tcp.h"
#include "net/wire/udp.h"

#include <string.h>

static unsigned done_bit(enum nat_side side)
{
    return side == NAT_SOURCE ? FLOW_SOURCE_DONE : FLOW_DESTINATION_DONE;
}

bool nat_is_settled(const struct packet *packet, enum nat_side side)
{
    const struct flow *flow = packet->flow;

    return (flow->status & done_bit(side)) != 0;
}

enum filter_verdict nat_settle(struct packet *packet, enum nat_side side,
                               const struct nat_range *range, uint64_t now_ns)
{
    struct flow *flow = packet->flow;
    struct flow_tuple now =
        flow_inverse(&flow->tuple[FLOW_REPLY], flow->protocol);
    struct flow_tuple then = now;

    if (!nat_choose(&then, flow->protocol, side, range, flow_ticks(now_ns)))
        return FILTER_DROP;
    flow->status |= (uint16_t)done_bit(side);
    if (flow_tuple_equal(&now, &then))
        return FILTER_ACCEPT;
    flow->tuple[FLOW_REPLY] = flow_inverse(&then, flow->protocol);
    flow->status |= side == NAT_SOURCE ? FLOW_SOURCE_NAT : FLOW_DESTINATION_NAT;
    return FILTER_ACCEPT;
}

/* A partial sum is not complemented, and ports are not in it. */
static struct be16 update_partial(struct be16 field, uint32_t before,
                                  uint32_t after)
{
    uint32_t sum = be16_get(field);

    sum = checksum_add_32(sum, ~before);
    sum = checksum_add_32(sum, after);
    return be16_from(checksum_fold(sum));
}

struct change {
    uint32_t address_before;
    uint32_t address_after;
    uint16_t port_before;
    uint16_t port_after;
    uint32_t growth; /* of the addresses' sum */
};

/* What the sum of the words grows by when an address changes: below 2^18. */
static uint32_t growth_of(uint32_t before, uint32_t after)
{
    before = ~before;
    return (before >> 16) + (before & 0xffff) + (after >> 16) +
           (after & 0xffff);
}

/* RFC 1624, eqn. 3, for all changes at once. Of the two forms of zero the sum
 * of data never is 0x0000: 0xffff is right. */
static struct be16 update(struct be16 field, uint32_t growth)
{
    uint32_t sum = (uint16_t)~be16_get(field) + growth;
    uint16_t result = (uint16_t)~checksum_fold(sum);

    return be16_from(result == 0 ? 0xffff : result);
}

static void correct(struct be16 *field, const struct change *change,
                    bool is_partial)
{
    if (is_partial)
        *field = update_partial(*field, change->address_before,
                                change->address_after);
    else
        *field =
            update(*field, change->growth + (uint16_t)~change->port_before +
                               change->port_after);
}

static void rewrite_icmp(const struct nat_header *header,
                         const struct flow_tuple *target)
{
    struct icmp_header *icmp = (void *)header->transport;
    uint16_t before = (uint16_t)(icmp->rest[0] << 8 | icmp->rest[1]);
    uint16_t after = target->source_port;

    if (header->linear < sizeof(*icmp) || before == after)
        return;
    icmp->rest[0] = (uint8_t)(after >> 8);
    icmp->rest[1] = (uint8_t)after;
    icmp->checksum = checksum_update_16(icmp->checksum, before, after);
}

static void rewrite_ports(const struct nat_header *header, struct be16 *port,
                          struct change *change)
{
    struct tcp_header *tcp = (void *)header->transport;
    struct udp_header *udp = (void *)header->transport;

    if (header->linear < sizeof(*udp))
        return;
    change->port_before = be16_get(*port);
    *port = be16_from(change->port_after);
    if (header->ip->protocol == FLOW_TCP) {
        if (header->linear >= sizeof(*tcp))
            correct(&tcp->checksum, change, header->is_partial);
    } else if (be16_get(udp->checksum) != 0 || header->is_partial) {
        correct(&udp->checksum, change, header->is_partial);
    }
}

void nat_rewrite(const struct nat_header *header,
                 const struct flow_tuple *target, enum nat_side side)
{
    struct ipv4_header *ip = header->ip;
    struct be32 *address = side == NAT_SOURCE ? &ip->source : &ip->destination;
    struct change change = {
        .address_before = be32_get(*address),
        .address_after =
            side == NAT_SOURCE ? target->source : target->destination,
        .port_after =
            side == NAT_SOURCE ? target->source_port : target->destination_port,
    };

    change.growth = growth_of(change.address_before, change.address_after);
    *address = be32_from(change.address_after);
    ip->checksum = update(ip->checksum, change.growth);
    if (ip->protocol == FLOW_TCP || ip->protocol == FLOW_UDP) {
        struct udp_header *ports = (void *)header->transport;

        rewrite_ports(header,
                      side == NAT_SOURCE ? &ports->source_port
                                         : &ports->destination_port,
                      &change);
    } else if (ip->protocol == FLOW_ICMP) {
        rewrite_icmp(header, target);
    }
}

enum filter_verdict nat_change(struct packet *packet, enum nat_side side)
{
    const struct flow *flow = packet->flow;
    struct ipv4_header *ip = (void *)packet->data;
    size_t header_length = ipv4_header_length(ip);
    struct flow_tuple target =
        flow_inverse(&flow->tuple[!track_direction(packet)], flow->protocol);

    nat_rewrite(
        &(struct nat_header){
            .ip = ip,
            .transport = packet->data + header_length,
            .linear = packet->length - header_length,
            .is_partial = packet->checksum == PACKET_CHECKSUM_PARTIAL,
        },
        &target, side);
    return FILTER_ACCEPT;
}

enum filter_verdict nat_translate(struct packet *packet, enum nat_side side)
{
    const struct flow *flow = packet->flow;

    if (flow == NULL ||
        (flow->status & (FLOW_SOURCE_NAT | FLOW_DESTINATION_NAT)) == 0)
        return FILTER_ACCEPT;
    if ((packet->flow_state & TRACK_RELATED) != 0 &&
        ((const struct ipv4_header *)(const void *)packet->data)->protocol ==
            FLOW_ICMP)
        return nat_translate_error(packet, side);
    if (!nat_changes(flow, track_direction(packet), side))
        return FILTER_ACCEPT;
    return nat_change(packet, side);
}
