/* SPDX-License-Identifier: MIT */
/*
 * The smaller and the larger of two numbers, and a number kept between two, in
 * the two widths the stack counts in. Functions, not macros: each argument is
 * worked out once, and the compiler tells of one that does not fit.
 */
#pragma once

#include <stdint.h>

static inline uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline uint64_t smaller_64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t larger_64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t clamp_64(uint64_t value, uint64_t least, uint64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}
