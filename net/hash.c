/* SPDX-License-Identifier: MIT */
/*
 * SipHash (J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input
 * PRF"), with c compression and d finalisation rounds.
 */
#include "net/hash.h"

#include "net/attributes.h"
#include "net/platform.h"

#include <string.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v2 = rotate_left(s->v2, 32);
}

/* The constants spell "somepseudorandomlygeneratedbytes". */
static inline struct sip sip_start(const struct hash_key *key)
{
    return (struct sip){key->word[0] ^ UINT64_C(0x736f6d6570736575),
                        key->word[1] ^ UINT64_C(0x646f72616e646f6d),
                        key->word[0] ^ UINT64_C(0x6c7967656e657261),
                        key->word[1] ^ UINT64_C(0x7465646279746573)};
}

static inline uint64_t sip_result(const struct sip *s)
{
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline void sip_compress_2(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    sip_round(s);
    s->v0 ^= word;
}

COLD void hash_key_generate(struct hash_key *key)
{
    platform_random(key, sizeof(*key));
}

/* Fewer than eight bytes, the first one lowest. */
static inline uint64_t tail(const uint8_t *at, size_t length)
{
    uint64_t word = 0;
    uint32_t four;

    for (; (length & 3) != 0; length--)
        word = word << 8 | at[length - 1];
    if (length == 0)
        return word;
    memcpy(&four, at, sizeof(four));
    return word << 32 | four;
}

COLD uint64_t hash_bytes(const struct hash_key *key, const void *bytes,
                         size_t length)
{
    struct sip s = sip_start(key);
    const uint8_t *at = bytes;
    uint64_t last = (uint64_t)length << 56;

    for (size_t left = length; left >= 8; left -= 8, at += 8) {
        uint64_t word;

        memcpy(&word, at, sizeof(word));
        sip_compress_2(&s, word);
    }
    last |= tail(at, length % 8);
    sip_compress_2(&s, last);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return sip_result(&s);
}

uint64_t hash_three_strong(const struct hash_key *key, uint64_t first,
                           uint32_t last)
{
    struct sip s = sip_start(key);

    sip_compress_2(&s, first);
    sip_compress_2(&s, UINT64_C(12) << 56 | last);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(&s);
    return sip_result(&s);
}

uint64_t hash_three(const struct hash_key *key, uint64_t first, uint64_t last)
{
    struct sip s = sip_start(key);
    uint64_t end = UINT64_C(12) << 56 | last;

    s.v3 ^= first;
    sip_round(&s);
    s.v0 ^= first;
    s.v3 ^= end;
    sip_round(&s);
    s.v0 ^= end;
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return sip_result(&s);
}

uint64_t hash_words(const struct hash_key *key, const uint64_t *words,
                    size_t count)
{
    struct sip s = sip_start(key);
    uint64_t last = (uint64_t)count << 59;

    for (size_t i = 0; i < count; i++) {
        s.v3 ^= words[i];
        sip_round(&s);
        s.v0 ^= words[i];
    }
    s.v3 ^= last;
    sip_round(&s);
    s.v0 ^= last;
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return sip_result(&s);
}
