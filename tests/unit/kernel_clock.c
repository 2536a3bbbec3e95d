/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of clocks and calendars.
 * test-links: kernel/clock_scale.c kernel/calendar_decode.c
 */
#include "kernel/calendar.h"
#include "kernel/clock_scale.h"

#include <criterion/criterion.h>

static const uint64_t rates[] = {
    1000,          1193182,    3579545,     14318180,   62500000,    100000000,
    NS_PER_SECOND, 2399987123, 3000000000u, 5200000000, 99000000000,
};

Test(clock_scale, conversions_are_exact_to_a_part_in_2_to_the_31)
{
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct clock_scale scale = clock_scale_make(rates[i], NS_PER_SECOND);
        uint64_t seconds = 1000;
        uint64_t ns = clock_scale_apply(scale, rates[i] * seconds);
        uint64_t exact = seconds * NS_PER_SECOND;
        cr_assert_leq(ns, exact);
        cr_assert_leq(exact - ns, exact / (UINT64_C(1) << 31) + 1, "%lu",
                      rates[i]);
    }
}

Test(clock_scale, multipliers_keep_32_significant_bits)
{
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct clock_scale scale = clock_scale_make(rates[i], NS_PER_SECOND);
        cr_assert_geq(scale.multiplier, UINT32_C(1) << 31);
        scale = clock_scale_make(NS_PER_SECOND, rates[i]);
        cr_assert_geq(scale.multiplier, UINT32_C(1) << 31);
    }
}

Test(clock_scale, time_never_steps_back_where_the_low_half_wraps)
{
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct clock_scale scale = clock_scale_make(rates[i], NS_PER_SECOND);
        for (uint64_t high = 1; high < 50; high++) {
            uint64_t before = clock_scale_apply(scale, (high << 32) - 1);
            uint64_t after = clock_scale_apply(scale, high << 32);
            cr_assert_geq(after, before);
        }
    }
}

Test(clock_scale, a_year_of_a_fast_tsc_does_not_overflow)
{
    uint64_t hz = 5200000000;
    struct clock_scale scale = clock_scale_make(hz, NS_PER_SECOND);
    uint64_t year = 365 * 86400;
    uint64_t ns = clock_scale_apply(scale, hz * year);

    cr_assert_leq(year * NS_PER_SECOND - ns, 16000000);
}

Test(clock_scale, there_and_back_is_the_same_within_a_tick)
{
    struct clock_scale to_ns = clock_scale_make(2399987123, NS_PER_SECOND);
    struct clock_scale to_tsc = clock_scale_make(NS_PER_SECOND, 2399987123);

    for (uint64_t ns = 1; ns < 10 * NS_PER_SECOND; ns = ns * 3 + 7) {
        uint64_t back = clock_scale_apply(to_ns, clock_scale_apply(to_tsc, ns));
        cr_assert_leq(ns - back, 2 + (ns >> 30));
    }
}

Test(clock_rate, a_tsc_is_measured_against_the_pm_timer)
{
    /* 5 ms: 17898 ticks of 3.579545 MHz, 12,000,185 of 2.4 GHz. */
    uint64_t hz = clock_rate(12000185, 17898, 3579545);

    cr_assert_leq(hz, 2400010000);
    cr_assert_geq(hz, 2399990000);
}

Test(clock_rate, long_measurements_do_not_overflow)
{
    uint64_t hour = 3600;

    cr_assert_eq(
        clock_rate(5000000000 * hour, UINT64_C(100000000) * hour, 100000000),
        5000000000);
    cr_assert_eq(clock_multiply_divide(UINT64_MAX, UINT64_MAX, 1), UINT64_MAX);
    cr_assert_eq(clock_multiply_divide(UINT64_MAX, 3, 3), UINT64_MAX);
    cr_assert_eq(clock_multiply_divide(7, 0, 3), 0);
    cr_assert_eq(clock_multiply_divide(10, 10, 3), 33);
}

Test(clock_rate, a_reference_that_stands_still_gives_nothing)
{
    cr_assert_eq(clock_rate(12000000, 0, 3579545), 0);
}

