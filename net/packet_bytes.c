/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a packet wherever they lie: copying, summing and gathering
 * over the linear part and the fragments.
 */
#include "net/packet.h"

#include "net/bounds.h"
#include "net/platform.h"
#include "net/wire/checksum.h"

#include <string.h>

bool packet_copy_out(const struct packet *packet, size_t offset, void *bytes,
                     size_t length)
{
    const struct packet_fragment *fragments = packet_fragments(packet);
    size_t total = packet_total_length(packet);
    uint8_t *to = bytes;

    if (offset > total || length > total - offset)
        return false;
    if (offset < packet->length) {
        size_t part = smaller_64(packet->length - offset, length);

        memcpy(to, packet->data + offset, part);
        to += part;
        length -= part;
        offset = 0;
    } else {
        offset -= packet->length;
    }
    for (size_t i = 0; length != 0; i++) {
        size_t part;

        if (offset >= fragments[i].length) {
            offset -= fragments[i].length;
            continue;
        }
        part = smaller_64(fragments[i].length - offset, length);
        memcpy(to, fragments[i].data + offset, part);
        to += part;
        length -= part;
        offset = 0;
    }
    return true;
}

uint32_t packet_sum(const struct packet *packet, size_t offset)
{
    const struct packet_fragment *fragments = packet_fragments(packet);
    uint32_t sum = 0;
    size_t done = 0;

    if (offset < packet->length) {
        done = packet->length - offset;
        sum = checksum_add(0, packet->data + offset, done);
        offset = 0;
    } else {
        offset -= packet->length;
    }
    for (size_t i = 0; i < packet->fragment_count; i++) {
        size_t length = fragments[i].length;
        uint32_t piece;

        if (offset >= length) {
            offset -= length;
            continue;
        }
        piece = checksum_add(0, fragments[i].data + offset, length - offset);
        sum = checksum_combine(sum, piece, done);
        done += length - offset;
        offset = 0;
    }
    return sum;
}

void packet_finish_checksum(struct packet *packet)
{
    uint8_t *start = packet->buffer + packet->checksum_start;
    struct be16 field;

    ASSERT(packet->checksum == PACKET_CHECKSUM_PARTIAL);
    ASSERT(start >= packet->data);
    ASSERT(packet->checksum_offset + sizeof(field) <=
           packet->length - (size_t)(start - packet->data));
    if (packet->fragment_count == 0)
        field = be16_from_raw((uint16_t)~checksum_native_fold(checksum_native(
            start, packet->length - (size_t)(start - packet->data))));
    else
        field =
            checksum_finish(packet_sum(packet, (size_t)(start - packet->data)));
    /* A sum of 0 means "none" to UDP, and is never right for TCP: a packet is
     * not all zeros. The other zero says the same (RFC 768). */
    if (be16_get(field) == 0)
        field = be16_from(0xffff);
    memcpy(start + packet->checksum_offset, &field, sizeof(field));
    packet->checksum = PACKET_CHECKSUM_VERIFIED;
}

bool packet_linearise(struct packet *packet)
{
    struct packet_fragment fragments[PACKET_FRAGMENTS_MAX];
    size_t count = packet->fragment_count;
    size_t used = packet_headroom(packet) + packet->length;

    if (packet->fragments_length > BUFFER_SIZE - used)
        return false;
    /* The descriptions lie where the bytes go. */
    memcpy(fragments, packet_fragments(packet), count * sizeof(fragments[0]));
    packet->fragment_count = 0;
    packet->fragments_length = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(packet_append(packet, fragments[i].length), fragments[i].data,
               fragments[i].length);
        packet_fragment_release(fragments[i]);
    }
    return true;
}
