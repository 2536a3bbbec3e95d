/* SPDX-License-Identifier: MIT */
/*
 * The formatting engine against the host's printf.
 * test-links: libc/pure/format.c libc/system/print_floating.c
 * test-flags: -Wno-format -Wno-format-security -Wno-format-nonliteral
 */
#include "libc/pure/format.h"
#include "libc/system/print_floating.h"

#include <criterion/criterion.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 4096, ROUNDS = 30000 };

static char ours[ROOM];
static char theirs[ROOM];

static size_t print(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length =
        format_text_floating(buffer, size, format, arguments, print_floating);
    va_end(arguments);
    return length;
}

#define AGREE(...)                                                             \
    do {                                                                       \
        size_t length = print(ours, ROOM, __VA_ARGS__);                        \
        int expected = snprintf(theirs, ROOM, __VA_ARGS__);                    \
        cr_assert_str_eq(ours, theirs, "\"%s\" is not \"%s\"", ours, theirs);  \
        cr_assert_eq(length, (size_t)expected);                                \
    } while (0)

Test(libc_format, plain_text_and_words_agree_with_the_host)
{
    AGREE("");
    AGREE("plain");
    AGREE("%%|%c|%5c|%-5c|", 'a', 'b', 'c');
    AGREE("%s|%10s|%-10s|%.2s|%10.2s|%.0s|", "word", "word", "word", "word",
          "word", "word");
    AGREE("%s|%.3s|%.6s|%10s|", (char *)NULL, (char *)NULL, (char *)NULL,
          (char *)NULL);
    AGREE("%p|%20p|%-20p|%p", (void *)ours, (void *)ours, (void *)ours, NULL);
    AGREE("%*d|%-*d|%*d|%.*d|%.*s|", 6, 1, 6, 2, -6, 3, 4, 5, -1, "all");
    AGREE("%hhd %hd %d %ld %lld %jd %zd %td", (signed char)-1, (short)-2, -3,
          -4L, -5LL, (intmax_t)-6, (ssize_t)-7, (ptrdiff_t)-8);
    AGREE("%hhu %hu %u %lu %llu %ju %zu", 511, 131071, UINT_MAX, ULONG_MAX,
          ULLONG_MAX, UINTMAX_MAX, SIZE_MAX);
    AGREE("%d %ld", INT_MIN, LONG_MIN);
    AGREE("%x %X %#x %#X %o %#o %#x %#o", 0xbeef, 0xbeef, 0xbeef, 0xbeef, 8, 8,
          0, 0);
}

/* Every combination of flags, widths and precisions of an integer. */
Test(libc_format, integers_agree_with_the_host_in_every_shape)
{
    static const long values[] = {0, 1, -1, 7, 42, -12345, INT_MAX, INT_MIN};
    static const char *const widths[] = {"", "1", "8", "20"};
    static const char *const precisions[] = {"", ".", ".0", ".1", ".5", ".15"};

    for (unsigned flags = 0; flags < 32; flags++)
        for (size_t w = 0; w < 4; w++)
            for (size_t p = 0; p < 6; p++)
                for (const char *c = "diuoxX"; *c != '\0'; c++)
                    for (size_t v = 0; v < 8; v++) {
                        char format[32];

                        snprintf(format, sizeof(format), "<%%%s%s%s%s%s%s%s%c>",
                                 flags & 1 ? "-" : "", flags & 2 ? "0" : "",
                                 flags & 4 ? "+" : "", flags & 8 ? " " : "",
                                 flags & 16 ? "#" : "", widths[w],
                                 precisions[p], *c);
                        AGREE(format, (int)values[v]);
                    }
}

