/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors through a translation (RFC 5508 4.2, RFC 3022 4.3): the error
 * gets the addresses its receiver knows, outside and in the packet it quotes.
 */
#include "net/filter/nat.h"

#include "net/wire/checksum.h"
#include "net/wire/icmp.h"

/* Of the header alone: what the error says of addresses, not of ports. */
static void rewrite_outer(struct ipv4_header *ip, uint32_t address,
                          enum nat_side side)
{
    struct be32 *field = side == NAT_SOURCE ? &ip->source : &ip->destination;

    ip->checksum = checksum_update_32(ip->checksum, be32_get(*field), address);
    *field = be32_from(address);
}

enum filter_verdict nat_translate_error(struct packet *packet,
                                        enum nat_side side)
{
    const struct flow *flow = packet->flow;
    enum flow_direction direction = track_direction(packet);
    struct ipv4_header *ip = (void *)packet->data;
    size_t header = ipv4_header_length(ip);
    struct icmp_header *icmp = (void *)(packet->data + header);
    struct ipv4_header *inner = (void *)(icmp + 1);
    size_t inner_header = ipv4_header_length(inner);
    /* As its sender sent the quoted packet, which went the other way. */
    const struct flow_tuple *quoted = &flow->tuple[!direction];

    if (!checksum_is_valid(packet_sum(packet, header)) ||
        icmp->type == ICMP_REDIRECT)
        return FILTER_DROP;
    if (!nat_changes(flow, direction, side))
        return FILTER_ACCEPT;
    nat_rewrite(
        &(struct nat_header){
            .ip = inner,
            .transport = (uint8_t *)inner + inner_header,
            .linear = packet->length - header - sizeof(*icmp) - inner_header,
        },
        quoted, side == NAT_SOURCE ? NAT_DESTINATION : NAT_SOURCE);
    rewrite_outer(ip, side == NAT_SOURCE ? quoted->destination : quoted->source,
                  side);
    icmp->checksum = be16_from(0);
    icmp->checksum = checksum_finish(packet_sum(packet, header));
    return FILTER_ACCEPT;
}
