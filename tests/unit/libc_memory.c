/* SPDX-License-Identifier: MIT */
/*
 * memcpy and its relatives against the host's, at every alignment and length
 * up to several blocks. The sources are included under other names, because
 * the program needs the host's own as well. Guard bytes show stray writes,
 * the address sanitizer stray reads.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define memcpy  ferrule_memcpy
#define mempcpy ferrule_mempcpy
#define memmove ferrule_memmove
#define memset  ferrule_memset
#define memcmp  ferrule_memcmp
#define memchr  ferrule_memchr
#define memrchr ferrule_memrchr
#define memmem  ferrule_memmem
#include "libc/pure/memory.c"
#undef memcpy
#undef mempcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef memrchr
#undef memmem

enum {
    ALIGNMENTS = 9,
    LENGTHS = 140,
    ROOM = 512,
    AT = 64,
    GUARD = 0xa5,
};

static unsigned char source[ROOM];
static unsigned char ours[ROOM];
static unsigned char theirs[ROOM];

static void prepare(void)
{
    for (size_t i = 0; i < ROOM; i++)
        source[i] = (unsigned char)(i * 7 + 1);
    memset(ours, GUARD, ROOM);
    memset(theirs, GUARD, ROOM);
}

Test(libc_memory, memcpy_copies_exactly_its_bytes)
{
    for (size_t to = 0; to < ALIGNMENTS; to++)
        for (size_t from = 0; from < ALIGNMENTS; from++)
            for (size_t length = 0; length < LENGTHS; length++) {
                prepare();
                cr_assert_eq(
                    ferrule_memcpy(ours + AT + to, source + from, length),
                    ours + AT + to);
                memcpy(theirs + AT + to, source + from, length);
                cr_assert_eq(memcmp(ours, theirs, ROOM), 0, "%zu %zu %zu", to,
                             from, length);
            }
}

Test(libc_memory, mempcpy_returns_the_end)
{
    prepare();
    cr_assert_eq(ferrule_mempcpy(ours, source, 100), ours + 100);
}

Test(libc_memory, memmove_survives_every_overlap)
{
    for (size_t to = 0; to < 80; to++)
        for (size_t length = 0; length < LENGTHS; length++) {
            prepare();
            memcpy(ours, source, ROOM);
            memcpy(theirs, source, ROOM);
            cr_assert_eq(ferrule_memmove(ours + 24 + to, ours + AT, length),
                         ours + 24 + to);
            memmove(theirs + 24 + to, theirs + AT, length);
            cr_assert_eq(memcmp(ours, theirs, ROOM), 0, "%zu %zu", to, length);
        }
}

Test(libc_memory, memset_sets_exactly_its_bytes)
{
    for (size_t to = 0; to < ALIGNMENTS; to++)
        for (size_t length = 0; length < LENGTHS; length++) {
            prepare();
            cr_assert_eq(ferrule_memset(ours + AT + to, 0x1ff, length),
                         ours + AT + to);
            memset(theirs + AT + to, 0x1ff, length);
            cr_assert_eq(memcmp(ours, theirs, ROOM), 0, "%zu %zu", to, length);
        }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

Test(libc_memory, memcmp_orders_by_the_first_difference)
{
    for (size_t from = 0; from < ALIGNMENTS; from++)
        for (size_t length = 0; length < 40; length++)
            for (size_t at = 0; at <= length; at++) {
                prepare();
                memcpy(ours + AT, source + from, length + 1);
                ours[AT + at] ^= 0x80;
                cr_assert_eq(
                    sign(ferrule_memcmp(ours + AT, source + from, length)),
                    sign(memcmp(ours + AT, source + from, length)));
            }
}

Test(libc_memory, memchr_and_memrchr_find_what_the_hosts_find)
{
    for (unsigned seed = 0; seed < 20000; seed++) {
        size_t length = seed % 50;
        unsigned char *block = malloc(length + 1);

        srand(seed);
        for (size_t i = 0; i < length; i++)
            block[i] = (unsigned char)(rand() % 40 + 100);
        cr_assert_eq(ferrule_memchr(block, 0x100 + 120, length),
                     memchr(block, 120, length));
        cr_assert_eq(ferrule_memrchr(block, 120, length),
                     memrchr(block, 120, length));
        free(block);
    }
}

Test(libc_memory, memmem_finds_what_the_hosts_finds)
{
    for (unsigned seed = 0; seed < 20000; seed++) {
        size_t length = seed % 60;
        unsigned char *block = malloc(length + 1);
        unsigned char needle[4];

        srand(seed);
        for (size_t i = 0; i < length; i++)
            block[i] = (unsigned char)(rand() % 3);
        for (size_t i = 0; i < sizeof(needle); i++)
            needle[i] = (unsigned char)(rand() % 3);
        for (size_t size = 0; size <= sizeof(needle); size++)
            cr_assert_eq(ferrule_memmem(block, length, needle, size),
                         memmem(block, length, needle, size));
        free(block);
    }
}
