/* SPDX-License-Identifier: MIT */
/*
 * How often translations are flushed.
 * test-links: kernel/translations.c
 * test-flags: -iquote tests/unit/fake
 */
#include "kernel/translations.h"

#include "kernel/cpu.h"

#include <criterion/criterion.h>

#define MS    UINT64_C(1000000)
#define TABLE UINT64_C(0x5000)

static unsigned flushes;

uint64_t cpu_read_cr3(void)
{
    return TABLE;
}

void cpu_write_cr3(uint64_t value)
{
    cr_assert_eq(value, TABLE, "the page tables stay");
    flushes++;
}

Test(translations, who_works_all_the_time_flushes_ten_times_a_second)
{
    for (uint64_t now_ns = 5000 * MS; now_ns < 8000 * MS; now_ns += MS)
        translations_refresh(now_ns);
    cr_assert_eq(flushes, 30);
}

Test(translations, who_works_rarely_flushes_each_time)
{
    for (uint64_t now_ns = 0; now_ns < 8000 * MS; now_ns += 1000 * MS)
        translations_refresh(now_ns);
    cr_assert_eq(flushes, 7, "not in the very beginning");
}
