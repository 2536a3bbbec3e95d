/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 * A sum is kept unfolded in 32 bits, in the byte order of the packet, so that
 * sums of several pieces can be added: use checksum_add, never `+`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "net/wire/byteorder.h"

/* The sum of `length` bytes as if they began at an even offset, added to
 * `sum`. An odd last byte counts as if a zero followed. */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length);

/* Adds the sum of a later piece that begins at byte `offset` of the whole. */
uint32_t checksum_combine(uint32_t sum, uint32_t piece, size_t offset);

/* Adds one 16-bit word, or the two of a 32-bit one. */
static inline uint32_t checksum_add_16(uint32_t sum, uint16_t word)
{
    uint64_t wide = (uint64_t)sum + word;
    return (uint32_t)wide + (uint32_t)(wide >> 32);
}

static inline uint32_t checksum_add_32(uint32_t sum, uint32_t words)
{
    uint64_t wide = (uint64_t)sum + words;
    return (uint32_t)wide + (uint32_t)(wide >> 32);
}

/* Folds to 16 bits, not complemented. */
static inline uint16_t checksum_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* The field: folded and complemented. */
static inline struct be16 checksum_finish(uint32_t sum)
{
    return be16_from((uint16_t)~checksum_fold(sum));
}

/* Whether bytes that include their checksum field are intact. */
static inline bool checksum_is_valid(uint32_t sum)
{
    return checksum_fold(sum) == 0xffff;
}

/* For checking alone the order of bytes does not matter: the plain sum of the
 * words as the machine reads them, unfolded; such sums are added by `+`. */
uint64_t checksum_native(const void *bytes, size_t length);

static inline uint64_t checksum_native_32(const void *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return word;
}

static inline uint16_t checksum_native_fold(uint64_t sum)
{
    uint32_t half;

    sum += sum << 32 | sum >> 32; /* the upper half is both and the carry */
    half = (uint32_t)(sum >> 32);
    half += half << 16 | half >> 16;
    return (uint16_t)(half >> 16);
}

/* The same of the 20 bytes of an IPv4 header without options, folded. */
static inline uint16_t checksum_native_20(const void *bytes)
{
    const uint8_t *at = bytes;
    uint64_t sum;
    uint64_t next;

    memcpy(&sum, at, sizeof(sum));
    memcpy(&next, at + 8, sizeof(next));
    sum += next;
    sum += sum < next;
    next = checksum_native_32(at + 16);
    sum += next;
    sum += sum < next;
    return checksum_native_fold(sum);
}

static inline bool checksum_native_is_valid(uint64_t sum)
{
    return checksum_native_fold(sum) == 0xffff;
}

/* The field after a 16-bit word of what it covers changed (RFC 1624, eqn. 3:
 * right for every value, 0x0000 and 0xffff included). Never 0; a UDP field of
 * 0, "none", must not be updated. */
struct be16 checksum_update_16(struct be16 field, uint16_t before,
                               uint16_t after);
struct be16 checksum_update_32(struct be16 field, uint32_t before,
                               uint32_t after);
