/* SPDX-License-Identifier: MIT */
/*
 * How the image's constants lie packed in its file (tools/pack packs them at
 * the link, kernel/image.c unpacks them before anything else is done): copies
 * of earlier bytes and single bytes, their bits written by an adaptive binary
 * range coder. The packer and the unpacker share the layout of the chances.
 *
 * One step of the packed form:
 *   bit is_copy[the last was a copy]
 *     0: a byte, in the tree of the three highest bits of the one before
 *     1: bit is_again[the last was a copy]
 *          1: length from 1, distance as that of the last copy
 *          0: length from 2, then the distance from 1 (a model for copies of
 *             two bytes, one for longer ones)
 * A number from 1: how many bits follow its highest one, in a tree of five
 * bits; then these, the two highest in a tree, the rest by their place.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    UNPACK_CHANCE_BITS = 11, /* a chance of 1 << 11 would be certain */
    UNPACK_EVEN = 1 << (UNPACK_CHANCE_BITS - 1),
    UNPACK_RATE = 4,         /* a chance moves by 1/16 of what is left */
    UNPACK_RANGE_LEAST = 24, /* bits that the range never falls below */

    UNPACK_BYTE_BITS = 8,
    UNPACK_BEFORE_SHIFT = 5, /* what of the byte before counts */
    UNPACK_SIZE_BITS = 5,    /* of the tree of a number's length in bits */
    UNPACK_NUMBER_TREE = 4,  /* leading bits below this are told as a tree */

    UNPACK_IS_COPY = 0,
    UNPACK_IS_AGAIN = UNPACK_IS_COPY + 2,
    UNPACK_BYTES = UNPACK_IS_AGAIN + 2,
    UNPACK_NUMBER_SIZES = 1 << UNPACK_SIZE_BITS,
    UNPACK_NUMBER = UNPACK_NUMBER_SIZES + 32 * UNPACK_NUMBER_SIZES,
    UNPACK_LENGTH_AGAIN =
        UNPACK_BYTES + (1 << (2 * UNPACK_BYTE_BITS - UNPACK_BEFORE_SHIFT)),
    UNPACK_LENGTH = UNPACK_LENGTH_AGAIN + UNPACK_NUMBER,
    UNPACK_DISTANCE = UNPACK_LENGTH + UNPACK_NUMBER,
    UNPACK_CHANCES = UNPACK_DISTANCE + 2 * UNPACK_NUMBER,
};

/*
 * Writes `length` bytes. What is packed comes from the link and is trusted to
 * be whole, but nothing is read before or written outside of `bytes`.
 */
void unpack(const uint8_t *packed, uint8_t *bytes, size_t length);
