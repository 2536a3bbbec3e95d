/* SPDX-License-Identifier: MIT */
/*
 * Fragmentation (RFC 791 3.2): a datagram larger than the path takes is cut
 * into copies of its pieces, so many at a time: no frame may cause more.
 */
#include "net/ip/input.h"
#include "net/ip/output.h"
#include "net/platform.h"
#include "net/timer.h"
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

/* A packet being cut, in its own scratch. */
struct cut {
    struct ip_route route;
    uint32_t offset; /* of the next piece */
};

_Static_assert(sizeof(struct cut) <= sizeof(((struct packet *)NULL)->scratch),
               "the packet remembers how far it came");

static struct {
    struct packet_queue waiting;
    struct timer timer;
} cutting;

/* So many pieces. True: that was all, and the packet is gone. */
static bool cut_some(struct packet *packet, size_t count, uint64_t now_ns)
{
    struct cut *cut = (void *)packet->scratch;
    size_t header_length = ipv4_header_length((const void *)packet->data);
    size_t payload = packet_total_length(packet) - header_length;
    size_t size = piece_size(cut->route.mtu, header_length);

    for (; count != 0 && cut->offset < payload; count--) {
        size_t left = payload - cut->offset;
        size_t length = left < size ? left : size;
        struct packet *piece = make_piece(packet, cut->offset, length);

        if (piece == NULL) {
            ip_counters.out_fragments_failed++;
            packet_drop(packet, DROP_NO_MEMORY);
            return true;
        }
        finish_header((void *)piece->data, cut->offset, length, length == left);
        cut->offset += (uint32_t)length;
        ip_counters.out_fragments_created++;
        ip_transmit(piece, &cut->route, now_ns);
    }
    if (cut->offset < payload)
        return false;
    ip_counters.out_fragments_done++;
    packet_free(packet);
    return true;
}

static void keep(struct packet *packet, uint64_t now_ns)
{
    packet_queue_append(&cutting.waiting, packet);
    if (!timer_is_set(&cutting.timer))
        timer_set(&cutting.timer, now_ns + TIMER_RESOLUTION_NS);
}

static void go_on(struct timer *timer, uint64_t now_ns)
{
    struct packet *packet = packet_queue_take(&cutting.waiting);

    if (!cut_some(packet, IP_PIECES_PER_TURN, now_ns))
        keep(packet, now_ns);
    else if (cutting.waiting.count != 0)
        timer_set(timer, now_ns + TIMER_RESOLUTION_NS);
}

void ip_fragment_init(void)
{
    memset(&cutting, 0, sizeof(cutting));
    cutting.timer.expire = go_on;
}

void ip_fragment(struct packet *packet, const struct ip_route *route,
                 uint64_t now_ns)
{
    /* To ourselves it is nobody else's doing. */
    bool may_wait =
        !route->is_local && cutting.waiting.count < IP_CUT_PACKETS_MAX;
    struct cut *cut = (void *)packet->scratch;

    ASSERT(route->mtu >= IPV4_MINIMUM_MTU);
    ip_counters.out_fragments_required++;
    if (packet->netif != NULL && !route->is_local && !may_wait) {
        /* A frame's doing: it may cause no more. An app has time of its own. */
        ip_counters.out_fragments_failed++;
        packet_drop(packet, DROP_FRAGMENT_LIMIT);
        return;
    }
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL)
        packet_finish_checksum(packet);
    *cut = (struct cut){*route, 0};
    if (packet->joined_size != 0 && packet->joined_size < route->mtu)
        cut->route.mtu = packet->joined_size;
    if (!cut_some(packet, may_wait ? IP_PIECES_PER_TURN : SIZE_MAX, now_ns))
        keep(packet, now_ns);
}
