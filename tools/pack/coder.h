/* SPDX-License-Identifier: MIT */
/*
 * The writing half of kernel/unpack.c: bits by their chances into a range
 * coder, and what they would cost if they were written now.
 */
#pragma once

#include "kernel/unpack.h"

#include <stdbool.h>

/* What the unpacker knows at a place between two steps. */
struct place {
    uint32_t distance; /* of the last copy */
    unsigned was_copy;
    uint8_t before;
};

struct step {
    uint32_t length;
    uint32_t distance; /* 0: a single byte */
    uint8_t byte;
};

struct coder {
    uint16_t chances[UNPACK_CHANCES];
    bool is_pricing; /* adds to `price`, and changes nothing else */
    double price;    /* in bits */

    uint64_t low;
    uint32_t range;
    uint8_t held;      /* a byte to which a carry may still come */
    uint64_t held_ffs; /* and bytes 0xff behind it */
    bool is_first;
    uint8_t *bytes;
    size_t length, room;
};

void coder_start(struct coder *coder);
double coder_price(struct coder *coder, const struct place *place,
                   const struct step *step);
void coder_write(struct coder *coder, const struct place *place,
                 const struct step *step);
void coder_finish(struct coder *coder);

/* Where the unpacker is after `step`, which ends with `last`. */
struct place place_after(const struct place *place, const struct step *step,
                         uint8_t last);
