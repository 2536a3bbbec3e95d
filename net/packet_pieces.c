/* SPDX-License-Identifier: MIT */
/* Bytes of a caller that lie in several places, and packets. */
#include "net/packet_pieces.h"

#include "net/buffer.h"
#include "net/limits.h"
#include "net/platform.h"

#include <string.h>

static void take(struct packet_source *source, uint8_t *to, size_t length)
{
    while (length != 0) {
        size_t left = source->pieces->length - source->offset;
        size_t part = left < length ? left : length;

        if (part != 0)
            memcpy(to, (const uint8_t *)source->pieces->bytes + source->offset,
                   part);
        to += part;
        length -= part;
        source->offset += part;
        if (source->offset == source->pieces->length) {
            source->pieces++;
            source->offset = 0;
        }
    }
}

bool packet_append_pieces(struct packet *packet, struct packet_source *source,
                          size_t linear, size_t rest)
{
    if (linear != 0)
        take(source, packet_append(packet, linear), linear);
    while (rest != 0) {
        size_t part = rest < BUFFER_SIZE ? rest : BUFFER_SIZE;
        uint8_t *buffer = buffer_alloc();

        if (buffer == NULL)
            return false;
        take(source, buffer, part);
        packet_add_fragment(packet, buffer, (uint32_t)part, LOAN_NONE);
        buffer_release(buffer); /* the packet holds it now */
        rest -= part;
    }
    return true;
}

void packet_copy_to_rooms(const struct packet *packet,
                          const struct packet_room *rooms, size_t count)
{
    size_t total = packet_total_length(packet);
    size_t copied = 0;

    for (size_t i = 0; i < count && copied < total; i++) {
        size_t length = rooms[i].length;
        bool is_whole;

        if (length > total - copied)
            length = total - copied;
        is_whole = length == 0 ||
                   packet_copy_out(packet, copied, rooms[i].bytes, length);
        ASSERT(is_whole); /* it was cut to what there is */
        copied += length;
    }
}
