/* SPDX-License-Identifier: MIT */
/*
 * Internet checksum in portable C: four 32-bit words into a 64-bit sum per
 * turn, which needs no carries and is the cheapest form both under emulation
 * and on hardware (2^32 words would be needed to overflow it). The sum is
 * taken in the machine's order and swapped once at the end (RFC 1071 2 (B)).
 */
#include "net/wire/checksum.h"

/* The machine's order to the packet's: little-endian only, as x86-64 is. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the sum is swapped once at the end");

static uint32_t swap_bytes_of_sum(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)((sum & 0xff) << 8 | sum >> 8);
}

uint64_t checksum_native(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    uint64_t sum = 0;

    for (; length >= 16; length -= 16, at += 16) {
        sum += checksum_native_32(at) + checksum_native_32(at + 4);
        sum += checksum_native_32(at + 8) + checksum_native_32(at + 12);
    }
    for (; length >= 4; length -= 4, at += 4)
        sum += checksum_native_32(at);
    if (length >= 2) {
        sum += (uint64_t)at[0] | (uint64_t)at[1] << 8;
        at += 2;
        length -= 2;
    }
    if (length != 0)
        sum += at[0];
    return sum;
}

uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length)
{
    return checksum_add_32(sum,
                           swap_bytes_of_sum(checksum_native(bytes, length)));
}

uint32_t checksum_combine(uint32_t sum, uint32_t piece, size_t offset)
{
    uint32_t folded = checksum_fold(piece);

    if ((offset & 1) != 0)
        folded = (folded & 0xff) << 8 | folded >> 8;
    return checksum_add_32(sum, folded);
}

/* Of the two forms of zero the sum of data never is 0x0000, unless all of it
 * is: 0xffff is right in both cases. */
static struct be16 finish_update(uint32_t sum)
{
    struct be16 field = checksum_finish(sum);

    return be16_get(field) == 0 ? be16_from(0xffff) : field;
}

struct be16 checksum_update_16(struct be16 field, uint16_t before,
                               uint16_t after)
{
    uint32_t sum = (uint16_t)~be16_get(field);

    sum += (uint16_t)~before;
    sum += after;
    return finish_update(sum);
}

struct be16 checksum_update_32(struct be16 field, uint32_t before,
                               uint32_t after)
{
    uint32_t sum = (uint16_t)~be16_get(field);

    sum += (uint16_t) ~(before >> 16);
    sum += (uint16_t)~before;
    sum += (after >> 16) + (after & 0xffff);
    return finish_update(sum);
}
