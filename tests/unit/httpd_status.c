/* SPDX-License-Identifier: MIT */
/*
 * Counters as Prometheus text and as JSON, from lines "name value help"; text
 * building and the command line, which have no other home.
 * test-links: apps/httpd/status.c apps/httpd/text.c apps/httpd/slice.c
 * test-links: apps/httpd/clock.c apps/httpd/date.c apps/httpd/options.c
 */
#include "apps/httpd/status.h"

#include "apps/httpd/options.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static char *finish(struct text *text)
{
    text_add_slice(text, (struct slice){"", 1});
    cr_assert_not(text->is_cut);
    return text->bytes;
}

static char *metrics(const char *lines)
{
    struct text text = text_growing();

    status_format_metrics(slice_from(lines), &text);
    return finish(&text);
}

static char *json(const char *lines)
{
    struct text text = text_growing();

    status_format_json(slice_from(lines), &text);
    return finish(&text);
}

Test(httpd_status, samples_of_one_family_are_brought_together)
{
    char *text = metrics("rx_total{device=\"eth0\"} 1 Received.\n"
                         "up 2 Up since.\n"
                         "rx_total{device=\"eth1\"} 3 Received.\n");

    cr_assert_str_eq(text, "# HELP rx_total Received.\n"
                           "# TYPE rx_total counter\n"
                           "rx_total{device=\"eth0\"} 1\n"
                           "rx_total{device=\"eth1\"} 3\n"
                           "# HELP up Up since.\n"
                           "# TYPE up gauge\n"
                           "up 2\n");
    free(text);
}

Test(httpd_status, lines_of_another_form_are_left_out)
{
    char *text = metrics("\nnovalue\nx y z\n9x 1 a\nx{a 1 b\nx -1 c\n"
                         " x 1\nx{a=\"b c\"} 7 with a blank\n");

    cr_assert_str_eq(text, "# HELP x with a blank\n# TYPE x gauge\n"
                           "x{a=\"b c\"} 7\n");
    free(text);
}

Test(httpd_status, json_escapes_the_quotes_of_labels)
{
    char *text = json("a{b=\"c\"} 18446744073709551615 help\nd 2\n");

    cr_assert_not_null(strstr(text, "\n\"a{b=\\\"c\\\"}\":"
                                    "18446744073709551615,\n\"d\":2}}\n"));
    free(text);
}

Test(httpd_status, no_lines_make_an_empty_but_valid_answer)
{
    char *text = json("");

    cr_assert_not_null(strstr(text, "\"counters\":{}}"));
    free(text);
    text = metrics("");
    cr_assert_str_eq(text, "");
    free(text);
}

Test(httpd_text, fixed_text_is_cut_but_never_overrun)
{
    char place[8] = "#######";
    struct text text = text_fixed(place, 4);

    text_add(&text, "abc");
    text_add(&text, "de");
    text_add(&text, "f");
    cr_assert(text.is_cut);
    cr_assert_eq(text.length, 3);
    cr_assert_str_eq(place, "abc####");
}

Test(httpd_text, numbers_are_written_to_their_last_digit)
{
    char place[64];
    struct text text = text_fixed(place, sizeof(place));

    text_add_number(&text, 0);
    text_add(&text, " ");
    text_add_number(&text, UINT64_MAX);
    text_add_slice(&text, (struct slice){"", 1});
    cr_assert_str_eq(place, "0 18446744073709551615");
}

Test(httpd_text, growing_text_keeps_what_it_has)
{
    struct text text = text_growing();

    for (unsigned i = 0; i < 20000; i++)
        text_add_number(&text, i % 10);
    cr_assert_eq(text.length, 20000);
    for (unsigned i = 0; i < 20000; i++)
        cr_assert_eq(text.bytes[i], '0' + i % 10);
    free(text.bytes);
}

static struct options options;

static const char *parse(const char *a, const char *b)
{
    char *words[] = {"httpd", (char *)(uintptr_t)a, (char *)(uintptr_t)b};
    bool is_help;

    options_set_defaults(&options);
    return options_parse(&options, b ? 3 : a ? 2 : 1, words, &is_help);
}

Test(httpd_options, words_set_what_they_name)
{
    cr_assert_null(parse(NULL, NULL));
    cr_assert(options.port == 80 && options.is_status_on && !options.root);
    cr_assert_null(parse("-p", "8080"));
    cr_assert_eq(options.port, 8080);
    cr_assert_null(parse("-p81", "-r/srv"));
    cr_assert_eq(options.port, 81);
    cr_assert_str_eq(options.root, "/srv");
    cr_assert_null(parse("--no-status", "--access-log=off"));
    cr_assert(!options.is_status_on && options.access_log == ACCESS_LOG_OFF);
    cr_assert_null(parse("--idle-timeout=3", "-q"));
    cr_assert_eq(options.idle_timeout_ms, 3000);
    cr_assert_null(parse("-v", NULL));
    cr_assert_eq(options.access_log, ACCESS_LOG_ON);
}

Test(httpd_options, words_that_are_wrong_are_named)
{
    const char *const bad[] = {"-x",
                               "-p",
                               "-pa",
                               "-p65536",
                               "-p-1",
                               "-r",
                               "--no-statusx",
                               "--access-log=",
                               "--access-log=yes",
                               "--idle-timeout=0",
                               "--idle-timeout=1.5",
                               "--max-connections=0",
                               "word",
                               ""};

    /* Of a short option that has a value, the value. */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        bool has_value = strncmp(bad[i], "-p", 2) == 0 && bad[i][2] != '\0';
        cr_assert_str_eq(parse(bad[i], NULL), bad[i] + (has_value ? 2 : 0));
    }
}
