/* SPDX-License-Identifier: MIT */
/*
 * What the chip does with a large packet [8254x 3.5]: one frame per MSS bytes,
 * each with its own copy of the header.
 */
#pragma once

#include "tests/unit/support_e1000_nic.h"

enum { FAKE_LARGE_MAX = 65536 + 256 };

/* The context for segmentation, as the descriptor held it. */
struct fake_context {
    uint64_t offsets;
    uint32_t payload; /* PAYLEN */
    uint32_t header;  /* HDRLEN */
    uint32_t mss;
};

/* The bytes of frame number `index` of the large packet; returns its length,
 * 0 when there is none. */
uint32_t fake_cut(const struct fake_context *context, const uint8_t *large,
                  uint32_t index, uint8_t frame[FAKE_FRAME_MAX]);

/* Puts the checksum of the bytes from `start` to `end` (0: `length`). */
void fake_checksum(uint8_t *frame, uint32_t start, uint32_t end,
                   uint32_t field);
