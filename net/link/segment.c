/* SPDX-License-Identifier: MIT */
/*
 * Segmentation in software: what a chip does with a large packet. Sequence
 * numbers, lengths and IP identifications follow; FIN and PSH stay with the
 * last segment, CWR with the first (RFC 3168 6.1.2).
 */
#include "net/link/segment.h"

#include "net/platform.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

#include <string.h>

/* The field holds a sum of the pseudo-header with one length; it shall be the
 * sum with another. */
static void change_length(struct tcp_header *header, size_t before,
                          size_t after)
{
    uint32_t sum = be16_get(header->checksum);

    sum += (uint16_t)~before;
    sum += (uint32_t)after;
    header->checksum = be16_from(checksum_fold(sum));
}

/* Bytes from the TCP header on. */
static size_t transport_length(const struct packet *packet)
{
    return packet_total_length(packet) + packet_headroom(packet) -
           packet->transport_offset;
}

static void finish_headers(struct packet *segment, const struct packet *large,
                           const struct segment_cursor *cursor, bool is_last)
{
    struct ipv4_header *ip = packet_network_header(segment);
    struct tcp_header *tcp = packet_transport_header(segment);
    size_t length = transport_length(segment);
    size_t ip_length =
        (size_t)(segment->transport_offset - segment->network_offset);

    change_length(tcp, transport_length(large), length);
    tcp->sequence = be32_from(be32_get(tcp->sequence) + cursor->done);
    if (!is_last)
        tcp->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (cursor->number != 0)
        tcp->flags &= (uint8_t)~TCP_CWR;
    ip->total_length = be16_from((uint16_t)(ip_length + length));
    ip->identification =
        be16_from((uint16_t)(be16_get(ip->identification) + cursor->number));
    ip->checksum = be16_from(0);
    ip->checksum = ip_length == IPV4_HEADER_LENGTH
                       ? be16_from_raw((uint16_t)~checksum_native_20(ip))
                       : checksum_finish(checksum_add(0, ip, ip_length));
}

struct packet *segment_next(const struct packet *large,
                            struct segment_cursor *cursor)
{
    const struct packet_fragment *fragments = packet_fragments(large);
    size_t headroom = packet_headroom(large);
    uint32_t left = large->fragments_length - cursor->done;
    uint32_t wanted = left < large->segment_size ? left : large->segment_size;
    struct packet *segment = packet_alloc(headroom);

    if (segment == NULL)
        return NULL;
    segment->length = large->length;
    memcpy(segment->data, large->data, large->length);
    segment->netif = large->netif;
    segment->time_ns = large->time_ns;
    segment->network_offset = large->network_offset;
    segment->transport_offset = large->transport_offset;
    segment->checksum = large->checksum;
    segment->checksum_start = large->checksum_start;
    segment->checksum_offset = large->checksum_offset;
    segment->vlan_tag = large->vlan_tag;
    segment->has_vlan_tag = large->has_vlan_tag;
    segment->protocol = large->protocol;
    while (segment->fragments_length < wanted) {
        const struct packet_fragment *from = &fragments[cursor->fragment];
        uint32_t part = wanted - segment->fragments_length;

        if (part > from->length - cursor->within)
            part = from->length - cursor->within;
        packet_add_fragment(segment, from->data + cursor->within, part);
        cursor->within += part;
        if (cursor->within == from->length) {
            cursor->within = 0;
            cursor->fragment++;
        }
    }
    finish_headers(segment, large, cursor, wanted == left);
    cursor->done += wanted;
    cursor->number++;
    return segment;
}

void segment_make_template(struct packet *large)
{
    struct ipv4_header *ip = packet_network_header(large);

    ASSERT(large->checksum == PACKET_CHECKSUM_PARTIAL);
    change_length(packet_transport_header(large), transport_length(large), 0);
    ip->total_length = be16_from(0);
    ip->checksum = be16_from(0);
}
