/* SPDX-License-Identifier: MIT */
/*
 * The fate of a frame as a function of its number. Each question ("is it
 * lost?") draws from its own stream, so that turning one kind of damage on
 * does not change which frames another kind hits.
 */
#include "tests/host/wire_fate.h"

enum question {
    QUESTION_LOSS = 1,
    QUESTION_DUPLICATE,
    QUESTION_REORDER,
    QUESTION_CORRUPT,
    QUESTION_CORRUPT_BIT,
    QUESTION_JITTER,
};

enum { ONE_MILLION = 1000000 };

/* The finishing step of SplitMix64: every input bit moves every output bit. */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static uint64_t draw(uint64_t stream, enum question question, uint64_t number)
{
    const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);
    return mix(mix(stream + step * (uint64_t)question) + step * number);
}

/* Uniform below `limit`, which is far below 2^32: the bias is negligible. */
static uint64_t below(uint64_t random, uint64_t limit)
{
    return limit == 0 ? 0 : random % limit;
}

struct wire_fate wire_fate_draw(const struct wire_settings *settings,
                                uint64_t seed, unsigned int direction,
                                uint64_t number, size_t length)
{
    uint64_t stream = mix(seed + 1) ^ mix(direction + UINT64_C(0x77697265));
    struct wire_fate fate = {0};

    fate.is_lost = below(draw(stream, QUESTION_LOSS, number), ONE_MILLION) <
                   settings->loss_ppm;
    fate.is_duplicated = below(draw(stream, QUESTION_DUPLICATE, number),
                               ONE_MILLION) < settings->duplicate_ppm;
    fate.is_reordered = below(draw(stream, QUESTION_REORDER, number),
                              ONE_MILLION) < settings->reorder_ppm;
    fate.is_corrupted = below(draw(stream, QUESTION_CORRUPT, number),
                              ONE_MILLION) < settings->corrupt_ppm;
    fate.corrupt_bit =
        (size_t)below(draw(stream, QUESTION_CORRUPT_BIT, number), length * 8);
    fate.delay_ns =
        settings->delay_ns +
        below(draw(stream, QUESTION_JITTER, number), settings->jitter_ns + 1);
    return fate;
}
