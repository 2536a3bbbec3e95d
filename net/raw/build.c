/* SPDX-License-Identifier: MIT */
/*
 * Packets made of scattered bytes: the beginning linear, so that headers can
 * be looked at, the rest in buffers that the packet points at.
 */
#include "net/raw/socket.h"

#include "net/limits.h"

#include <string.h>

/* A reader over the pieces. */
struct source {
    const struct raw_piece *pieces;
    size_t offset; /* in the first */
};

static void take(struct source *source, uint8_t *to, size_t length)
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

static bool is_linear(size_t length, size_t headroom)
{
    return length <= BUFFER_SIZE - headroom;
}

size_t raw_true_size(size_t length, size_t headroom)
{
    size_t rest = is_linear(length, headroom) ? 0 : length - RAW_LINEAR_BYTES;

    return sizeof(struct packet) + BUFFER_SIZE +
           (rest + BUFFER_SIZE - 1) / BUFFER_SIZE * BUFFER_SIZE;
}

static bool add_fragments(struct packet *packet, struct source *source,
                          size_t length)
{
    while (length != 0) {
        size_t part = length < BUFFER_SIZE ? length : BUFFER_SIZE;
        uint8_t *buffer = buffer_alloc();

        if (buffer == NULL)
            return false;
        take(source, buffer, part);
        packet_add_fragment(packet, buffer, (uint32_t)part);
        buffer_release(buffer); /* the packet holds it now */
        length -= part;
    }
    return true;
}

struct packet *raw_build(const struct raw_piece *pieces, size_t count,
                         size_t headroom)
{
    struct packet *packet = packet_alloc(headroom);
    struct source source = {pieces, 0};
    size_t total = 0;
    size_t linear;

    if (packet == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        total += pieces[i].length;
    linear = is_linear(total, headroom) ? total : RAW_LINEAR_BYTES;
    take(&source, packet_append(packet, linear), linear);
    if (!add_fragments(packet, &source, total - linear)) {
        packet_drop(packet, DROP_NO_MEMORY);
        return NULL;
    }
    return packet;
}
