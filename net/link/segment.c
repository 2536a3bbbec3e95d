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

static void finish_headers(struct packet *segment, size_t before,
                           const struct segment_cursor *cursor, bool is_last)
{
    struct ipv4_header *ip = packet_network_header(segment);
    struct tcp_header *tcp = packet_transport_header(segment);
    size_t length = transport_length(segment);
    size_t ip_length =
        (size_t)(segment->transport_offset - segment->network_offset);

    change_length(tcp, before, length);
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

/* A packet with the headers of the large one, and no payload yet. */
static inline struct packet *copy_headers(const struct packet *large)
{
    struct packet *segment = packet_alloc(packet_headroom(large));

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
    return segment;
}

/* Payload passes from the large packet to the segment. The last piece of a
 * fragment takes over how it is held. */
static inline void move_payload(struct packet *segment,
                                const struct packet *large, uint32_t wanted,
                                struct segment_cursor *cursor)
{
    const struct packet_fragment *from =
        &packet_fragments(large)[cursor->fragment];

    while (wanted != 0) {
        const uint8_t *data = from->data + cursor->within;
        uint32_t part = from->length - cursor->within;

        if (part > wanted) {
            packet_add_fragment(segment, data, wanted, from->loan);
            cursor->within += wanted;
            return;
        }
        packet_take_fragment(segment, data, part, from->loan);
        wanted -= part;
        cursor->within = 0;
        cursor->fragment++;
        from++;
    }
}

/* The large packet becomes one of what is left. */
static void keep_rest(struct packet *large, const struct segment_cursor *cursor)
{
    struct packet_fragment *fragments = packet_fragments(large);
    uint8_t count = (uint8_t)(large->fragment_count - cursor->fragment);

    if (cursor->fragment != 0)
        memmove(fragments, fragments + cursor->fragment,
                count * sizeof(*fragments));
    fragments[0].data += cursor->within;
    fragments[0].length -= cursor->within;
    large->fragment_count = count;
    large->fragments_length -= cursor->done;
    large->segment_size = 0;
}

struct packet *segment_next(struct packet *large, struct segment_cursor *cursor)
{
    uint32_t left = large->fragments_length - cursor->done;
    uint32_t length = large->segment_size;
    size_t before = transport_length(large);
    bool is_last = left <= length;
    struct packet *segment = is_last ? large : copy_headers(large);

    if (segment == NULL || is_last)
        keep_rest(large, cursor);
    else
        move_payload(segment, large, length, cursor);
    if (segment == NULL)
        return NULL;
    finish_headers(segment, before, cursor, is_last);
    cursor->done += length;
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
