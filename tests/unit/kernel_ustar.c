/* SPDX-License-Identifier: MIT */
/*
 * Archives, as tar makes them and as damage makes them. The archive lies in a
 * heap block of exactly its size, for the address sanitizer.
 * test-links: kernel/ustar.c kernel/module.c
 */
#include "kernel/console.h"
#include "kernel/memory.h"
#include "kernel/module.h"
#include "kernel/ustar.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512, ARCHIVE_MAX = 64 * BLOCK, LONG = 200 };

static uint8_t archive[ARCHIVE_MAX];
static size_t length;
static char said[4096];
static char shown[4096];

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    size_t end = strlen(said);
    va_list arguments;

    (void)level;
    (void)part;
    va_start(arguments, format);
    vsnprintf(said + end, sizeof(said) - end, format, arguments);
    va_end(arguments);
}

void *memory_take(size_t bytes, size_t alignment)
{
    (void)alignment;
    return calloc(1, bytes);
}

static void sign(uint8_t *header)
{
    unsigned sum = 0;

    memset(header + 148, ' ', 8);
    for (unsigned i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static uint8_t *add(char type, const char *name, const char *content)
{
    uint8_t *header = archive + length;
    size_t size = strlen(content);

    memset(header, 0, BLOCK);
    strncpy((char *)header, name, 100);
    memcpy(header + 100, "0000644", 8);
    snprintf((char *)header + 124, 12, "%011o", (unsigned)size);
    memcpy(header + 136, "14720000000", 12);
    header[156] = (uint8_t)type;
    memcpy(header + 257, "ustar\00000", 8);
    sign(header);
    length += BLOCK;
    memset(archive + length, 0, BLOCK);
    memcpy(archive + length, content, size);
    length += (size + BLOCK - 1) / BLOCK * BLOCK;
    return header;
}

static void finish(void)
{
    memset(archive + length, 0, 2 * BLOCK);
    length += 2 * BLOCK;
}

/* Lists the archive as "name=content;" and returns the trouble. */
static const char *list(void)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    struct ustar_reader reader;
    struct ustar_entry entry;
    size_t end = 0;

    memcpy(copy, archive, length);
    shown[0] = '\0';
    ustar_start(&reader, copy, length);
    while (ustar_next(&reader, &entry)) {
        end += (size_t)snprintf(shown + end, sizeof(shown) - end, "%s%s%.*s;",
                                entry.name, entry.is_directory ? "/" : "=",
                                (int)entry.length, entry.content);
    }
    free(copy);
    return reader.trouble;
}

static void start_module(void)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);

    memcpy(copy, archive, length);
    module_start(copy, length);
}

Test(ustar, files_and_directories_are_listed_with_plain_names)
{
    add('5', "./", "");
    add('5', "./www/", "");
    add('0', "./www/index.html", "hello");
    add('\0', "/etc/old", "x");
    add('0', "empty", "");
    finish();
    cr_assert_null(list());
    cr_assert_str_eq(shown, "www/;www/index.html=hello;etc/old=x;empty=;");
}

Test(ustar, a_prefix_goes_in_front_of_the_name)
{
    uint8_t *header = add('0', "name", "x");

    memcpy(header + 345, "some/where", 10);
    sign(header);
    finish();
    cr_assert_null(list());
    cr_assert_str_eq(shown, "some/where/name=x;");
}

Test(ustar, fields_filled_to_the_brim_need_no_nul)
{
    char name[101], expected[300];
    uint8_t *header;

    memset(name, 'n', 100);
    name[100] = '\0';
    header = add('0', name, "x");
    memset(header + 345, 'p', 155);
    sign(header);
    finish();
    /* 155 + 1 + 100 is one more than fits: left out, and no harm done. */
    cr_assert_null(list());
    cr_assert_str_empty(shown);
    header[345 + 154] = '\0';
    sign(header);
    cr_assert_null(list());
    memset(expected, 'p', 154);
    snprintf(expected + 154, sizeof(expected) - 154, "/%s=x;", name);
    cr_assert_str_eq(shown, expected);
}

Test(ustar, gnu_long_names_are_read)
{
    char name[LONG + 1], expected[LONG + 20];
    uint8_t *header;

    memset(name, 'g', LONG);
    name[LONG] = '\0';
    header = add('L', "././@LongLink", name);
    memcpy(header + 257, "ustar  ", 8);
    sign(header);
    add('0', "gggg", "x");
    add('0', "next", "y");
    finish();
    cr_assert_null(list());
    snprintf(expected, sizeof(expected), "%s=x;next=y;", name);
    cr_assert_str_eq(shown, expected);
}

/* Not listed under what of them fits the old field, which is another file. */
Test(ustar, names_that_are_too_long_are_left_out)
{
    char name[USTAR_NAME_BYTES + 1], record[USTAR_NAME_BYTES + 20];

    memset(name, 'g', USTAR_NAME_BYTES);
    name[USTAR_NAME_BYTES] = '\0';
    snprintf(record, sizeof(record), "%d path=%s\n", USTAR_NAME_BYTES + 10,
             name);
    add('L', "././@LongLink", name);
    add('0', "gggg", "x");
    add('x', "extended", record);
    add('0', "gggg", "y");
    add('0', "next", "z");
    finish();
    cr_assert_null(list());
    cr_assert_str_eq(shown, "next=z;");
}

