/* SPDX-License-Identifier: MIT */
/*
 * Request heads (RFC 9112): what is accepted, and with which status the rest
 * is refused. Whole conversations are tested in tests/apps.
 * test-links: apps/httpd/request.c apps/httpd/slice.c
 */
#include "apps/httpd/request.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct request request;

/* In memory of exactly its size, so that reading past it is caught. */
static int parse(const char *text)
{
    static char *copy;
    size_t length = strlen(text);
    size_t scanned = 0;

    free(copy);
    copy = malloc(length);
    memcpy(copy, text, length);
    cr_assert_eq(request_find_end(copy, length, &scanned), HEAD_COMPLETE);
    cr_assert_eq(scanned, length);
    return request_parse(&request, copy, length);
}

static int parse_with(const char *headers)
{
    char text[2048];

    snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n",
             headers);
    return parse(text);
}

static int parse_line(const char *line)
{
    char text[2048];

    snprintf(text, sizeof(text), "%s\r\nHost: a\r\n\r\n", line);
    return parse(text);
}

Test(httpd_request, plain_get_is_understood)
{
    cr_assert_eq(parse("GET /a/b?c=d HTTP/1.1\r\nHost: x:80\r\n\r\n"), 0);
    cr_assert_eq(request.method, METHOD_GET);
    cr_assert_eq(request.minor, 1);
    cr_assert(slice_equals(request.line, "GET /a/b?c=d HTTP/1.1"));
    cr_assert(slice_equals(request.target, "/a/b?c=d"));
    cr_assert(slice_equals(request.path, "/a/b"));
    cr_assert(slice_equals(request.query, "?c=d"));
    cr_assert(slice_equals(request.host, "x:80"));
    cr_assert(request.is_kept_alive);
}

Test(httpd_request, header_names_have_no_case_and_values_are_trimmed)
{
    cr_assert_eq(parse_with("rAnGe: \t bytes=0-1 \t\r\n"), 0);
    cr_assert(slice_equals(request.range, "bytes=0-1"));
    cr_assert_eq(parse_with("If-None-Match:\"x\"\r\n"), 0);
    cr_assert(slice_equals(request.if_none_match, "\"x\""));
}

Test(httpd_request, methods_are_told_apart_by_case)
{
    cr_assert_eq(parse_line("HEAD / HTTP/1.1"), 0);
    cr_assert_eq(request.method, METHOD_HEAD);
    cr_assert_eq(parse_line("POST / HTTP/1.1"), 0);
    cr_assert_eq(request.method, METHOD_OTHER);
    cr_assert_eq(parse_line("get / HTTP/1.1"), 501);
    cr_assert_eq(parse_line("GETT / HTTP/1.1"), 501);
    cr_assert_eq(parse_line("GE / HTTP/1.1"), 501);
}

Test(httpd_request, versions_other_than_1_are_505)
{
    cr_assert_eq(parse_line("GET / HTTP/1.0"), 0);
    cr_assert_eq(request.minor, 0);
    cr_assert_eq(parse_line("GET / HTTP/1.7"), 0);
    cr_assert_eq(request.minor, 1);
    cr_assert_eq(parse_line("GET / HTTP/2.0"), 505);
    cr_assert_eq(parse_line("GET / HTTP/0.9"), 505);
    cr_assert_eq(parse_line("GET / HTTP/1.11"), 400);
    cr_assert_eq(parse_line("GET / HTTP/a.1"), 400);
    cr_assert_eq(parse_line("GET / http/1.1"), 400);
    cr_assert_eq(parse_line("GET /"), 400);
    cr_assert_eq(parse_line("GET"), 400);
}

Test(httpd_request, blanks_in_the_request_line_are_exactly_two)
{
    cr_assert_eq(parse_line("GET  / HTTP/1.1"), 400);
    cr_assert_eq(parse_line("GET /  HTTP/1.1"), 400);
    cr_assert_eq(parse_line("GET / HTTP/1.1 "), 400);
    cr_assert_eq(parse_line("GET\t/ HTTP/1.1"), 400);
    cr_assert_eq(parse_line("GET / a HTTP/1.1"), 400);
}

Test(httpd_request, absolute_form_loses_its_host)
{
    cr_assert_eq(parse_line("GET HTTP://x:1/p?q HTTP/1.1"), 0);
    cr_assert(slice_equals(request.path, "/p"));
    cr_assert(slice_equals(request.query, "?q"));
    cr_assert_eq(parse_line("GET http://x?q HTTP/1.1"), 0);
    cr_assert(slice_equals(request.path, ""));
    cr_assert(slice_equals(request.query, "?q"));
    cr_assert_eq(parse_line("GET http:// HTTP/1.1"), 400);
    cr_assert_eq(parse_line("GET ftp://x/ HTTP/1.1"), 400);
}

Test(httpd_request, asterisk_is_for_options_alone)
{
    cr_assert_eq(parse_line("OPTIONS * HTTP/1.1"), 0);
    cr_assert_eq(parse_line("GET * HTTP/1.1"), 400);
}

