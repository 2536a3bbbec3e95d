/* SPDX-License-Identifier: MIT */
/*
 * Word i of the stream is a mix of seed and i (the finalizer of SplitMix64:
 * Steele, Lea, Flood, OOPSLA 2014), least significant byte first.
 */
#include "pattern.h"

#include <string.h>

static uint64_t word_at(uint64_t seed, uint64_t index)
{
    uint64_t z = seed + (index + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void word_store(uint64_t word, unsigned char bytes[8])
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> (8 * i));
}

/* The part of one word that is wanted: at most up to its end. */
static size_t fill_part(uint64_t seed, uint64_t offset, unsigned char *bytes,
                        size_t length)
{
    unsigned char word[8];
    size_t skipped = offset % 8;
    size_t taken = 8 - skipped < length ? 8 - skipped : length;

    word_store(word_at(seed, offset / 8), word);
    memcpy(bytes, word + skipped, taken);
    return taken;
}

void pattern_fill(uint64_t seed, uint64_t offset, unsigned char *bytes,
                  size_t length)
{
    size_t done = offset % 8 ? fill_part(seed, offset, bytes, length) : 0;

    for (; length - done >= 8; done += 8)
        word_store(word_at(seed, (offset + done) / 8), bytes + done);
    if (done < length)
        fill_part(seed, offset + done, bytes + done, length - done);
}

size_t pattern_match(uint64_t seed, uint64_t offset, const unsigned char *bytes,
                     size_t length)
{
    unsigned char expected[512];
    size_t matched = 0;

    while (matched < length) {
        size_t part = length - matched;

        if (part > sizeof(expected))
            part = sizeof(expected);
        pattern_fill(seed, offset + matched, expected, part);
        if (memcmp(expected, bytes + matched, part) != 0) {
            for (size_t i = 0; expected[i] == bytes[matched]; i++)
                matched++;
            return matched;
        }
        matched += part;
    }
    return matched;
}
