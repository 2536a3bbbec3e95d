/* SPDX-License-Identifier: MIT */
/*
 * Big-endian fields of packets. They are structures of octets, so that
 * comparing or assigning one as an integer does not compile, alignment is 1,
 * and a header may lie at any address. Host order exists only in parsed
 * values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Shorter than a call, which a compiler that saves bytes does not see. */
#define WIRE_INLINE static inline __attribute__((always_inline))

struct be16 {
    uint8_t octet[2];
};

struct be32 {
    uint8_t octet[4];
};

WIRE_INLINE uint16_t be16_get(struct be16 value)
{
    return (uint16_t)((uint16_t)value.octet[0] << 8 | value.octet[1]);
}

WIRE_INLINE uint32_t be32_get(struct be32 value)
{
    return (uint32_t)value.octet[0] << 24 | (uint32_t)value.octet[1] << 16 |
           (uint32_t)value.octet[2] << 8 | value.octet[3];
}

/* By one store each: octets that are put together one by one are what gcc 12
 * at -O2 shuffles with those of the field beside. */
WIRE_INLINE struct be16 be16_from(uint16_t value)
{
    struct be16 wire;

    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        value = (uint16_t)(value << 8 | value >> 8);
    memcpy(&wire, &value, sizeof(wire));
    return wire;
}

WIRE_INLINE struct be32 be32_from(uint32_t value)
{
    struct be32 wire;

    if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        value = value << 24 | (value << 8 & 0xff0000) | (value >> 8 & 0xff00) |
                value >> 24;
    memcpy(&wire, &value, sizeof(wire));
    return wire;
}

/* The octets as the machine reads them: to compare, and to add up checksums. */
static inline uint16_t be16_raw(struct be16 value)
{
    uint16_t word;

    memcpy(&word, value.octet, sizeof(word));
    return word;
}

static inline uint32_t be32_raw(struct be32 value)
{
    uint32_t word;

    memcpy(&word, value.octet, sizeof(word));
    return word;
}

/* And back. */
static inline struct be16 be16_from_raw(uint16_t word)
{
    struct be16 value;

    memcpy(value.octet, &word, sizeof(word));
    return value;
}

static inline bool be16_equal(struct be16 a, struct be16 b)
{
    return be16_raw(a) == be16_raw(b);
}

static inline bool be32_equal(struct be32 a, struct be32 b)
{
    return be32_raw(a) == be32_raw(b);
}

_Static_assert(sizeof(struct be16) == 2 && _Alignof(struct be16) == 1,
               "wire fields carry no padding");
_Static_assert(sizeof(struct be32) == 4 && _Alignof(struct be32) == 1,
               "wire fields carry no padding");
