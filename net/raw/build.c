/* SPDX-License-Identifier: MIT */
/*
 * Packets made of scattered bytes: the beginning linear, so that headers can
 * be looked at, the rest in buffers that the packet points at.
 */
#include "net/raw/socket.h"

#include "net/limits.h"

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

struct packet *raw_build(const struct packet_piece *pieces, size_t count,
                         size_t headroom)
{
    struct packet *packet = packet_alloc(headroom);
    struct packet_source source = {pieces, 0};
    size_t total = 0;
    size_t linear;

    if (packet == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        total += pieces[i].length;
    linear = is_linear(total, headroom) ? total : RAW_LINEAR_BYTES;
    if (!packet_append_pieces(packet, &source, linear, total - linear)) {
        packet_drop(packet, DROP_NO_MEMORY);
        return NULL;
    }
    return packet;
}
