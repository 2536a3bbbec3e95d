/* SPDX-License-Identifier: MIT */
/*
 * Fragmentation (RFC 791 3.2): a datagram larger than the path takes is cut
 * into copies of its pieces. Our own headers carry no options, so there are
 * none to choose from.
 */
#include "net/ip/input.h"
#include "net/ip/output.h"
#include "net/platform.h"
#include "net/wire/checksum.h"

#include <string.h>

static size_t piece_size(uint32_t mtu)
{
    size_t room = BUFFER_SIZE - PACKET_HEADROOM;

    if (mtu < room)
        room = mtu;
    return (room - IPV4_HEADER_LENGTH) & ~(size_t)(IPV4_FRAGMENT_UNIT - 1);
}

static struct packet *make_piece(const struct packet *packet, size_t offset,
                                 size_t length)
{
    struct packet *piece = packet_alloc(PACKET_HEADROOM);
    const struct ipv4_header *original = (const void *)packet->data;
    struct ipv4_header *header;
    bool is_whole;

    if (piece == NULL)
        return NULL;
    header = packet_append(piece, sizeof(*header));
    *header = *original;
    is_whole = packet_copy_out(packet, IPV4_HEADER_LENGTH + offset,
                               packet_append(piece, length), length);
    ASSERT(is_whole);
    piece->network_offset = (uint16_t)packet_headroom(piece);
    piece->protocol = packet->protocol;
    piece->time_ns = packet->time_ns;
    return piece;
}

void ip_fragment(struct packet *packet, const struct ip_route *route,
                 uint64_t now_ns)
{
    size_t payload = packet_total_length(packet) - IPV4_HEADER_LENGTH;
    size_t size = piece_size(route->mtu);
    size_t length;

    ASSERT(route->mtu >= IPV4_MINIMUM_MTU);
    ASSERT(ipv4_header_length((const void *)packet->data) ==
           IPV4_HEADER_LENGTH);
    ip_counters.out_fragments_required++;
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL)
        packet_finish_checksum(packet);
    for (size_t offset = 0; offset < payload; offset += length) {
        struct packet *piece;
        struct ipv4_header *header;
        uint16_t field = (uint16_t)(offset / IPV4_FRAGMENT_UNIT);

        length = payload - offset < size ? payload - offset : size;
        piece = make_piece(packet, offset, length);
        if (piece == NULL) {
            ip_counters.out_fragments_failed++;
            packet_drop(packet, DROP_NO_MEMORY);
            return;
        }
        if (offset + length < payload)
            field |= IPV4_MORE_FRAGMENTS;
        header = (void *)piece->data;
        header->total_length =
            be16_from((uint16_t)(IPV4_HEADER_LENGTH + length));
        header->fragment = be16_from(field);
        header->checksum = be16_from(0);
        header->checksum =
            checksum_finish(checksum_add(0, header, sizeof(*header)));
        ip_counters.out_fragments_created++;
        ip_transmit(piece, route, now_ns);
    }
    ip_counters.out_fragments_done++;
    packet_free(packet);
}
