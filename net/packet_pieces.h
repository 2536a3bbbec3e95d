/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a caller that lie in several places (an iovec): into a packet, and
 * out of one. All borrow the memory for the call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "net/attributes.h"
#include "net/packet.h"

struct packet_piece {
    const void *bytes;
    size_t length;
};

struct packet_room {
    void *bytes;
    size_t length;
};

/* A reader over pieces. */
struct packet_source {
    const struct packet_piece *pieces;
    size_t offset; /* in the first */
};

/* Appends the next `linear` bytes to the linear part and `rest` more in
 * buffers that the packet points at. False when memory is short; the packet is
 * still the caller's. */
bool packet_append_pieces(struct packet *packet, struct packet_source *source,
                          size_t linear, size_t rest) MUST_CHECK;

/* Copies the packet's beginning out, as much as there is room for. */
void packet_copy_to_rooms(const struct packet *packet,
                          const struct packet_room *rooms, size_t count);
