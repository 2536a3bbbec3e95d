/* SPDX-License-Identifier: MIT */
/*
 * Internet checksum in portable C: 64-bit words, their carries counted apart,
 * which compilers make two instructions a word of, and in two sums, so that
 * neither waits for the word before. Seven words a turn: more are dear under
 * emulation (docs/performance.md). The sum is taken in the
 * machine's order and swapped once at the end (RFC 1071 2 (B)).
 */
#include "net/wire/checksum.h"

/* The machine's order to the packet's: little-endian only, as x86-64 is. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "the sum is swapped once at the end");

static uint32_t swap_bytes_of_sum(uint64_t sum)
{
    uint32_t folded = checksum_native_fold(sum);

    return (folded & 0xff) << 8 | folded >> 8;
}

/* A sum modulo 2^64, and how often it went round. */
struct wide_sum {
    uint64_t low;
    uint64_t carries;
};

static inline void add_64(struct wide_sum *sum, const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    sum->low += word;
    sum->carries += sum->low < word;
}

static inline uint64_t fold_wide(const struct wide_sum *sum)
{
    return (sum->low & 0xffffffff) + (sum->low >> 32) + sum->carries;
}

uint64_t checksum_native(const void *bytes, size_t length)
{
    const uint8_t *at = bytes;
    struct wide_sum even = {0, 0};
    struct wide_sum odd = {0, 0};
    uint64_t sum;

    for (; length >= 56; length -= 56, at += 56) {
        add_64(&even, at);
        add_64(&odd, at + 8);
        add_64(&even, at + 16);
        add_64(&odd, at + 24);
        add_64(&even, at + 32);
        add_64(&odd, at + 40);
        add_64(&even, at + 48);
    }
    for (; length >= 8; length -= 8, at += 8)
        add_64(&even, at);
    sum = fold_wide(&even) + fold_wide(&odd);
    if ((length & 4) != 0) {
        sum += checksum_native_32(at);
        at += 4;
    }
    if ((length & 2) != 0) {
        sum += (uint64_t)at[0] | (uint64_t)at[1] << 8;
        at += 2;
    }
    if ((length & 1) != 0)
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
