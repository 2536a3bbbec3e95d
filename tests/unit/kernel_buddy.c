/* SPDX-License-Identifier: MIT */
/*
 * The page allocator.
 * test-links: kernel/buddy.c
 */
#include "kernel/assert.h"
#include "kernel/buddy.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Free memory is never touched, so it need not exist. */
static uint8_t *const base = (uint8_t *)0x7f0000000000;
static struct buddy buddy;

void assert_failed(const char *claim, const char *file, int line)
{
    (void)claim;
    (void)file;
    (void)line;
    abort();
}

static void start(size_t pages)
{
    void *bookkeeping = calloc(1, buddy_overhead(pages));

    buddy_start(&buddy, base, pages, bookkeeping);
}

static size_t page_of(const void *block)
{
    return (size_t)((const uint8_t *)block - base) / BUDDY_PAGE_BYTES;
}

Test(buddy, every_page_of_an_odd_run_can_be_had)
{
    enum { PAGES = 1027 };
    static bool seen[PAGES];

    start(PAGES);
    cr_assert_eq(buddy.pages_free, PAGES);
    for (unsigned i = 0; i < PAGES; i++) {
        void *page = buddy_allocate(&buddy, 0);

        cr_assert_not_null(page);
        cr_assert_lt(page_of(page), PAGES);
        cr_assert_not(seen[page_of(page)]);
        seen[page_of(page)] = true;
    }
    cr_assert_null(buddy_allocate(&buddy, 0));
    cr_assert_eq(buddy.pages_free, 0);
}

Test(buddy, blocks_are_aligned_to_their_size)
{
    start(1024);
    (void)!buddy_allocate(&buddy, 0);
    for (unsigned order = 0; order < 9; order++) {
        void *block = buddy_allocate(&buddy, order);

        cr_assert_not_null(block);
        cr_assert_eq(page_of(block) & (((size_t)1 << order) - 1), 0);
    }
}

Test(buddy, what_is_freed_joins_to_the_largest_block_again)
{
    void *pages[512];

    start(512);
    for (unsigned i = 0; i < 512; i++)
        pages[i] = buddy_allocate(&buddy, 0);
    cr_assert_null(buddy_allocate(&buddy, 1));
    for (unsigned i = 0; i < 512; i++)
        buddy_free(&buddy, pages[i * 7 % 512], 0);
    cr_assert_eq(buddy_allocate(&buddy, 9), base);
}

Test(buddy, a_block_larger_than_the_run_is_refused)
{
    start(100);
    cr_assert_null(buddy_allocate(&buddy, 7));
    cr_assert_null(buddy_allocate(&buddy, BUDDY_ORDERS - 1));
    cr_assert_null(buddy_allocate(&buddy, BUDDY_ORDERS));
    cr_assert_null(buddy_allocate(&buddy, 1000));
    cr_assert_eq(buddy.pages_free, 100);
}

Test(buddy, six_gigabytes_cost_few_bytes_of_bookkeeping)
{
    enum { PAGES_OF_6_GIB = 6 << 18 };

    cr_assert_lt(buddy_overhead(PAGES_OF_6_GIB), 400 * 1024);
    start(PAGES_OF_6_GIB);
    for (unsigned i = 0; i < 6; i++)
        cr_assert_not_null(buddy_allocate(&buddy, BUDDY_ORDERS - 1));
    cr_assert_null(buddy_allocate(&buddy, 0));
}

Test(buddy, an_empty_run_has_nothing)
{
    start(0);
    cr_assert_null(buddy_allocate(&buddy, 0));
    cr_assert_not(buddy_owns(&buddy, base));
}

Test(buddy, freeing_twice_is_caught, .signal = SIGABRT)
{
    void *page;

    start(64);
    (void)!buddy_allocate(&buddy, 0);
    page = buddy_allocate(&buddy, 0);
    buddy_free(&buddy, page, 0);
    buddy_free(&buddy, page, 0);
}

Test(buddy, freeing_a_stranger_is_caught, .signal = SIGABRT)
{
    start(64);
    buddy_free(&buddy, base + 64 * BUDDY_PAGE_BYTES, 0);
}

Test(buddy, freeing_an_unaligned_block_is_caught, .signal = SIGABRT)
{
    start(64);
    (void)!buddy_allocate(&buddy, 2);
    buddy_free(&buddy, base + BUDDY_PAGE_BYTES, 1);
}

/* Random work against a plain map of who owns which page. */
Test(buddy, random_work_never_hands_out_a_page_twice)
{
    enum { PAGES = 777, BLOCKS = 60, ROUNDS = 50000, ORDERS = 7 };
    static bool used[PAGES];
    static struct {
        void *block;
        unsigned order;
    } held[BLOCKS];
    uint32_t seed = 7;
    size_t pages_used = 0;

    start(PAGES);
    for (unsigned round = 0; round < ROUNDS; round++) {
        seed = seed * 1664525 + 1013904223;
        unsigned slot = (seed >> 8) % BLOCKS;
        bool is_taking = held[slot].block == NULL;

        if (is_taking) {
            held[slot].order = (seed >> 20) % ORDERS;
            held[slot].block = buddy_allocate(&buddy, held[slot].order);
            if (held[slot].block == NULL)
                continue;
        }
        size_t first = page_of(held[slot].block);
        size_t count = (size_t)1 << held[slot].order;
        for (size_t page = first; page < first + count; page++) {
            cr_assert_lt(page, PAGES);
            cr_assert_eq(used[page], !is_taking);
            used[page] = is_taking;
        }
        if (is_taking) {
            pages_used += count;
        } else {
            pages_used -= count;
            buddy_free(&buddy, held[slot].block, held[slot].order);
            held[slot].block = NULL;
        }
        cr_assert_eq(buddy.pages_free, PAGES - pages_used);
    }
}