static double random_double(void)
{
    uint64_t bits = 0;
    double value;

    for (int i = 0; i < 4; i++)
        bits = bits << 16 | ((uint64_t)rand() & 0xffff);
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* glibc 2.36 drops the zeros of %#g when rounding carries into a new digit:
 * 999999.5 becomes "1.e+06". */
static bool is_misjudged_by_the_host(const char *shape, char conversion)
{
    return strchr(shape, '#') != NULL && strchr("gG", conversion) != NULL;
}

Test(libc_format, an_alternate_g_keeps_its_zeros)
{
    static const struct {
        double value;
        const char *text;
    } known[] = {
        {0, "0.00000"},
        {1, "1.00000"},
        {100000, "100000."},
        {1e6, "1.00000e+06"},
        {999999.5, "1.00000e+06"},
        {1e-5, "1.00000e-05"},
        {0.0001, "0.000100000"},
        {123.456, "123.456"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        print(ours, ROOM, "%#g", known[i].value);
        cr_assert_str_eq(ours, known[i].text);
    }
}

Test(libc_format, floating_point_agrees_with_the_host_digit_for_digit)
{
    static const double values[] = {
        0,       -0.0,   1,           -1,          0.5,       1.5,
        2.5,     3.5,    0.1,         9.5,         99.5,      999999.5,
        1e5,     1e6,    123456,      1234567,     1e-4,      1e-5,
        0.00012, 1e15,   1e16,        1e22,        1e100,     DBL_MAX,
        DBL_MIN, 5e-324, DBL_EPSILON, INFINITY,    -INFINITY, NAN,
        0.05,    0.25,   0.125,       0.001953125, 9.999995,  9.9999949,
    };
    static const char *const shapes[] = {
        "",   "+",     " ",     "#",     "0",   "-12",  "012",   ".0",
        ".1", ".2",    ".10",   ".20",   ".40", "#.0",  "+.3",   "15.4",
        ".",  "-20.7", "020.3", "#20.8", ".17", ".330", ".1080",
    };

    for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
        for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
            for (const char *c = "fFeEgG"; *c != '\0'; c++) {
                char format[32];

                if (is_misjudged_by_the_host(shapes[s], *c))
                    continue;
                snprintf(format, sizeof(format), "%%%s%c|", shapes[s], *c);
                AGREE(format, values[v]);
            }
}

Test(libc_format, random_doubles_agree_with_the_host)
{
    srand(5);
    for (int round = 0; round < ROUNDS; round++) {
        char format[32];
        double value = random_double();

        if (isnan(value))
            continue;
        snprintf(format, sizeof(format), "%%.%d%c", rand() % 25,
                 "feg"[rand() % 3]);
        AGREE(format, value);
        value = (double)(rand() % 100000) / 1000;
        AGREE(format, value);
    }
}

Test(libc_format, long_double_goes_through_double)
{
    AGREE("%Lf %.3Le", 1.5L, 12345.0L);
}

Test(libc_format, a_short_buffer_holds_the_beginning_and_the_whole_is_counted)
{
    for (size_t size = 0; size < 16; size++) {
        memset(ours, '#', ROOM);
        memset(theirs, '#', ROOM);
        cr_assert_eq(format_print(ours, size, "%d-%s", 12345, "abcde"), 11);
        snprintf(theirs, size, "%d-%s", 12345, "abcde");
        cr_assert_eq(memcmp(ours, theirs, ROOM), 0, "size %zu", size);
    }
}

Test(libc_format, without_the_hook_floating_point_is_written_as_it_stands)
{
    format_print(ours, ROOM, "%.3f %d", 7);
    cr_assert_str_eq(ours, "%.3f 7");
}

Test(libc_format, what_is_no_conversion_is_written_as_it_stands)
{
    format_print(ours, ROOM, "100%! %k %", 0);
    cr_assert_str_eq(ours, "100%! %k %");
}

Test(libc_format, a_huge_width_neither_overflows_nor_crashes)
{
    cr_assert_eq(format_print(ours, 8, "%99999999999999999999d", 1),
                 (size_t)INT_MAX);
    cr_assert_str_eq(ours, "       ");
}