Test(ustar, the_path_of_a_pax_header_replaces_the_name)
{
    add('g', "global", "20 comment=whatever\n");
    add('x', "extended", "30 mtime=1234567890.123456789\n18 path=long/name\n");
    add('0', "short", "x");
    finish();
    cr_assert_null(list());
    cr_assert_str_eq(shown, "long/name=x;");
}

Test(ustar, a_malformed_pax_header_changes_nothing)
{
    static const char *const records[] = {
        "99 path=a\n", "0 path=a\n", "path=a\n",          "10 path=a",
        "3 path=a\n",  "",           "9999999999999999 ", "1"};

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        length = 0;
        add('x', "extended", records[i]);
        add('0', "short", "x");
        finish();
        cr_assert_null(list());
        cr_assert_str_eq(shown, "short=x;", "%s", records[i]);
    }
}

Test(ustar, links_devices_and_parent_steps_are_left_out)
{
    add('2', "symlink", "");
    add('1', "hardlink", "");
    add('3', "device", "");
    add('0', "../etc/passwd", "x");
    add('0', "a/../../b", "x");
    add('0', "a/..", "x");
    add('0', "a..b/..c", "kept");
    finish();
    cr_assert_null(list());
    cr_assert_str_eq(shown, "a..b/..c=kept;");
}

Test(ustar, what_is_no_archive_is_called_so)
{
    length = 0;
    cr_assert_str_eq(list(), "no tar archive");
    length = 100;
    cr_assert_str_eq(list(), "no tar archive");
    memset(archive, 0x7f, sizeof(archive));
    length = 4 * BLOCK;
    cr_assert_str_eq(list(), "no tar archive");
    memset(archive, 0, sizeof(archive));
    cr_assert_str_eq(list(), "no tar archive");
}

Test(ustar, an_archive_cut_anywhere_is_called_cut)
{
    size_t whole;

    add('0', "one", "content of one");
    add('0', "two", "content of two");
    whole = length;
    for (length = BLOCK; length <= whole; length++) {
        const char *trouble = list();

        cr_assert_not_null(trouble, "%zu", length);
        cr_assert_eq(strncmp(trouble, "cut short", 9), 0, "%zu", length);
    }
    length = whole;
    finish();
    cr_assert_null(list());
    length -= BLOCK; /* one block of zeros will do */
    cr_assert_null(list());
}

Test(ustar, a_flipped_header_bit_is_found)
{
    add('0', "one", "content of one");
    add('0', "two", "content of two");
    finish();
    for (size_t bit = 0; bit < (size_t)BLOCK * 8; bit++) {
        uint8_t mask = (uint8_t)(1U << bit % 8);

        archive[2 * BLOCK + bit / 8] ^= mask;
        const char *trouble = list();
        archive[2 * BLOCK + bit / 8] ^= mask;
        /* Bits of the checksum's own padding do no harm. */
        if (bit / 8 < 148 || bit / 8 >= 156)
            cr_assert_not_null(trouble, "bit %zu", bit);
    }
}

Test(ustar, sizes_that_lie_are_found)
{
    static const char *const sizes[] = {"77777777777", "00000002001",
                                        "0000000000x", "-0000000001",
                                        "\x80\x00\x00\x00\x00"};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *header;

        length = 0;
        header = add('0', "file", "x");
        memcpy(header + 124, sizes[i], strlen(sizes[i]) + 1);
        sign(header);
        finish();
        cr_assert_not_null(list(), "%s", sizes[i]);
    }
}

Test(module, files_are_found_by_name_in_sorted_order)
{
    add('0', "www/b", "bb");
    add('0', "www/a", "a");
    add('0', "etc/c", "ccc");
    finish();
    start_module();
    cr_assert_eq(module_count(), 3);
    cr_assert_str_eq(module_at(0)->name, "etc/c");
    cr_assert_str_eq(module_at(2)->name, "www/b");
    cr_assert_null(module_at(3));
    cr_assert_eq(module_find("/www/b")->length, 2);
    cr_assert_eq(module_find("www/b")->modified_seconds, 014720000000);
    cr_assert_null(module_find("www"));
    cr_assert_null(module_find("zzz"));
    cr_assert_null(module_find(""));
    cr_assert_eq(module_lower_bound("www/"), 1);
    cr_assert_eq(module_lower_bound("zzz"), 3);
}

Test(module, a_name_that_comes_twice_is_the_later_file)
{
    add('0', "a", "old");
    add('0', "b", "x");
    add('0', "a", "newer");
    finish();
    start_module();
    cr_assert_eq(module_count(), 2);
    cr_assert_eq(module_find("a")->length, 5);
}

Test(module, a_cut_archive_is_named_and_counts_as_absent)
{
    add('0', "one", "1");
    add('0', "dir/two", "2");
    length -= 1;
    start_module();
    cr_assert_eq(module_count(), 0);
    cr_assert_null(module_find("one"));
    cr_assert_str_eq(said, "cut short at byte 1024 of 2047, file dir/two: "
                           "module not used");
}

Test(module, what_is_no_archive_counts_as_absent)
{
    memset(archive, 'x', BLOCK);
    length = BLOCK;
    start_module();
    cr_assert_eq(module_count(), 0);
    cr_assert_str_eq(said, "no tar archive at byte 0 of 512: module not used");
}
