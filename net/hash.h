/* SPDX-License-Identifier: MIT */
/*
 * Keyed hashes (SipHash by Aumasson and Bernstein): a remote side that does
 * not know the key can neither predict a value nor choose inputs that
 * collide. SipHash-2-4 for what others must not be able to go on from (sequence
 * numbers, offsets of timestamps), SipHash-1-3 for places in our own tables and
 * for what is seen in a few bits only (ports, cookies, identifications).
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

/* The same of three 32-bit words. */
uint64_t hash_three_strong(const struct hash_key *key, uint64_t first,
                           uint32_t last);

/* SipHash-1-3 of three 32-bit words: the flow of two IPv4 hosts. `last` may
 * have up to 56 bits. */
uint64_t hash_three(const struct hash_key *key, uint64_t first, uint64_t last);

/* SipHash-1-3 of whole 64-bit words. */
uint64_t hash_words(const struct hash_key *key, const uint64_t *words,
                    size_t count);
