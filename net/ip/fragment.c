/* SPDX-License-Identifier: MIT */
/*
 * Fragmentation (RFC 791 3.2): a datagram larger than the path takes is cut
 * into copies of its pieces.
 */
#include "net/ip/input.h"
#include "net/ip/output.h"
#include "net/platform.h"
#include "net/wire/checksum.h"

#include <string.h>

static size_t piece_size(uint32_t mtu, size_t header_length)
{
    size_t room = BUFFER_SIZE - PACKET_HEADROOM;

    if (mtu < room)
        room = mtu;
    return (room - header_length) & ~(size_t)(IPV4_FRAGMENT_UNIT - 1);
}

/* RFC 791 3.2: the options that go into every piece are marked so; the others
 * are in the first one alone. Returns the length of the header in `to`. The
 * options were checked when the packet came in, or are our own. */
static size_t copy_header(uint8_t *to, const uint8_t *from, bool is_first)
{
    size_t end = ipv4_header_length((const void *)from);
    size_t kept = IPV4_HEADER_LENGTH;
    size_t length;

    if (is_first) {
        memcpy(to, from, end);
        return end;
    }
    memcpy(to, from, IPV4_HEADER_LENGTH);
    for (size_t at = IPV4_HEADER_LENGTH;
         at + 1 < end && from[at] != IPV4_OPTION_END; at += length) {
        length = from[at] == IPV4_OPTION_NOP ? 1 : from[at + 1];
        if (length == 0 || length > end - at)
            break;
        if ((from[at] & IPV4_OPTION_COPIED) != 0) {
            memcpy(to + kept, from + at, length);
            kept += length;
        }
    }
    while (kept % 4 != 0)
        to[kept++] = IPV4_OPTION_END;
    to[0] = (uint8_t)(0x40 | kept / 4);
    return kept;
}

static struct packet *make_piece(const struct packet *packet, size_t offset,
                                 size_t length)
{
    struct packet *piece = packet_alloc(PACKET_HEADROOM);
    uint8_t header[IPV4_HEADER_MAX];
    size_t header_length;
    bool is_whole;

    if (piece == NULL)
        return NULL;
    header_length = copy_header(header, packet->data, offset == 0);
    memcpy(packet_append(piece, header_length), header, header_length);
    is_whole = packet_copy_out(
        packet, ipv4_header_length((const void *)packet->data) + offset,
        packet_append(piece, length), length);
    ASSERT(is_whole);
    piece->network_offset = (uint16_t)packet_headroom(piece);
    piece->protocol = packet->protocol;
    piece->time_ns = packet->time_ns;
    return piece;
}

/* The fields that a piece does not share with the whole. A packet for others
 * may itself be a piece. */
static void finish_header(struct ipv4_header *header, size_t offset,
                          size_t length, bool is_last)
{
    uint16_t field = be16_get(header->fragment);
    size_t header_length = ipv4_header_length(header);

    field = (uint16_t)(field + offset / IPV4_FRAGMENT_UNIT);
    if (!is_last)
        field |= IPV4_MORE_FRAGMENTS;
    header->total_length = be16_from((uint16_t)(header_length + length));
    header->fragment = be16_from(field);
    header->checksum = be16_from(0);
    header->checksum = checksum_finish(checksum_add(0, header, header_length));
}

void ip_fragment(struct packet *packet, const struct ip_route *route,
                 uint64_t now_ns)
{
    size_t header_length = ipv4_header_length((const void *)packet->data);
    size_t payload = packet_total_length(packet) - header_length;
    size_t size = piece_size(route->mtu, header_length);
    size_t length;

    ASSERT(route->mtu >= IPV4_MINIMUM_MTU);
    ip_counters.out_fragments_required++;
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL)
        packet_finish_checksum(packet);
    for (size_t offset = 0; offset < payload; offset += length) {
        struct packet *piece;

        length = payload - offset < size ? payload - offset : size;
        piece = make_piece(packet, offset, length);
        if (piece == NULL) {
            ip_counters.out_fragments_failed++;
            packet_drop(packet, DROP_NO_MEMORY);
            return;
        }
        finish_header((void *)piece->data, offset, length,
                      offset + length == payload);
        ip_counters.out_fragments_created++;
        ip_transmit(piece, route, now_ns);
    }
    ip_counters.out_fragments_done++;
    packet_free(packet);
}
