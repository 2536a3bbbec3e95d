/* SPDX-License-Identifier: MIT */
/*
 * The heap over counted pages: contents survive, neighbours merge, all pages
 * come back, and misuse is noticed.
 * test-links: libc/system/heap.c
 */
#include "libc/system/heap.h"

#include "kernel/memory.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 200, ROUNDS = 40000 };

static size_t pages_out;
static size_t pages_limit = SIZE_MAX;
static unsigned order_limit = 63;

void *pages_allocate(unsigned order)
{
    size_t bytes = (size_t)PAGE_BYTES << order;

    if (order > order_limit || pages_out + (1u << order) > pages_limit)
        return NULL;
    pages_out += (size_t)1 << order;
    return memset(aligned_alloc(bytes, bytes), 0xdd, bytes);
}

void pages_free(void *block, unsigned order)
{
    cr_assert_eq((uintptr_t)block % ((size_t)PAGE_BYTES << order), 0);
    pages_out -= (size_t)1 << order;
    memset(block, 0xee, (size_t)PAGE_BYTES << order);
    free(block);
}

void heap_corrupt(const char *what, const void *block)
{
    (void)what;
    (void)block;
    abort();
}

struct live {
    unsigned char *bytes;
    size_t size;
    unsigned char mark;
};

static struct live live[LIVE];

static void fill(struct live *one, size_t from)
{
    for (size_t i = from; i < one->size; i++)
        one->bytes[i] = (unsigned char)(one->mark + i);
}

static void check(const struct live *one, size_t size)
{
    for (size_t i = 0; i < size; i++)
        cr_assert_eq(one->bytes[i], (unsigned char)(one->mark + i));
}

static size_t random_size(void)
{
    size_t size = (size_t)rand() % 300;

    if (rand() % 10 == 0)
        size = (size_t)rand() % 20000;
    if (rand() % 100 == 0)
        size = (size_t)rand() % 300000;
    return size;
}

static void step(struct live *one)
{
    size_t alignment = rand() % 8 ? 1 : (size_t)1 << rand() % 13;
    size_t size = random_size();

    if (one->bytes == NULL) {
        one->bytes = heap_allocate(size, alignment);
        one->size = size;
        one->mark = (unsigned char)rand();
        cr_assert_not_null(one->bytes);
        cr_assert_eq((uintptr_t)one->bytes % (alignment > 16 ? alignment : 16),
                     0);
        fill(one, 0);
    } else if (rand() % 3 == 0) {
        size_t kept = size < one->size ? size : one->size;

        one->bytes = heap_resize(one->bytes, size);
        cr_assert_not_null(one->bytes);
        check(one, kept);
        one->size = size;
        fill(one, kept);
    } else {
        check(one, one->size);
        heap_release(one->bytes);
        one->bytes = NULL;
    }
}

Test(libc_heap, contents_survive_and_all_pages_come_back)
{
    srand(9);
    for (int round = 0; round < ROUNDS; round++)
        step(&live[rand() % LIVE]);
    for (size_t i = 0; i < LIVE; i++) {
        if (live[i].bytes == NULL)
            continue;
        check(&live[i], live[i].size);
        heap_release(live[i].bytes);
    }
    cr_assert_eq(heap_used(), 0);
    cr_assert_leq(pages_out, 16, "one empty arena is kept, not %zu pages",
                  pages_out);
}

Test(libc_heap, freeing_in_any_order_leaves_one_whole_piece)
{
    void *blocks[60];

    for (size_t i = 0; i < 60; i++)
        blocks[i] = heap_allocate(1000, 1);
    for (size_t i = 0; i < 60; i += 2)
        heap_release(blocks[i]);
    for (size_t i = 1; i < 60; i += 2)
        heap_release(blocks[i]);
    cr_assert_eq(pages_out, 16);
    cr_assert_not_null(heap_allocate(30000, 1));
    cr_assert_not_null(heap_allocate(30000, 1));
    cr_assert_eq(pages_out, 16);
}

Test(libc_heap, exhaustion_is_null_and_leaves_old_blocks_alone)
{
    unsigned char *block;

    pages_limit = 16;
    block = heap_allocate(100, 1);
    memset(block, 7, 100);
    cr_assert_null(heap_allocate(70000, 1));
    cr_assert_null(heap_resize(block, 70000));
    cr_assert_null(heap_allocate(SIZE_MAX, 1));
    cr_assert_null(heap_allocate(SIZE_MAX - 100, 64));
    for (size_t i = 0; i < 100; i++)
        cr_assert_eq(block[i], 7);
    heap_release(block);
}

Test(libc_heap, small_requests_work_when_only_single_pages_are_left)
{
    void *blocks[8];

    order_limit = 0;
    for (size_t i = 0; i < 8; i++) {
        blocks[i] = heap_allocate(1500, 1);
        cr_assert_not_null(blocks[i]);
    }
    for (size_t i = 0; i < 8; i++)
        heap_release(blocks[i]);
    cr_assert_eq(pages_out, 1);
}

Test(libc_heap, a_piece_that_just_fits_is_found_when_memory_is_short)
{
    void *small[40];
    void *fitting;
    size_t count = 0;

    pages_limit = 16;
    fitting = heap_allocate(976, 1);
    while (count < 40 && (small[count] = heap_allocate(600, 1)) != NULL)
        count++;
    while (heap_allocate(16, 1) != NULL) {
    }
    heap_release(fitting);
    for (size_t i = 1; i < count; i += 2)
        heap_release(small[i]);
    cr_assert_eq(heap_allocate(976, 1), fitting);
}

Test(libc_heap, a_second_free_is_noticed, .signal = SIGABRT)
{
    void *block = heap_allocate(50, 1);

    heap_release(block);
    heap_release(block);
}

Test(libc_heap, a_second_free_after_merging_is_noticed, .signal = SIGABRT)
{
    void *first = heap_allocate(50, 1);
    void *second = heap_allocate(50, 1);

    heap_release(first);
    heap_release(second);
    heap_release(second);
}

Test(libc_heap, a_foreign_pointer_is_noticed, .signal = SIGABRT)
{
    unsigned char *block = heap_allocate(200, 1);

    memset(block, 0, 200);
    heap_release(block + 64);
}

Test(libc_heap, writing_beyond_the_end_is_noticed, .signal = SIGABRT)
{
    unsigned char *block = heap_allocate(48, 1);

    memset(block, 0x41, 48 + 16);
    heap_release(block);
}
