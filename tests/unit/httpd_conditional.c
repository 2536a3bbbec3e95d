/* SPDX-License-Identifier: MIT */
/*
 * Dates, entity tags, preconditions and ranges (RFC 9110 5.6.7, 8.8, 13, 14).
 * test-links: apps/httpd/conditional.c apps/httpd/date.c apps/httpd/range.c
 * test-links: apps/httpd/slice.c
 */
#include "apps/httpd/conditional.h"
#include "apps/httpd/date.h"
#include "apps/httpd/range.h"

#include <criterion/criterion.h>

#include <string.h>

enum { SAMPLE_TIME = 784111777 }; /* RFC 9110 5.6.7's example */

static const time_t now = 1795000000; /* November 2026 */

static time_t parsed(const char *text)
{
    time_t when = -1;

    cr_assert(date_parse(slice_from(text), now, &when), "%s", text);
    return when;
}

Test(httpd_date, three_forms_mean_the_same)
{
    cr_assert_eq(parsed("Sun, 06 Nov 1994 08:49:37 GMT"), SAMPLE_TIME);
    cr_assert_eq(parsed("Sunday, 06-Nov-94 08:49:37 GMT"), SAMPLE_TIME);
    cr_assert_eq(parsed("Sun Nov  6 08:49:37 1994"), SAMPLE_TIME);
}

