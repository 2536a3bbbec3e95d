/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of calibration; see the header. Long divisions are done by
 * hand because a freestanding image has no 128-bit division.
 */
#include "kernel/clock_scale.h"

struct clock_scale clock_scale_make(uint64_t from_hz, uint64_t to_hz)
{
    struct clock_scale scale = {.shift = 0};
    uint64_t quotient = to_hz / from_hz;
    uint64_t rest = to_hz % from_hz;

    /* Binary long division until 32 significant bits are there. */
    while (quotient < (UINT64_C(1) << 31)) {
        rest <<= 1;
        quotient <<= 1;
        if (rest >= from_hz) {
            rest -= from_hz;
            quotient |= 1;
        }
        scale.shift++;
    }
    scale.multiplier = (uint32_t)quotient;
    return scale;
}

uint64_t clock_multiply_divide(uint64_t count, uint64_t rate, uint64_t divisor)
{
    /* count = whole * divisor + rest, so only rest * rate can be too long. */
    uint64_t whole = count / divisor;
    uint64_t rest = count % divisor;

    if (whole != 0 && rate > UINT64_MAX / whole)
        return UINT64_MAX;
    uint64_t result = whole * rate;
    uint64_t quotient = 0;
    uint64_t remainder = 0;

    for (int bit = 63; bit >= 0; bit--) {
        quotient <<= 1;
        remainder <<= 1;
        if (rate >> bit & 1)
            remainder += rest;
        while (remainder >= divisor) {
            remainder -= divisor;
            quotient++;
        }
    }
    return quotient > UINT64_MAX - result ? UINT64_MAX : result + quotient;
}

uint64_t clock_rate(uint64_t ticks, uint64_t reference_ticks,
                    uint64_t reference_hz)
{
    if (reference_ticks == 0)
        return 0;
    return clock_multiply_divide(ticks, reference_hz, reference_ticks);
}

uint64_t clock_unwrap(uint64_t expected, uint64_t seen, uint64_t mask)
{
    /* The distance from the expected value, modulo the width, is small
     * forwards or small backwards. */
    uint64_t ahead = (seen - expected) & mask;

    if (ahead <= mask / 2)
        return expected + ahead;
    uint64_t behind = (expected - seen) & mask;
    return expected > behind ? expected - behind : 0;
}

bool clock_rates_agree(uint64_t measured_hz, uint64_t claimed_hz,
                       uint64_t parts)
{
    uint64_t difference = measured_hz > claimed_hz ? measured_hz - claimed_hz
                                                   : claimed_hz - measured_hz;

    return claimed_hz != 0 && difference <= claimed_hz / parts;
}

static bool is_leap(uint32_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

uint64_t clock_date_to_seconds(const struct clock_date *date)
{
    static const uint8_t month_days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};

    if (date->year < 1970 || date->year > 9999 || date->month < 1 ||
        date->month > 12 || date->day < 1 || date->day > 31)
        return 0;
    if (date->hour > 23 || date->minute > 59 || date->second > 60)
        return 0;
    uint64_t before = date->year - 1;
    uint64_t days = before * 365 + before / 4 - before / 100 + before / 400;

    days -= 719162; /* from 0001-01-01 to 1970-01-01 */
    for (uint32_t month = 1; month < date->month; month++)
        days += month_days[month - 1];
    if (date->month > 2 && is_leap(date->year))
        days++;
    days += date->day - 1;
    return ((days * 24 + date->hour) * 60 + date->minute) * 60 + date->second;
}
