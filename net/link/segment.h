/* SPDX-License-Identifier: MIT */
/*
 * Large packets: one header for many segments of TCP over IPv4. The linear
 * part is the headers and nothing else, the payload lies in fragments, and
 * `segment_size` bytes of it go into each frame. Devices with NETIF_TX_SEGMENT
 * cut by themselves; for the others it is done here.
 */
#pragma once

#include <stdint.h>

#include "net/attributes.h"
#include "net/packet.h"

/* Where the next segment begins. */
struct segment_cursor {
    uint32_t done; /* bytes of payload before it */
    uint32_t fragment;
    uint32_t within; /* bytes of that fragment before it */
    uint16_t number;
};

/* The next segment as a packet of its own, which takes its payload along; its
 * checksum is still PARTIAL. The last one is what is left of the large packet
 * itself. NULL: no packet is to be had; the large one holds the rest. */
struct packet *segment_next(struct packet *large,
                            struct segment_cursor *cursor) MUST_CHECK;

/* Makes the headers the template that devices ask for: no IP length, no IP
 * checksum, and the pseudo-header's sum without the length. Once. */
void segment_make_template(struct packet *large);
