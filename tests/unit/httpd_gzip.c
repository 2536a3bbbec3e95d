/* SPDX-License-Identifier: MIT */
/*
 * Unpacking, against zlib: every kind of block, and what must not be believed.
 * test-links: apps/httpd/gzip.c
 * test-flags: -lz
 */
#include "apps/httpd/gzip.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { SIZE_MAX_HERE = 70000 };

static uint8_t plain[SIZE_MAX_HERE], packed[2 * SIZE_MAX_HERE];
static uint8_t back[SIZE_MAX_HERE];

static size_t pack(size_t length, int level, int strategy)
{
    z_stream z = {.next_in = plain, .avail_in = (unsigned)length};

    cr_assert_eq(deflateInit2(&z, level, Z_DEFLATED, 31, 9, strategy), Z_OK);
    z.next_out = packed;
    z.avail_out = sizeof(packed);
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return (size_t)z.total_out;
}

static void comes_back(size_t length, int level, int strategy)
{
    size_t packed_length = pack(length, level, strategy);

    memset(back, 0, sizeof(back));
    cr_assert_eq(gzip_size(packed, packed_length), length);
    cr_assert(gzip_unpack(packed, packed_length, back, length), "%zu %d %d",
              length, level, strategy);
    cr_assert_eq(memcmp(back, plain, length), 0);
}

static void fill(unsigned kind)
{
    unsigned state = 1;

    for (size_t i = 0; i < sizeof(plain); i++) {
        state = state * 1103515245 + 12345;
        if (kind == 0)
            plain[i] = (uint8_t)(state >> 16);
        else if (kind == 1)
            plain[i] = (uint8_t)("the walk of a packet "[i % 21]);
        else
            plain[i] = (uint8_t)(i < 5 || (state >> 20) % 4 == 0
                                     ? state >> 24
                                     : plain[i - 1 - (state >> 16) % 5]);
    }
}

Test(httpd_gzip, what_zlib_packs_comes_back)
{
    static const size_t lengths[] = {1,    2,     258,          259,
                                     1000, 32768, SIZE_MAX_HERE};

    for (unsigned kind = 0; kind < 3; kind++) {
        fill(kind);
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            comes_back(lengths[i], 0, Z_DEFAULT_STRATEGY);
            comes_back(lengths[i], 9, Z_DEFAULT_STRATEGY);
            comes_back(lengths[i], 1, Z_FIXED);
            comes_back(lengths[i], 6, Z_HUFFMAN_ONLY);
        }
    }
}

Test(httpd_gzip, a_cut_or_too_small_a_place_is_refused)
{
    size_t length;

    fill(2);
    length = pack(5000, 9, Z_DEFAULT_STRATEGY);
    for (size_t cut = 0; cut < length; cut += 7)
        cr_assert_not(gzip_unpack(packed, cut, back, 5000));
    cr_assert_not(gzip_unpack(packed, length, back, 4999));
    cr_assert_not(gzip_unpack(packed, length, back, 5001));
}

Test(httpd_gzip, spoilt_bytes_are_survived)
{
    uint8_t whole[6000];
    size_t length;
    unsigned state = 7;

    fill(2);
    length = pack(5000, 9, Z_DEFAULT_STRATEGY);
    cr_assert_leq(length, sizeof(whole));
    memcpy(whole, packed, length);
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t *copy = malloc(length); /* to the byte, for the sanitizer */

        memcpy(copy, whole, length);
        for (unsigned k = 0; k < 3; k++) {
            state = state * 1103515245 + 12345;
            copy[10 + (state >> 8) % (length - 18)] ^= (uint8_t)(state >> 3);
        }
        (void)gzip_unpack(copy, length, back, 5000);
        free(copy);
    }
}
