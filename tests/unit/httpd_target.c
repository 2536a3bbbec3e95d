/* SPDX-License-Identifier: MIT */
/*
 * From the escaped path of a request to a file's name, and back.
 * test-links: apps/httpd/target.c apps/httpd/mime.c apps/httpd/slice.c
 */
#include "apps/httpd/target.h"

#include "apps/httpd/mime.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

static char path[64];

static bool decode(const char *text)
{
    size_t length = strlen(text);
    char *copy = malloc(length);
    bool is_good;

    memcpy(copy, text, length);
    is_good = target_decode((struct slice){copy, length}, path, sizeof(path));
    free(copy);
    return is_good;
}

static void expect(const char *escaped, const char *decoded)
{
    cr_assert(decode(escaped), "%s", escaped);
    cr_assert_str_eq(path, decoded);
}

Test(httpd_target, plain_paths_stay_as_they_are)
{
    expect("/", "/");
    expect("/a", "/a");
    expect("/a/b.c/", "/a/b.c/");
    expect("/a+b;c=d", "/a+b;c=d");
    expect("", "/");
}

Test(httpd_target, escapes_are_decoded_once)
{
    expect("/%41%4a%4A", "/AJJ");
    expect("/%2541", "/%41");
    expect("/a%20b", "/a b");
    expect("/a%2Fb", "/a/b");
    expect("/%C3%A9", "/\xc3\xa9");
}

Test(httpd_target, dots_and_empty_segments_vanish)
{
    expect("/./a", "/a");
    expect("/a/.", "/a/");
    expect("/a/./b", "/a/b");
    expect("//a///b//", "/a/b/");
    expect("/%2e/a", "/a");
    expect("/.%2fa", "/a");
}

Test(httpd_target, names_that_only_begin_with_dots_are_names)
{
    expect("/...", "/...");
    expect("/..a", "/..a");
    expect("/a..", "/a..");
    expect("/.a", "/.a");
}

Test(httpd_target, parent_segments_are_refused_however_escaped)
{
    const char *const bad[] = {"/..",     "/../",   "/a/..",   "/a/../b",
                               "/%2e%2e", "/.%2E/", "/..%2f",  "/%2e.%2fa",
                               "//..",    "/./../", "/a%2f..", "/a/..//"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(decode(bad[i]), "%s", bad[i]);
}

Test(httpd_target, malformed_escapes_and_nul_are_refused)
{
    const char *const bad[] = {"/%",   "/%4",    "/%g0",   "/%0g",
                               "/%00", "/a%00b", "/%-1",   "/% 1",
                               "a",    "*",      "%2fabc", "/a%"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(decode(bad[i]), "%s", bad[i]);
}

Test(httpd_target, a_path_that_does_not_fit_is_refused)
{
    char text[80];

    memset(text, 'a', sizeof(text));
    text[0] = '/';
    text[63] = '\0';
    cr_assert(decode(text));
    cr_assert_eq(strlen(path), 63);
    text[63] = 'a';
    text[64] = '\0';
    cr_assert_not(decode(text));
}

Test(httpd_target, encoding_is_the_inverse_of_decoding_for_every_byte)
{
    char every[256] = "/";
    char escaped[1024];
    char back[300];
    size_t length = 1;

    for (unsigned byte = 1; byte < 256; byte++) {
        if (byte != '/' && byte != '.')
            every[length++] = (char)byte;
    }
    every[length] = '\0';
    cr_assert(target_encode(every, escaped, sizeof(escaped)));
    for (const char *at = escaped; *at; at++)
        cr_assert(*at > ' ' && *at < 0x7f && *at != '?' && *at != '#');
    cr_assert(target_decode(slice_from(escaped), back, sizeof(back)));
    cr_assert_str_eq(back, every);
    cr_assert_not(target_encode(every, escaped, 100));
}

Test(httpd_target, hidden_names_are_known_in_any_segment)
{
    cr_assert(target_is_hidden("/.a"));
    cr_assert(target_is_hidden("/a/.b/c"));
    cr_assert(target_is_hidden("/.well-known/.x"));
    cr_assert(target_is_hidden("/.well-knownx"));
    cr_assert_not(target_is_hidden("/a.b/c.d"));
    cr_assert_not(target_is_hidden("/.well-known/x"));
}

Test(httpd_target, types_go_by_the_last_extension_in_any_case)
{
    cr_assert_str_eq(mime_from_path("/a.b/c.PNG"), "image/png");
    cr_assert_str_eq(mime_from_path("/a.html/c"), "application/octet-stream");
    cr_assert_str_eq(mime_from_path("/a.tar.gz"), "application/gzip");
    cr_assert_str_eq(mime_from_path("/a."), "application/octet-stream");
    cr_assert_str_eq(mime_from_path("/a.htm"), "text/html; charset=utf-8");
    cr_assert_str_eq(mime_from_path("/a.ht"), "application/octet-stream");
}
