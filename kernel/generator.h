/* SPDX-License-Identifier: MIT */
/*
 * A random generator over ChaCha20 with fast key erasure: each refill makes
 * a buffer whose first 32 bytes become the next key at once, and bytes given
 * out are wiped, so a later look at memory reveals nothing given before.
 * Pure and not locked; kernel/entropy.c feeds it and keeps contexts apart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/chacha20.h"

enum { GENERATOR_BUFFER_BYTES = 8 * CHACHA20_BLOCK_BYTES };

struct generator {
    uint8_t key[CHACHA20_KEY_BYTES];
    uint8_t buffer[GENERATOR_BUFFER_BYTES];
    size_t used; /* bytes of the buffer already given out and wiped */
};

void generator_init(struct generator *generator);

/* Mixes in anything; what was unpredictable stays so. Drops the buffer. */
void generator_absorb(struct generator *generator, const void *bytes,
                      size_t length);

void generator_bytes(struct generator *generator, void *bytes, size_t length);