Test(httpd_date, formatting_and_parsing_are_inverse)
{
    char text[DATE_SIZE];

    for (time_t when = 0; when < 4200000000; when += 86400 * 29 + 12347) {
        date_format(when, text);
        cr_assert_eq(strlen(text), 29);
        cr_assert_eq(parsed(text), when, "%s", text);
    }
    date_format(SAMPLE_TIME, text);
    cr_assert_str_eq(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    date_format_log(SAMPLE_TIME, text);
    cr_assert_str_eq(text, "06/Nov/1994:08:49:37 +0000");
}

Test(httpd_date, two_digit_years_are_at_most_fifty_years_ahead)
{
    cr_assert_eq(parsed("Friday, 01-Jan-76 00:00:00 GMT"), 3345062400);
    cr_assert_eq(parsed("Friday, 01-Jan-77 00:00:00 GMT"), 220924800);
}

Test(httpd_date, leap_days_exist_when_they_do)
{
    time_t when;

    cr_assert_eq(parsed("Tue, 29 Feb 2000 00:00:00 GMT"), 951782400);
    cr_assert_not(
        date_parse(slice_from("Thu, 29 Feb 1900 00:00:00 GMT"), now, &when));
    cr_assert_not(
        date_parse(slice_from("Thu, 29 Feb 2025 00:00:00 GMT"), now, &when));
}

Test(httpd_date, what_is_no_date_is_refused)
{
    const char *const bad[] = {
        "",
        ",",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 PST",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nvo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun Nov 06 08:49:37",
        "784111777",
    };
    time_t when;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(date_parse(slice_from(bad[i]), now, &when), "%s", bad[i]);
}

static uint64_t first, last;

static enum range_verdict range(const char *text, uint64_t size)
{
    return range_parse(slice_from(text), size, &first, &last);
}

Test(httpd_range, single_open_and_suffix_ranges_are_clamped_to_the_size)
{
    cr_assert_eq(range("bytes=2-4", 10), RANGE_SATISFIABLE);
    cr_assert(first == 2 && last == 4);
    cr_assert_eq(range("bytes=2-", 10), RANGE_SATISFIABLE);
    cr_assert(first == 2 && last == 9);
    cr_assert_eq(range("bytes=9-18446744073709551615", 10), RANGE_SATISFIABLE);
    cr_assert(first == 9 && last == 9);
    cr_assert_eq(range("bytes=-3", 10), RANGE_SATISFIABLE);
    cr_assert(first == 7 && last == 9);
    cr_assert_eq(range("bytes=-11", 10), RANGE_SATISFIABLE);
    cr_assert(first == 0 && last == 9);
}

Test(httpd_range, ranges_without_a_byte_are_unsatisfiable)
{
    cr_assert_eq(range("bytes=10-", 10), RANGE_UNSATISFIABLE);
    cr_assert_eq(range("bytes=10-11", 10), RANGE_UNSATISFIABLE);
    cr_assert_eq(range("bytes=-0", 10), RANGE_UNSATISFIABLE);
    cr_assert_eq(range("bytes=0-", 0), RANGE_UNSATISFIABLE);
}

/* 14.1.2: it is satisfiable, by the whole; but a Content-Range cannot tell of
 * no byte. */
Test(httpd_range, the_end_of_an_empty_file_is_the_file)
{
    cr_assert_eq(range("bytes=-5", 0), RANGE_NONE);
    cr_assert_eq(range("bytes=-0", 0), RANGE_UNSATISFIABLE);
}

Test(httpd_range, what_is_no_single_range_is_none)
{
    const char *const bad[] = {"",
                               "bytes",
                               "bytes=",
                               "bytes=-",
                               "bytes=a-",
                               "bytes=1-a",
                               "bytes=4-2",
                               "bytes=1-2,4-5",
                               "items=1-2",
                               "bytes=1--2",
                               "bytes=- 1",
                               "bytes= 1 -",
                               "bytes=18446744073709551616-"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_eq(range(bad[i], 10), RANGE_NONE, "%s", bad[i]);
}

Test(httpd_etag, weak_tags_match_only_weakly)
{
    cr_assert(etag_list_has(slice_from("\"a\", W/\"b\""), "\"b\"", true));
    cr_assert_not(etag_list_has(slice_from("\"a\", W/\"b\""), "\"b\"", false));
    cr_assert(etag_list_has(slice_from(" * "), "\"b\"", false));
}

Test(httpd_etag, commas_inside_of_tags_separate_nothing)
{
    cr_assert(etag_list_has(slice_from("\"a,b\",\"c\""), "\"a,b\"", false));
    cr_assert_not(etag_list_has(slice_from("\"a,b\""), "\"b\"", true));
    cr_assert_not(etag_list_has(slice_from("b\", \"b\""), "\"b\"", true));
    cr_assert_not(etag_list_has(slice_from("\"b"), "\"b\"", true));
    cr_assert_not(etag_list_has(slice_from("W/"), "\"b\"", true));
}

Test(httpd_etag, tags_of_files_differ_by_size_and_time)
{
    char a[ETAG_SIZE];
    char b[ETAG_SIZE];

    etag_from_file(1, 2, a);
    etag_from_file(2, 1, b);
    cr_assert_str_neq(a, b);
    etag_from_file(UINT64_MAX, UINT64_MAX, a);
    cr_assert(a[0] == '"' && a[strlen(a) - 1] == '"');
}

Test(httpd_conditional, tags_win_over_dates)
{
    struct validators validators = {"\"t\"", SAMPLE_TIME};
    struct request request = {.if_modified_since =
                                  slice_from("Sun, 06 Nov 1994 08:49:37 GMT")};

    cr_assert_eq(conditional_check(&request, &validators, now), 304);
    request.if_none_match = slice_from("\"other\"");
    cr_assert_eq(conditional_check(&request, &validators, now), 0);
    request.if_match = slice_from("\"other\"");
    cr_assert_eq(conditional_check(&request, &validators, now), 412);
}

/* RFC 9110 13.1.3, 13.1.4: the very second is not later. */
Test(httpd_conditional, the_second_of_the_change_counts_as_before_it)
{
    struct validators validators = {"\"t\"", SAMPLE_TIME};
    struct request unless = {.if_unmodified_since =
                                 slice_from("Sun, 06 Nov 1994 08:49:37 GMT")};
    struct request since = {.if_modified_since =
                                slice_from("Sun, 06 Nov 1994 08:49:37 GMT")};

    cr_assert_eq(conditional_check(&unless, &validators, now), 0);
    cr_assert_eq(conditional_check(&since, &validators, now), 304);
    validators.modified++;
    cr_assert_eq(conditional_check(&unless, &validators, now), 412);
    cr_assert_eq(conditional_check(&since, &validators, now), 0);
}

Test(httpd_conditional, unknown_time_of_change_decides_nothing)
{
    struct validators validators = {"\"t\"", 0};
    struct request request = {
        .if_modified_since = slice_from("Sun, 06 Nov 1994 08:49:37 GMT"),
        .if_unmodified_since = slice_from("Thu, 01 Jan 1970 00:00:00 GMT")};

    cr_assert_eq(conditional_check(&request, &validators, now), 0);
}
