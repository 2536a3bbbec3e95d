/* SPDX-License-Identifier: MIT */
/*
 * ChaCha20 against RFC 8439, and the generator built on it.
 * test-links: kernel/chacha20.c kernel/generator.c
 */
#include "kernel/generator.h"

#include <criterion/criterion.h>
#include <string.h>

Test(chacha20, block_of_rfc_8439_2_3_2)
{
    static const uint8_t nonce[] = {0, 0, 0, 9, 0, 0, 0, 0x4a, 0, 0, 0, 0};
    static const uint8_t expected[] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd,
        0x1f, 0xa3, 0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0,
        0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2,
        0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05,
        0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e,
        0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
    uint8_t key[CHACHA20_KEY_BYTES], block[CHACHA20_BLOCK_BYTES];

    for (size_t i = 0; i < sizeof(key); i++)
        key[i] = (uint8_t)i;
    chacha20_block(key, 1, nonce, block);
    cr_assert_arr_eq(block, expected, sizeof(expected));
}

Test(chacha20, zero_key_of_rfc_8439_appendix_a_1)
{
    static const uint8_t zero[CHACHA20_KEY_BYTES];
    static const uint8_t first[] = {0x76, 0xb8, 0xe0, 0xad,
                                    0xa0, 0xf1, 0x3d, 0x90};
    static const uint8_t second[] = {0x9f, 0x07, 0xe7, 0xbe,
                                     0x55, 0x51, 0x38, 0x7a};
    uint8_t block[CHACHA20_BLOCK_BYTES];

    chacha20_block(zero, 0, zero, block);
    cr_assert_arr_eq(block, first, sizeof(first));
    chacha20_block(zero, 1, zero, block);
    cr_assert_arr_eq(block, second, sizeof(second));
}

static void seeded(struct generator *generator, const char *seed)
{
    generator_init(generator);
    generator_absorb(generator, seed, strlen(seed));
}

Test(generator, equal_seeds_agree_and_different_ones_do_not)
{
    struct generator one, same, other;
    uint8_t a[1000], b[1000], c[1000];

    seeded(&one, "a seed");
    seeded(&same, "a seed");
    seeded(&other, "a seee");
    generator_bytes(&one, a, sizeof(a));
    generator_bytes(&same, b, sizeof(b));
    generator_bytes(&other, c, sizeof(c));
    cr_assert_arr_eq(a, b, sizeof(a));
    cr_assert_arr_neq(a, c, 16);
}

Test(generator, the_pieces_asked_for_do_not_change_the_stream)
{
    struct generator one, pieces;
    uint8_t a[3000], b[3000];

    seeded(&one, "seed");
    seeded(&pieces, "seed");
    generator_bytes(&one, a, sizeof(a));
    for (size_t at = 0, part = 1; at < sizeof(b); at += part, part += 7) {
        if (part > sizeof(b) - at)
            part = sizeof(b) - at;
        generator_bytes(&pieces, b + at, part);
    }
    cr_assert_arr_eq(a, b, sizeof(a));
}

/* Fast key erasure: the state after giving bytes away contains none. */
static bool holds(const struct generator *generator, const uint8_t *bytes,
                  size_t length)
{
    const uint8_t *state = (const uint8_t *)generator;

    for (size_t i = 0; i + length <= sizeof(*generator); i++) {
        if (memcmp(state + i, bytes, length) == 0)
            return true;
    }
    return false;
}

Test(generator, what_was_given_is_forgotten)
{
    struct generator generator;
    uint8_t given[600];

    seeded(&generator, "seed");
    generator_bytes(&generator, given, sizeof(given));
    for (size_t i = 0; i + 8 <= sizeof(given); i++)
        cr_assert_not(holds(&generator, given + i, 8));
}

Test(generator, the_key_changes_with_every_buffer)
{
    struct generator generator;
    uint8_t key[CHACHA20_KEY_BYTES], byte;

    seeded(&generator, "seed");
    memcpy(key, generator.key, sizeof(key));
    generator_bytes(&generator, &byte, 1);
    cr_assert_not(holds(&generator, key, sizeof(key)));
}

Test(generator, absorbing_changes_the_future_and_drops_the_buffer)
{
    struct generator one, other;
    uint8_t a[32], b[32];

    seeded(&one, "seed");
    other = one;
    generator_bytes(&one, a, 8);
    generator_bytes(&other, b, 8);
    generator_absorb(&other, "x", 1);
    generator_bytes(&one, a, sizeof(a));
    generator_bytes(&other, b, sizeof(b));
    cr_assert_arr_neq(a, b, sizeof(a));
}

Test(generator, absorbing_zeroes_is_not_a_null_operation)
{
    struct generator generator;
    uint8_t key[CHACHA20_KEY_BYTES];
    static const uint8_t zero[CHACHA20_KEY_BYTES];

    seeded(&generator, "seed");
    memcpy(key, generator.key, sizeof(key));
    generator_absorb(&generator, zero, sizeof(zero));
    cr_assert_arr_neq(key, generator.key, sizeof(key));
}

Test(generator, bits_are_balanced)
{
    struct generator generator;
    uint8_t bytes[65536];
    int ones = 0;

    seeded(&generator, "seed");
    generator_bytes(&generator, bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        ones += __builtin_popcount(bytes[i]);
    /* 524288 fair bits: standard deviation 362; five of them. */
    cr_assert_lt(abs(ones - 262144), 1810);
}
