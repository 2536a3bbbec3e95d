/* SPDX-License-Identifier: MIT */
/*
 * The image's constants come out of the file as they went in: what tools/pack
 * packs, kernel/unpack.c unpacks, for texts, tables, noise and the empty.
 * test-links: kernel/unpack.c tools/pack/packer.c tools/pack/coder.c
 */
#include "kernel/unpack.h"
#include "tools/pack/packer.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 16, GUARD_BYTE = 0xa5 };

/* Packs, unpacks, compares; returns the packed length. */
static size_t round_trip(const uint8_t *bytes, size_t length)
{
    size_t packed_length;
    uint8_t *packed = pack(bytes, length, &packed_length);
    uint8_t *exact = malloc(packed_length);
    uint8_t *out = malloc(length + GUARD);

    cr_assert(exact != NULL && out != NULL);
    memcpy(exact, packed, packed_length); /* a read beyond it is seen */
    memset(out, GUARD_BYTE, length + GUARD);
    unpack(exact, out, length);
    cr_expect_eq(memcmp(out, bytes, length), 0, "%zu bytes differ", length);
    for (size_t i = 0; i < GUARD; i++)
        cr_expect_eq(out[length + i], GUARD_BYTE, "wrote beyond the end");
    free(packed);
    free(exact);
    free(out);
    return packed_length;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

Test(unpack, every_short_length_comes_out_as_it_went_in)
{
    uint8_t bytes[64];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] =
            (uint8_t)("abcab\xff\0\0\0\0abcabcabc"[i % 18] + (int)i / 40);
    for (size_t length = 0; length <= sizeof(bytes); length++)
        round_trip(bytes, length);
}

Test(unpack, texts_become_smaller_and_come_back)
{
    static uint8_t bytes[6000];
    size_t length = 0, packed;

    for (unsigned i = 0; length < sizeof(bytes) - 64; i++) {
        length += (size_t)snprintf(
            (char *)bytes + length, sizeof(bytes) - length,
            "counter_%u_total: segments received of kind %u\n", i * 7, i % 5);
    }
    packed = round_trip(bytes, length);
    cr_expect_lt(packed, length / 5, "%zu of %zu bytes", packed, length);
}

Test(unpack, noise_costs_hardly_more_than_itself)
{
    static uint8_t bytes[4000];
    uint32_t state = 1;
    size_t packed;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)next_random(&state);
    packed = round_trip(bytes, sizeof(bytes));
    cr_expect_lt(packed, sizeof(bytes) * 103 / 100);
}

Test(unpack, runs_longer_than_one_copy_come_back)
{
    static uint8_t bytes[3000];

    memset(bytes, 0xff, sizeof(bytes));
    cr_expect_lt(round_trip(bytes, sizeof(bytes)), 40U);
    memset(bytes + 1000, 0, 1000);
    round_trip(bytes, sizeof(bytes));
}

Test(unpack, mixtures_of_copies_far_and_near_come_back)
{
    static uint8_t bytes[3000];

    for (uint32_t seed = 1; seed <= 20; seed++) {
        uint32_t state = seed;
        size_t i = 0;

        while (i < sizeof(bytes)) {
            size_t count = next_random(&state) % 40 + 1;
            size_t from = i > 0 ? next_random(&state) % i : 0;
            bool is_copy = i > 0 && next_random(&state) % 4 != 0;

            for (; count > 0 && i < sizeof(bytes); count--, i++)
                bytes[i] =
                    is_copy ? bytes[from++] : (uint8_t)next_random(&state);
        }
        round_trip(bytes, sizeof(bytes));
    }
}
