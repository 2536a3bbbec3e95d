/* SPDX-License-Identifier: MIT */
/*
 * Calendar arithmetic and dates as text, against the host's.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define gmtime_r    ferrule_gmtime_r
#define gmtime      ferrule_gmtime
#define localtime_r ferrule_localtime_r
#define localtime   ferrule_localtime
#define timegm      ferrule_timegm
#define mktime      ferrule_mktime
#define strftime    ferrule_strftime
#include "libc/system/calendar.c"
#undef gmtime_r
#undef gmtime
#undef localtime_r
#undef localtime
#undef timegm
#undef mktime
#undef strftime

enum { ROUNDS = 100000, ROOM = 256 };

static void agree(time_t when)
{
    struct tm ours;
    struct tm theirs;

    cr_assert_not_null(ferrule_gmtime_r(&when, &ours));
    gmtime_r(&when, &theirs);
    cr_assert_eq(ours.tm_year, theirs.tm_year, "%ld", when);
    cr_assert_eq(ours.tm_mon, theirs.tm_mon, "%ld", when);
    cr_assert_eq(ours.tm_mday, theirs.tm_mday, "%ld", when);
    cr_assert_eq(ours.tm_hour, theirs.tm_hour, "%ld", when);
    cr_assert_eq(ours.tm_min, theirs.tm_min, "%ld", when);
    cr_assert_eq(ours.tm_sec, theirs.tm_sec, "%ld", when);
    cr_assert_eq(ours.tm_wday, theirs.tm_wday, "%ld", when);
    cr_assert_eq(ours.tm_yday, theirs.tm_yday, "%ld", when);
    cr_assert_eq(ferrule_timegm(&ours), when);
}

Test(libc_calendar, dates_are_those_of_the_host)
{
    static const time_t known[] = {
        0,           -1,         951782400,  951868799,    4107542400,
        -2203891200, 1709164800, 1735689599, 253402300799, -62135596800};

    srand(10);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        agree(known[i]);
    for (int round = 0; round < ROUNDS; round++)
        agree(((time_t)rand() << 8 ^ rand()) - ((time_t)1 << 38));
}

Test(libc_calendar, timegm_carries_what_is_out_of_range)
{
    srand(11);
    for (int round = 0; round < ROUNDS; round++) {
        struct tm ours = {.tm_year = rand() % 300,
                          .tm_mon = rand() % 60 - 30,
                          .tm_mday = rand() % 800 - 400,
                          .tm_hour = rand() % 100 - 50,
                          .tm_min = rand() % 200 - 100,
                          .tm_sec = rand() % 200 - 100};
        struct tm theirs = ours;

        cr_assert_eq(ferrule_timegm(&ours), timegm(&theirs));
        cr_assert_eq(ours.tm_mday, theirs.tm_mday);
    }
}

Test(libc_calendar, a_year_that_does_not_fit_is_eoverflow)
{
    struct tm parts;
    time_t when = LONG_MAX;

    errno = 0;
    cr_assert_null(ferrule_gmtime_r(&when, &parts));
    cr_assert_eq(errno, EOVERFLOW);
}

Test(libc_calendar, every_conversion_of_strftime_is_the_hosts)
{
    static const char format[] =
        "%a|%A|%b|%B|%c|%C|%d|%D|%e|%F|%h|%H|%I|%j|%m|%M|%n|%p|%r|%R|%S|%t|"
        "%T|%u|%w|%x|%X|%y|%Y|%z|%%|%Ey|%Od";

    for (time_t when = 0; when < 2000000000; when += 7654321) {
        char ours[ROOM];
        char theirs[ROOM];
        struct tm parts;

        gmtime_r(&when, &parts);
        cr_assert_eq(ferrule_strftime(ours, ROOM, format, &parts),
                     strftime(theirs, ROOM, format, &parts));
        cr_assert_str_eq(ours, theirs);
    }
}

Test(libc_calendar, text_that_does_not_fit_is_length_zero)
{
    struct tm parts = {.tm_mday = 1, .tm_year = 126};
    char text[64];

    for (size_t size = 0; size < 40; size++) {
        char theirs[64];

        cr_assert_eq(
            ferrule_strftime(text, size, "%a, %d %b %Y %T GMT", &parts),
            strftime(theirs, size, "%a, %d %b %Y %T GMT", &parts), "%zu", size);
    }
}
