/* SPDX-License-Identifier: MIT */
/*
 * A random generator over ChaCha20 with fast key erasure; see the header.
 */
#include "kernel/generator.h"

#include <string.h>

static const uint8_t nonce_output[CHACHA20_NONCE_BYTES] = "output";
static const uint8_t nonce_absorb[CHACHA20_NONCE_BYTES] = "absorb";

/* A volatile store, so that the compiler cannot call it dead. */
static void wipe(volatile uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = 0;
}

void generator_init(struct generator *generator)
{
    memset(generator, 0, sizeof(*generator));
    generator->used = GENERATOR_BUFFER_BYTES;
}

static void refill(struct generator *generator)
{
    for (uint32_t i = 0; i < GENERATOR_BUFFER_BYTES / CHACHA20_BLOCK_BYTES; i++)
        chacha20_block(generator->key, i, nonce_output,
                       generator->buffer + i * CHACHA20_BLOCK_BYTES);
    memcpy(generator->key, generator->buffer, CHACHA20_KEY_BYTES);
    wipe(generator->buffer, CHACHA20_KEY_BYTES);
    generator->used = CHACHA20_KEY_BYTES;
}

/* Key xor input, then one way forward: without the old key nobody can choose
 * an input that makes the new one known. */
void generator_absorb(struct generator *generator, const void *bytes,
                      size_t length)
{
    const uint8_t *input = bytes;
    uint8_t block[CHACHA20_BLOCK_BYTES];
    uint32_t counter = 0;

    while (length != 0) {
        size_t part = length < CHACHA20_KEY_BYTES ? length : CHACHA20_KEY_BYTES;
        for (size_t i = 0; i < part; i++)
            generator->key[i] ^= input[i];
        chacha20_block(generator->key, counter++, nonce_absorb, block);
        memcpy(generator->key, block, CHACHA20_KEY_BYTES);
        input += part;
        length -= part;
    }
    wipe(block, sizeof(block));
    wipe(generator->buffer, sizeof(generator->buffer));
    generator->used = GENERATOR_BUFFER_BYTES;
}

void generator_bytes(struct generator *generator, void *bytes, size_t length)
{
    uint8_t *output = bytes;

    while (length != 0) {
        if (generator->used == GENERATOR_BUFFER_BYTES)
            refill(generator);
        size_t part = GENERATOR_BUFFER_BYTES - generator->used;
        if (part > length)
            part = length;
        uint8_t *source = generator->buffer + generator->used;
        memcpy(output, source, part);
        wipe(source, part);
        generator->used += part;
        output += part;
        length -= part;
    }
}
