/* SPDX-License-Identifier: MIT */
/*
 * Frames through a gateway that translates: the last build is measured.
 */
#pragma once

void crossing_plain(void);           /* a flow begins */
void crossing_ports_taken(void);     /* and every port is taken */
void crossing_error(void);           /* about a translated flow */
void crossing_hop(void);             /* its last one: told to the sender */
void crossing_last_fragment(void);   /* of 64 KiB, with a checksum */
void crossing_small_fragments(void); /* the same, over a hop of 576 bytes */
