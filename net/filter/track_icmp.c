/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors and the flows they speak of (RFC 792, RFC 5508 4): the header
 * they quote must be whole and make sense, and the error must go to whom the
 * quoted packet came from.
 */
#include "net/filter/track.h"

#include "net/wire/icmp.h"

bool track_is_icmp_error(const struct track_segment *segment)
{
    if (segment->ip->protocol != FLOW_ICMP)
        return false;
    switch (segment->transport[0]) {
    case ICMP_DESTINATION_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        return true;
    default:
        return false;
    }
}

struct flow *track_icmp_error(const struct track_segment *segment,
                              enum flow_direction *direction)
{
    const struct ipv4_header *inner =
        (const void *)(segment->transport + ICMP_HEADER_LENGTH);
    size_t have = segment->linear - ICMP_HEADER_LENGTH;
    size_t header;
    struct flow_tuple tuple;
    struct flow *flow;

    if (have < sizeof(*inner) || inner->version_ihl >> 4 != 4)
        return NULL;
    header = ipv4_header_length(inner);
    if (header < sizeof(*inner) || have < header ||
        be16_get(inner->total_length) < header ||
        (have - header < ICMP_QUOTE_MIN &&
         have < be16_get(inner->total_length)) ||
        (be16_get(inner->fragment) & IPV4_FRAGMENT_OFFSET) != 0)
        return NULL;
    if (!track_tuple(inner, (const uint8_t *)inner + header, have - header,
                     &tuple) ||
        tuple.source != be32_get(segment->ip->destination))
        return NULL;
    tuple = flow_inverse(&tuple, inner->protocol);
    flow = flow_find(&tuple, inner->protocol, segment->now, direction);
    return flow;
}
