/* SPDX-License-Identifier: MIT */
/*
 * sscanf against the host's: what it gives back, what it stores and where it
 * stops.
 * test-flags: -Wno-format -Wno-format-security -Wno-format-nonliteral
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support_text.h"

#define sscanf  ferrule_sscanf
#define vsscanf ferrule_vsscanf
int vsscanf(const char *restrict text, const char *restrict format,
            va_list arguments);
int sscanf(const char *restrict text, const char *restrict format, ...);
#include "libc/system/scan.c"
#undef sscanf
#undef vsscanf

enum { PLACE = 256, ROUNDS = 40000 };

/* Six arguments of any type, each with room for a text. */
typedef unsigned char places[6][PLACE];

static places ours, theirs;

static void agree(const char *text, const char *format)
{
    int our_count, their_count;

    memset(ours, 0x55, sizeof(ours));
    memset(theirs, 0x55, sizeof(theirs));
    our_count = ferrule_sscanf(text, format, ours[0], ours[1], ours[2], ours[3],
                               ours[4], ours[5]);
    their_count = sscanf(text, format, theirs[0], theirs[1], theirs[2],
                         theirs[3], theirs[4], theirs[5]);
    cr_assert_eq(our_count, their_count, "\"%s\" by \"%s\": %d is not %d", text,
                 format, our_count, their_count);
    for (int i = 0; i < 6; i++)
        cr_assert_arr_eq(ours[i], theirs[i], PLACE, "\"%s\" by \"%s\": no. %d",
                         text, format, i);
}

Test(libc_scan, what_programs_ask_for_agrees_with_the_host)
{
    agree("GET /index.html HTTP/1.1\r\n", "%15s %255s HTTP/%d.%d");
    agree("10.9.0.1:8080", "%u.%u.%u.%u:%hu%n");
    agree("name = value # rest", " %63[^= ] = %63[^#]%n");
    agree("52:54:00:12:ab:ff", "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx");
    agree("2026-11-21T03:14:37", "%4d-%2d-%2dT%2d:%2d:%2d");
    agree("100%", "%d%%%n");
    agree("", "%d");
    agree("   ", "%d");
    agree("", "");
    agree("x", "%d");
    agree("1 x", "%d %d");
    agree("abc", "%5c");
    agree("]]a", "%[]]%[^]]");
    agree("a-z", "%[a-]%[^-z]");
    agree("12", "%*d%n");
    agree("0x1F 077 0x 12", "%i %i %i %i");
    agree("-5 18446744073709551616 -1", "%u %lu %lu");
    agree("99999999999999999999 -99999999999999999999", "%ld %ld");
    agree("300 -200 70000", "%hhd %hhu %hd");
    agree("1 2 3 4", "%jd %zu %td %lld");
    agree("0xdeadbeef", "%p");
    agree("1.5 -2e3 .25 5. inf", "%f %lf %lf %lf %lf");
    agree("3.14159", "%4lf%n%s");
}

Test(libc_scan, random_texts_are_read_as_the_host_reads_them)
{
    static const char *const pieces[] = {
        "%d",    "%i",    "%u",       "%x",   "%o",   "%3d",   "%2i",
        "%1x",   "%hhd",  "%hu",      "%ld",  "%llx", "%s",    "%3s",
        "%c",    "%2c",   "%*d",      "%*s",  "%*2c", "%n",    "%%",
        "%[ab]", "%[^1]", "%2[0-9a]", "%5lx", "%zu",  "%*[x]", "%hhi",
        " ",     "a",     "1",        ":",    "-",    "x"};
    const size_t count = sizeof(pieces) / sizeof(pieces[0]);

    srand(11);
    for (int round = 0; round < ROUNDS; round++) {
        char *text = random_text("0123789abfxX-+ :%", 14);
        char format[64] = "";

        for (int i = rand() % 5; i >= 0; i--)
            strcat(format, pieces[(size_t)rand() % count]);
        agree(text, format);
        free(text);
    }
}
