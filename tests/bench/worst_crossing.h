/* SPDX-License-Identifier: MIT */
/*
 * Frames through a gateway that translates: the last build is measured.
 */
#pragma once

#include <stdint.h>

void crossing_plain(void);           /* a flow begins */
void crossing_ports_taken(void);     /* and every port is taken */
void crossing_error(void);           /* about a translated flow */
void crossing_hop(void);             /* its last one: told to the sender */
void crossing_last_fragment(void);   /* of 64 KiB, with a checksum */
void crossing_small_fragments(void); /* the same, over a hop of 576 bytes */

/* ---- for the search ------------------------------------------------------ */

/* The victim becomes a gateway, once; `mtu` of its way out by number. */
void crossing_begin(uint32_t mtu);

/* A frame through it, about it or against it, of three numbers: which, of
 * which flow, and what is in it. */
void crossing_frame(uint32_t a, uint32_t b, uint32_t c);

/* Piece `i` of `count` of a datagram: from which end (bit 0 of `a`), of which
 * flow, and how long each. */
void crossing_parcel(uint32_t a, uint32_t b, uint32_t c, uint32_t i,
                     uint32_t count);
