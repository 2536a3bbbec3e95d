/* SPDX-License-Identifier: MIT */
/*
 * Lists of address ranges: what the memory map is made of.
 * test-links: kernel/ranges.c
 */
#include "kernel/ranges.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SPACE = 64, ROUNDS = 20000 };

static struct ranges ranges;

static void expect(size_t index, uint64_t start, uint64_t end)
{
    cr_assert_lt(index, ranges.count);
    cr_assert_eq(ranges.list[index].start, start);
    cr_assert_eq(ranges.list[index].end, end);
}

Test(ranges, overlapping_and_touching_ranges_join)
{
    ranges_add(&ranges, 10, 20);
    ranges_add(&ranges, 30, 40);
    ranges_add(&ranges, 20, 25);
    ranges_add(&ranges, 24, 31);
    cr_assert_eq(ranges.count, 1);
    expect(0, 10, 40);
}

Test(ranges, stay_sorted_in_whatever_order_they_come)
{
    ranges_add(&ranges, 50, 60);
    ranges_add(&ranges, 10, 20);
    ranges_add(&ranges, 30, 40);
    cr_assert_eq(ranges.count, 3);
    expect(0, 10, 20);
    expect(1, 30, 40);
    expect(2, 50, 60);
}

Test(ranges, an_empty_or_reversed_range_changes_nothing)
{
    ranges_add(&ranges, 10, 20);
    ranges_add(&ranges, 30, 30);
    ranges_add(&ranges, 40, 35);
    ranges_remove(&ranges, 15, 15);
    ranges_remove(&ranges, 18, 12);
    cr_assert_eq(ranges.count, 1);
    expect(0, 10, 20);
}

Test(ranges, removing_the_middle_leaves_both_ends)
{
    ranges_add(&ranges, 10, 40);
    ranges_remove(&ranges, 20, 30);
    cr_assert_eq(ranges.count, 2);
    expect(0, 10, 20);
    expect(1, 30, 40);
}

Test(ranges, removing_may_swallow_several)
{
    ranges_add(&ranges, 10, 20);
    ranges_add(&ranges, 30, 40);
    ranges_add(&ranges, 50, 60);
    ranges_remove(&ranges, 15, 55);
    cr_assert_eq(ranges.count, 2);
    expect(0, 10, 15);
    expect(1, 55, 60);
}

Test(ranges, aligning_shrinks_and_drops_what_is_too_small)
{
    ranges_add(&ranges, 1, 4095);
    ranges_add(&ranges, 5000, 20000);
    ranges_add(&ranges, UINT64_MAX - 100, UINT64_MAX);
    ranges_align(&ranges, 4096);
    cr_assert_eq(ranges.count, 1);
    expect(0, 8192, 16384);
}

Test(ranges, take_is_aligned_lowest_and_within_the_limit)
{
    ranges_add(&ranges, 100, 200);
    ranges_add(&ranges, 1000, 9000);
    cr_assert_eq(ranges_take(&ranges, 50, 64, 5000), 128);
    cr_assert_eq(ranges_take(&ranges, 1024, 1024, 5000), 1024);
    cr_assert_eq(ranges_take(&ranges, 3000, 1, 5000), 0);
    cr_assert_eq(ranges_take(&ranges, 3000, 1, 6000), 2048);
    cr_assert_eq(ranges_total(&ranges), 100 - 50 + 8000 - 1024 - 3000);
}

Test(ranges, take_near_the_end_of_the_address_space_does_not_wrap)
{
    ranges_add(&ranges, UINT64_MAX - 100, UINT64_MAX);
    cr_assert_eq(ranges_take(&ranges, 10, 4096, UINT64_MAX), 0);
    cr_assert_eq(ranges_take(&ranges, UINT64_MAX, 1, UINT64_MAX), 0);
}

Test(ranges, a_full_list_counts_what_it_loses)
{
    for (uint64_t i = 0; i < RANGES_MAX; i++)
        ranges_add(&ranges, i * 100, i * 100 + 10);
    ranges_add(&ranges, 1000000, 1000007);
    cr_assert_eq(ranges.count, RANGES_MAX);
    cr_assert_eq(ranges.bytes_lost, 7);
    ranges_remove(&ranges, 3, 5);
    cr_assert_eq(ranges.count, RANGES_MAX);
    cr_assert_eq(ranges_total(&ranges) + ranges.bytes_lost,
                 RANGES_MAX * 10 + 7 - 2);
}

/* Against the obvious: one flag per address. */
Test(ranges, agree_with_a_plain_bit_map)
{
    bool member[SPACE] = {false};
    uint32_t seed = 1;

    for (unsigned round = 0; round < ROUNDS; round++) {
        seed = seed * 1664525 + 1013904223;
        uint64_t start = seed >> 8 & (SPACE - 1);
        uint64_t end = start + (seed >> 16 & 15);
        bool is_add = (seed >> 24 & 1) != 0;

        if (end > SPACE)
            end = SPACE;
        for (uint64_t i = start; i < end; i++)
            member[i] = is_add;
        if (is_add)
            ranges_add(&ranges, start, end);
        else
            ranges_remove(&ranges, start, end);

        bool seen[SPACE] = {false};
        for (size_t i = 0; i < ranges.count; i++) {
            cr_assert_lt(ranges.list[i].start, ranges.list[i].end);
            if (i > 0)
                cr_assert_lt(ranges.list[i - 1].end, ranges.list[i].start);
            for (uint64_t at = ranges.list[i].start; at < ranges.list[i].end;
                 at++)
                seen[at] = true;
        }
        cr_assert_eq(memcmp(seen, member, sizeof(seen)), 0);
    }
}
