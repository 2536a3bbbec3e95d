/* SPDX-License-Identifier: MIT */
/*
 * The ChaCha20 block function, RFC 8439 section 2.3. Pure.
 */
#pragma once

#include <stdint.h>

enum {
    CHACHA20_KEY_BYTES = 32,
    CHACHA20_NONCE_BYTES = 12,
    CHACHA20_BLOCK_BYTES = 64,
};

void chacha20_block(const uint8_t key[CHACHA20_KEY_BYTES], uint32_t counter,
                    const uint8_t nonce[CHACHA20_NONCE_BYTES],
                    uint8_t block[CHACHA20_BLOCK_BYTES]);
