/* SPDX-License-Identifier: MIT */
/*
 * Keyed hashes (SipHash by Aumasson and Bernstein): a remote side that does
 * not know the key can neither predict a value nor choose inputs that
 * collide. SipHash-2-4 for what is sent out (sequence numbers, ports,
 * identifications), SipHash-1-3 for the places in our own tables.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t word[2];
};

/* From platform_random. */
void hash_key_generate(struct hash_key *key);

/* SipHash-2-4 of any bytes, as its reference defines it. */
uint64_t hash_bytes(const struct hash_key *key, const void *bytes,
                    size_t length);

/* The same of whole 64-bit words and the bytes in `last`, whose top octet is
 * the length of all. */
uint64_t hash_words_strong(const struct hash_key *key, const uint64_t *words,
                           size_t count, uint64_t last);

/* SipHash-1-3 of three 32-bit words: the flow of two IPv4 hosts. `last` may
 * have up to 56 bits. */
uint64_t hash_three(const struct hash_key *key, uint64_t first, uint64_t last);

/* SipHash-1-3 of whole 64-bit words; and of those and the bytes in `last`,
 * whose top octet is the length of all. */
uint64_t hash_words(const struct hash_key *key, const uint64_t *words,
                    size_t count);
uint64_t hash_words_and(const struct hash_key *key, const uint64_t *words,
                        size_t count, uint64_t last);
