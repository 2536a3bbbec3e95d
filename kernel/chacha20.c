/* SPDX-License-Identifier: MIT */
/*
 * The ChaCha20 block function, RFC 8439 section 2.3.
 */
#include "kernel/chacha20.h"

enum { STATE_WORDS = 16, DOUBLE_ROUNDS = 10 };

static uint32_t read_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
           (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void write_word(uint8_t *bytes, uint32_t word)
{
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 8);
    bytes[2] = (uint8_t)(word >> 16);
    bytes[3] = (uint8_t)(word >> 24);
}

static uint32_t rotate_left(uint32_t word, unsigned int bits)
{
    return word << bits | word >> (32 - bits);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate_left(*d ^ *a, 16);
    *c += *d;
    *b = rotate_left(*b ^ *c, 12);
    *a += *b;
    *d = rotate_left(*d ^ *a, 8);
    *c += *d;
    *b = rotate_left(*b ^ *c, 7);
}

static void double_round(uint32_t *s)
{
    quarter_round(&s[0], &s[4], &s[8], &s[12]);
    quarter_round(&s[1], &s[5], &s[9], &s[13]);
    quarter_round(&s[2], &s[6], &s[10], &s[14]);
    quarter_round(&s[3], &s[7], &s[11], &s[15]);
    quarter_round(&s[0], &s[5], &s[10], &s[15]);
    quarter_round(&s[1], &s[6], &s[11], &s[12]);
    quarter_round(&s[2], &s[7], &s[8], &s[13]);
    quarter_round(&s[3], &s[4], &s[9], &s[14]);
}

void chacha20_block(const uint8_t key[CHACHA20_KEY_BYTES], uint32_t counter,
                    const uint8_t nonce[CHACHA20_NONCE_BYTES],
                    uint8_t block[CHACHA20_BLOCK_BYTES])
{
    /* "expand 32-byte k" */
    uint32_t start[STATE_WORDS] = {0x61707865, 0x3320646e, 0x79622d32,
                                   0x6b206574};
    uint32_t state[STATE_WORDS];

    for (int i = 0; i < 8; i++)
        start[4 + i] = read_word(key + 4 * i);
    start[12] = counter;
    for (int i = 0; i < 3; i++)
        start[13 + i] = read_word(nonce + 4 * i);

    for (int i = 0; i < STATE_WORDS; i++)
        state[i] = start[i];
    for (int i = 0; i < DOUBLE_ROUNDS; i++)
        double_round(state);
    for (int i = 0; i < STATE_WORDS; i++)
        write_word(block + 4 * i, state[i] + start[i]);
}