Test(httpd_request, host_is_needed_once_from_1_1_on)
{
    cr_assert_eq(parse("GET / HTTP/1.1\r\n\r\n"), 400);
    cr_assert_eq(parse("GET / HTTP/1.0\r\n\r\n"), 0);
    cr_assert_eq(parse("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 0);
    cr_assert_eq(parse_with("Host: a\r\n"), 400);
    cr_assert_eq(parse("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
}

Test(httpd_request, port_of_the_host_is_digits)
{
    static const char *const good[] = {"a",        "a:",         "a:80",
                                       "10",       "1.2.3.4:80", "[::1]",
                                       "[::1]:80", ":80",        "[fe80::a]"};
    static const char *const bad[] = {"a:x", "a:80x", "a:8:x", "[::1]:x",
                                      "a:-1"};
    char text[64];

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                 good[i]);
        cr_assert_eq(parse(text), 0, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                 bad[i]);
        cr_assert_eq(parse(text), 400, "%s", bad[i]);
    }
}

Test(httpd_request, connection_options_decide_what_comes_after)
{
    cr_assert_eq(parse_with("Connection: upgrade, CLOSE\r\n"), 0);
    cr_assert_not(request.is_kept_alive);
    cr_assert_eq(parse_with("Connection: keep-alive\r\n"
                            "Connection: close\r\n"),
                 0);
    cr_assert_not(request.is_kept_alive);
    cr_assert_eq(parse("GET / HTTP/1.0\r\n\r\n"), 0);
    cr_assert_not(request.is_kept_alive);
    cr_assert_eq(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), 0);
    cr_assert(request.is_kept_alive);
    cr_assert_eq(parse("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n"
                       "\r\n"),
                 0);
    cr_assert_not(request.is_kept_alive);
}

Test(httpd_request, lengths_that_two_parsers_could_read_differently_are_400)
{
    const char *const bad[] = {"",
                               "+1",
                               "-1",
                               "0x1",
                               "1 1",
                               "1,1",
                               "1.0",
                               "1e3",
                               "\"1\"",
                               "18446744073709551616",
                               "99999999999999999999"};
    char header[64];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(header, sizeof(header), "Content-Length: %s\r\n", bad[i]);
        cr_assert_eq(parse_with(header), 400, "%s", bad[i]);
    }
    cr_assert_eq(parse_with("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
    cr_assert_eq(parse_with("Content-Length: 007\r\n"), 0);
    cr_assert_eq(request.content_length, 7);
    cr_assert_eq(parse_with("Content-Length: 65537\r\n"), 413);
}

Test(httpd_request, transfer_codings_are_refused_by_kind)
{
    cr_assert_eq(parse_with("Transfer-Encoding: chunked\r\n"), 411);
    cr_assert_eq(parse_with("Transfer-Encoding: gzip\r\n"), 501);
    cr_assert_eq(parse_with("Transfer-Encoding: chunked\r\n"
                            "Content-Length: 1\r\n"),
                 400);
    cr_assert_eq(parse_with("Content-Length: 1\r\n"
                            "Transfer-Encoding: identity\r\n"),
                 400);
    cr_assert_eq(parse_with("Transfer-Encoding: chunked\r\n"
                            "Transfer-Encoding: chunked\r\n"),
                 400);
    cr_assert_eq(parse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
                 400);
}

Test(httpd_request, header_syntax_is_strict)
{
    cr_assert_eq(parse_with("X : y\r\n"), 400);
    cr_assert_eq(parse_with(" X: y\r\n"), 400);
    cr_assert_eq(parse_with("X: y\r\n folded\r\n"), 400);
    cr_assert_eq(parse_with("X\r\n"), 400);
    cr_assert_eq(parse_with(": y\r\n"), 400);
    cr_assert_eq(parse_with("X: a\rb\r\n"), 400);
    cr_assert_eq(parse_with("X: a\x01\r\n"), 400);
    cr_assert_eq(parse_with("X: a\x7f\r\n"), 400);
    cr_assert_eq(parse_with("X: a\tb \xc3\xa9\r\n"), 0);
}

Test(httpd_request, a_hundred_headers_are_the_limit)
{
    char headers[1024] = "";

    for (unsigned i = 0; i < 99; i++)
        strcat(headers, "X: y\r\n");
    cr_assert_eq(parse_with(headers), 0);
    strcat(headers, "X: y\r\n");
    cr_assert_eq(parse_with(headers), 431);
}

Test(httpd_request, repeated_condition_counts_as_none)
{
    cr_assert_eq(parse_with("Range: bytes=0-1\r\nRange: bytes=2-3\r\n"), 0);
    cr_assert_eq(request.range.length, 0);
    cr_assert_eq(parse_with("Range: a\r\nRange: b\r\nRange: c\r\n"), 0);
    cr_assert_eq(request.range.length, 0);
}

Test(httpd_request, only_continue_can_be_expected)
{
    cr_assert_eq(parse_with("Expect: 100-CONTINUE\r\nContent-Length: 1\r\n"),
                 0);
    cr_assert(request.expects_continue);
    cr_assert_eq(parse_with("Expect: 100-continue\r\n"), 0);
    cr_assert_not(request.expects_continue);
    cr_assert_eq(parse_with("Expect: other\r\n"), 417);
}

Test(httpd_request, end_is_found_at_whatever_byte_the_head_is_split)
{
    const char head[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest";
    size_t end = strlen(head) - 4;

    for (size_t split = 0; split < end; split++) {
        size_t scanned = 0;

        cr_assert_eq(request_find_end(head, split, &scanned), HEAD_INCOMPLETE);
        cr_assert_eq(request_find_end(head, strlen(head), &scanned),
                     HEAD_COMPLETE);
        cr_assert_eq(scanned, end);
    }
}

Test(httpd_request, what_is_no_request_is_known_by_its_first_byte_or_line)
{
    size_t scanned = 0;

    cr_assert_eq(request_find_end("\x16\x03\x01", 3, &scanned), HEAD_MALFORMED);
    cr_assert_eq(request_find_end("GET / HTTP/1.1\n", 15, &scanned),
                 HEAD_MALFORMED);
    cr_assert_eq(request_find_end("", 0, &scanned), HEAD_INCOMPLETE);
}