Test(clock_unwrap, wraps_are_restored_from_the_expectation)
{
    uint64_t mask = 0xFFFFFF;
    uint64_t true_ticks = 7159090; /* 2 s */

    for (uint64_t wraps = 0; wraps < 5; wraps++) {
        uint64_t moved = true_ticks + wraps * (mask + 1);
        cr_assert_eq(clock_unwrap(moved + 900, moved & mask, mask), moved);
        cr_assert_eq(clock_unwrap(moved - 900, moved & mask, mask), moved);
    }
    cr_assert_eq(clock_unwrap(5, (UINT64_C(0) - 20) & mask, mask), 0);
}

Test(clock_rates, claims_are_believed_only_near_the_measurement)
{
    cr_assert(clock_rates_agree(2410000000, 2400000000, 50));
    cr_assert(clock_rates_agree(2390000000, 2400000000, 50));
    cr_assert_not(clock_rates_agree(2500000000, 2400000000, 50));
    cr_assert_not(clock_rates_agree(2400000000, 0, 50));
    cr_assert_not(clock_rates_agree(0, 2400000000, 50));
}

Test(calendar, known_dates)
{
    static const struct {
        struct clock_date date;
        uint64_t seconds;
    } cases[] = {
        {{1970, 1, 1, 0, 0, 0}, 0},
        {{2000, 2, 29, 12, 0, 0}, 951825600},
        {{2000, 3, 1, 0, 0, 0}, 951868800},
        {{2026, 11, 21, 2, 43, 7}, 1795228987},
        {{2100, 3, 1, 0, 0, 0}, 4107542400},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        cr_assert_eq(clock_date_to_seconds(&cases[i].date), cases[i].seconds,
                     "%zu", i);
}

Test(calendar, no_date_is_no_time)
{
    cr_assert_eq(clock_date_to_seconds(&(struct clock_date){.year = 2026}), 0);
    cr_assert_eq(
        clock_date_to_seconds(&(struct clock_date){2026, 13, 1, 0, 0, 0}), 0);
    cr_assert_eq(
        clock_date_to_seconds(&(struct clock_date){2026, 12, 1, 24, 0, 0}), 0);
}

Test(calendar, bcd_and_binary_12_and_24_hours_mean_the_same)
{
    static const struct calendar_registers same[] = {
        {.second = 0x07,
         .minute = 0x43,
         .hour = 0x14,
         .day = 0x21,
         .month = 0x11,
         .year = 0x26,
         .century = 0x20,
         .status_b = 0x02},
        {.second = 7,
         .minute = 43,
         .hour = 14,
         .day = 21,
         .month = 11,
         .year = 26,
         .century = 20,
         .status_b = 0x06},
        {.second = 0x07,
         .minute = 0x43,
         .hour = 0x82,
         .day = 0x21,
         .month = 0x11,
         .year = 0x26,
         .century = 0x20,
         .status_b = 0x00},
        {.second = 7,
         .minute = 43,
         .hour = 0x82,
         .day = 21,
         .month = 11,
         .year = 26,
         .century = 20,
         .status_b = 0x04},
    };

    for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
        cr_assert_eq(calendar_decode(&same[i], true), 1795272187, "%zu", i);
}

Test(calendar, twelve_at_night_is_hour_0_and_at_noon_12)
{
    struct calendar_registers at = {
        .hour = 0x12, .day = 1, .month = 1, .year = 0x70, .century = 0x19};

    cr_assert_eq(calendar_decode(&at, true), 0);
    at.hour = 0x92;
    cr_assert_eq(calendar_decode(&at, true), 12 * 3600);
}

Test(calendar, without_a_century_70_is_the_last_one)
{
    struct calendar_registers at = {
        .day = 1, .month = 1, .year = 0x69, .status_b = 2};

    cr_assert_eq(calendar_decode(&at, false), 3124224000);
    at.year = 0x70;
    cr_assert_eq(calendar_decode(&at, false), 0);
}
