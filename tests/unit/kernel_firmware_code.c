/* SPDX-License-Identifier: MIT */
/*
 * Pages in which firmware ran are cleared when they are taken, once.
 * test-links: kernel/firmware_code.c
 */
#include "kernel/firmware_code.h"

#include "kernel/memory.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PAGES = 4 };

static const uint64_t end = 0x1fe0000; /* of 32 MB, as SeaBIOS says */
static uint8_t block[PAGES * PAGE_BYTES];

static void take(uint64_t physical, size_t bytes)
{
    memset(block, 0xa5, sizeof(block));
    firmware_code_start(end);
    firmware_code_forget(block, physical, bytes);
}

static bool is_clear(size_t page)
{
    for (size_t i = 0; i < PAGE_BYTES; i++)
        if (block[page * PAGE_BYTES + i] != 0)
            return false;
    return true;
}

Test(firmware_code, where_seabios_ran_is_cleared)
{
    take(0x1fb5000, sizeof(block)); /* seen with 32 MB */
    for (size_t i = 0; i < PAGES; i++)
        cr_assert(is_clear(i), "page %zu", i);
    take(end - (16 << 20) + 0xc000, PAGE_BYTES); /* with 64 MB: 0x2fec000 */
    cr_assert(is_clear(0));
    cr_assert_eq(block[PAGE_BYTES], 0xa5, "beyond the block");
}

Test(firmware_code, other_memory_is_left_as_it_is)
{
    take(8 << 20, sizeof(block));
    for (size_t i = 0; i < sizeof(block); i++)
        cr_assert_eq(block[i], 0xa5);
}

Test(firmware_code, a_page_is_cleared_once)
{
    take(0x1fb5000, PAGE_BYTES);
    block[7] = 1;
    firmware_code_forget(block, 0x1fb5000, PAGE_BYTES);
    cr_assert_eq(block[7], 1);
}

Test(firmware_code, pages_that_are_shared_with_others_are_not_touched)
{
    take(0x1fb5800, 2 * PAGE_BYTES);
    cr_assert_eq(block[0], 0xa5);
    cr_assert_eq(block[PAGE_BYTES / 2], 0, "the whole page in it is cleared");
    cr_assert_eq(block[PAGE_BYTES / 2 + PAGE_BYTES], 0xa5);
}

Test(firmware_code, a_small_machine_has_no_second_place)
{
    memset(block, 0xa5, sizeof(block));
    firmware_code_start(8 << 20);
    firmware_code_forget(block, 2 << 20, sizeof(block));
    cr_assert_eq(block[0], 0xa5);
}
