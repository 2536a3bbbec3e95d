/* SPDX-License-Identifier: MIT */
/*
 * The kernel command line.
 * test-links: kernel/command_line.c
 */
#include "kernel/command_line.h"
#include "kernel/console.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char app[] = "httpd";
static char said[4096];  /* what went to the console */
static char heard[4096]; /* what the handlers were given */

void log_print(enum log_level level, const char *part, const char *format, ...)
{
    size_t length = strlen(said);
    va_list arguments;

    (void)level;
    (void)part;
    va_start(arguments, format);
    vsnprintf(said + length, sizeof(said) - length, format, arguments);
    va_end(arguments);
    strncat(said, "\n", sizeof(said) - strlen(said) - 1);
}

static bool hear(const char *name, const char *value)
{
    size_t length = strlen(heard);

    snprintf(heard + length, sizeof(heard) - length, "%s<%s>", name,
             value != NULL ? value : "NULL");
    return value == NULL || strcmp(value, "bad") != 0;
}

static const struct command_word table[] = {
    {"one", hear}, {"ip", hear}, {"net.", hear}};

static void parse(const char *text)
{
    said[0] = heard[0] = '\0';
    command_line_parse(text, strlen(text), app);
}

static void apply(const char *text)
{
    parse(text);
    command_line_apply(table, 3);
    command_line_report_unknown();
}

Test(command_line, handlers_get_name_and_value_in_order)
{
    apply("ip=a  one\tip=b=c\none= ");
    cr_assert_str_eq(heard, "ip<a>one<NULL>ip<b=c>one<>");
    cr_assert_str_empty(said);
}

Test(command_line, a_prefix_takes_every_word_that_goes_on_from_it)
{
    apply("net.ipv4.ip_forward=1 net. net network=2");
    cr_assert_str_eq(heard, "net.ipv4.ip_forward<1>");
    cr_assert_str_eq(said, "unknown, ignored: net.\n"
                           "unknown, ignored: net\n"
                           "unknown, ignored: network=2\n");
}

Test(command_line, a_malformed_word_is_named_once_and_passed_over)
{
    apply("one=bad ip=x");
    cr_assert_str_eq(heard, "one<bad>ip<x>");
    cr_assert_str_eq(said, "malformed, ignored: one=bad\n");
}

Test(command_line, an_unknown_word_is_named_with_its_value)
{
    apply("foo bar=2 =3 one");
    cr_assert_str_eq(said, "unknown, ignored: foo\n"
                           "unknown, ignored: bar=2\n"
                           "unknown, ignored: =3\n");
}

Test(command_line, a_word_that_was_looked_up_is_known)
{
    parse("level=3 level=4 flag");
    cr_assert_str_eq(command_line_value("level"), "4");
    cr_assert_str_eq(command_line_value("flag"), "");
    cr_assert_null(command_line_value("none"));
    command_line_report_unknown();
    cr_assert_str_empty(said);
}

Test(command_line, quotes_keep_blanks_together)
{
    apply("one=\"a b\" \"ip=c d\" one=x\"y z\"w one=\"unclosed x");
    cr_assert_str_eq(heard, "one<a b>ip<c d>one<xy zw>one<unclosed x>");
}

Test(command_line, all_behind_the_dashes_is_the_apps)
{
    char **argv;

    apply("one -- -v \"two words\" -- one ip=3");
    cr_assert_str_eq(heard, "one<NULL>");
    cr_assert_eq(command_line_app_arguments(&argv), 6);
    cr_assert_str_eq(argv[0], "httpd");
    cr_assert_str_eq(argv[1], "-v");
    cr_assert_str_eq(argv[2], "two words");
    cr_assert_str_eq(argv[3], "--");
    cr_assert_str_eq(argv[4], "one");
    cr_assert_str_eq(argv[5], "ip=3");
    cr_assert_null(argv[6]);
    cr_assert_str_empty(said);
}

Test(command_line, an_empty_line_still_names_the_app)
{
    char **argv;

    apply("");
    cr_assert_eq(command_line_app_arguments(&argv), 1);
    cr_assert_str_eq(argv[0], "httpd");
    cr_assert_null(argv[1]);
    apply("   \t ");
    cr_assert_eq(command_line_app_arguments(&argv), 1);
    apply("--");
    cr_assert_eq(command_line_app_arguments(&argv), 1);
}

Test(command_line, too_many_words_are_counted_on_the_console)
{
    char text[COMMAND_LINE_BYTES] = "";

    for (unsigned i = 0; i < COMMAND_LINE_WORDS + 5; i++)
        strcat(text, "one ");
    strcat(text, "--");
    for (unsigned i = 0; i < COMMAND_LINE_ARGUMENTS + 1; i++)
        strcat(text, " a");
    apply(text);
    cr_assert_str_eq(said, "5 words too many, ignored\n"
                           "3 arguments of the app too many, ignored\n");
}

Test(command_line, a_line_of_any_length_is_survived)
{
    static char text[3 * COMMAND_LINE_BYTES];

    memset(text, 'x', sizeof(text) - 1);
    apply(text);
    cr_assert_eq(strncmp(said, "unknown, ignored: xxx", 21), 0);
}

Test(command_line, numbers_are_whole_and_within_their_limits)
{
    static const char *const bad[] = {"",
                                      "-",
                                      "x",
                                      "1x",
                                      " 1",
                                      "+1",
                                      "--1",
                                      "0x10",
                                      "11",
                                      "-11",
                                      "1 ",
                                      "1.",
                                      "99999999999999999999999"};
    long number = 77;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(command_line_number(bad[i], -10, 10, &number), "%s",
                      bad[i]);
    cr_assert_eq(number, 77);
    cr_assert(command_line_number("-10", -10, 10, &number));
    cr_assert_eq(number, -10);
    cr_assert(command_line_number("007", -10, 10, &number));
    cr_assert_eq(number, 7);
}
