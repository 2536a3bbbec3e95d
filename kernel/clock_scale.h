/* SPDX-License-Identifier: MIT */
/*
 * Converting between the rates of two counters without division and without
 * 128-bit products, and working out a rate from two pairs of readings. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)

/* to = from * multiplier / 2^shift; 2^31 <= multiplier < 2^32. */
struct clock_scale {
    uint32_t multiplier;
    uint32_t shift;
};

/* Relative error below 2^-31. Both rates from 1 kHz to 100 GHz. */
struct clock_scale clock_scale_make(uint64_t from_hz, uint64_t to_hz);

/* Exact to one unit; never goes backwards as count grows. */
static inline uint64_t clock_scale_apply(struct clock_scale scale,
                                         uint64_t count)
{
    uint64_t high = (count >> 32) * scale.multiplier;
    uint64_t low = (count & UINT32_MAX) * scale.multiplier;

    if (scale.shift >= 32)
        return (high + (low >> 32)) >> (scale.shift - 32);
    return (high << (32 - scale.shift)) + (low >> scale.shift);
}

/* count * rate / divisor with a 96-bit product, rounded down; saturates. */
uint64_t clock_multiply_divide(uint64_t count, uint64_t rate, uint64_t divisor);

/* The rate of a counter that moved `ticks` while a reference counter of
 * `reference_hz` moved `reference_ticks`; 0 if the latter is 0. */
uint64_t clock_rate(uint64_t ticks, uint64_t reference_ticks,
                    uint64_t reference_hz);

/* How far a counter of `mask` width moved that was seen to move by `seen`
 * modulo its width, and should have moved by about `expected`. */
uint64_t clock_unwrap(uint64_t expected, uint64_t seen, uint64_t mask);

/* Whether a measured and a claimed rate agree within 1/parts. */
bool clock_rates_agree(uint64_t measured_hz, uint64_t claimed_hz,
                       uint64_t parts);

/* A calendar date, UTC, in seconds since 1970-01-01; 0 if it is none. */
struct clock_date {
    uint32_t year, month, day, hour, minute, second;
};

uint64_t clock_date_to_seconds(const struct clock_date *date);
