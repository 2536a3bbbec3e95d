/* SPDX-License-Identifier: MIT */
/*
 * What an iperf3 client says, read by the server.
 * test-links: apps/iperf3/json.c apps/iperf3/parameters.c
 */
#include "apps/iperf3/json.h"
#include "apps/iperf3/limits.h"
#include "apps/iperf3/parameters.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct parameters got;

/* From memory of its own, so that a read past its end is seen. */
static const char *read_text(const char *text)
{
    size_t length = strlen(text);
    char *copy = malloc(length);
    const char *problem;

    memcpy(copy, text, length);
    problem = parameters_read(copy, length, &got);
    free(copy);
    return problem;
}

static bool is_json(const char *text)
{
    size_t length = strlen(text);
    char *copy = malloc(length);
    struct json value;
    bool result;

    memcpy(copy, text, length);
    result = json_parse(copy, length, &value);
    free(copy);
    return result;
}

Test(iperf3_parameters, real_client_of_3_12_is_understood)
{
    cr_assert_null(read_text(
        "{\"tcp\":true,\"omit\":1,\"time\":10,\"num\":0,\"blockcount\":0,"
        "\"MSS\":1000,\"nodelay\":true,\"parallel\":8,\"reverse\":true,"
        "\"window\":65536,\"len\":131072,\"bandwidth\":1048576,"
        "\"pacing_timer\":1000,\"TOS\":16,\"congestion\":\"reno\","
        "\"client_version\":\"3.12\"}"));
    cr_assert(!got.is_udp && got.is_reverse && got.is_nodelay);
    cr_assert(!got.is_bidirectional && !got.has_long_counters);
    cr_assert_eq(got.streams, 8);
    cr_assert_eq(got.omit_s, 1);
    cr_assert_eq(got.time_s, 10);
    cr_assert_eq(got.block, 131072);
    cr_assert_eq(got.buffer, 65536);
    cr_assert_eq(got.maximum_segment, 1000);
    cr_assert_eq(got.bits_per_second, 1048576);
    cr_assert_eq(got.type_of_service, 16);
    cr_assert_str_eq(got.congestion, "reno");
}

Test(iperf3_parameters, what_newer_clients_add_is_left_alone)
{
    cr_assert_null(read_text(" { \"later\" : [ 1.5e+3 , { \"udp\" : false } , "
                             "\"\\\"\" ] , \"udp\" : true } "));
    cr_assert(got.is_udp);
    cr_assert_eq(got.streams, 1);
}

Test(iperf3_parameters, hostile_numbers_out_of_range_are_refused)
{
    static const char *const bad[] = {
        "{\"tcp\":true,\"parallel\":0}",
        "{\"tcp\":true,\"parallel\":129}",
        "{\"tcp\":true,\"parallel\":-1}",
        "{\"tcp\":true,\"parallel\":\"8\"}",
        "{\"tcp\":true,\"parallel\":1e9,\"len\":0}",
        "{\"tcp\":true,\"len\":0}",
        "{\"tcp\":true,\"len\":1048577}",
        "{\"udp\":true,\"len\":15}",
        "{\"udp\":true,\"len\":65508}",
        "{\"tcp\":true,\"time\":86401}",
        "{\"tcp\":true,\"omit\":-5}",
        "{\"tcp\":true,\"bandwidth\":-1}",
        "{\"tcp\":true,\"window\":true}",
        "{\"tcp\":true,\"len\":99999999999999999999999999}",
        "{\"tcp\":true,\"congestion\":\"longer-than-any-name-is\"}",
        "{\"tcp\":true,\"congestion\":\"a\\u0000\"}",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not_null(read_text(bad[i]), "%s", bad[i]);
}

Test(iperf3_parameters, hostile_protocols_other_than_one_are_refused)
{
    cr_assert_not_null(read_text("{}"));
    cr_assert_not_null(read_text("{\"sctp\":true}"));
    cr_assert_not_null(read_text("{\"tcp\":true,\"udp\":true}"));
    cr_assert_not_null(read_text("[\"tcp\",true]"));
    cr_assert_not_null(read_text("true"));
}

Test(iperf3_parameters, hostile_text_that_is_no_json_is_refused)
{
    static const char *const bad[] = {
        "",           "{",
        "}",          "{\"a\"}",
        "{\"a\":}",   "{a:1}",
        "{\"a\":1,}", "[1,]",
        "[1 2]",      "\"",
        "\"\\",       "\"\\\"",
        "tru",        "nul",
        "-",          "1.",
        "1e",         ".5",
        "+1",         "{}{}",
        "\"\n\"",     "[1]]",
        "{\"a\":[}",  "{\"a\" 1}",
        "{1:2}",      "[[[[[[[[[1]]]]]]]]]",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        cr_assert_not(is_json(bad[i]), "%s", bad[i]);
}

Test(iperf3_parameters, json_is_taken_as_it_comes)
{
    static const char *const good[] = {
        "0",  "-0", "1e5",   "-1.25E-7", "\"\\\"x\\\\\"", "null",
        "[]", "{}", " [ ] ", "[[[]]]",   "{\"\":0}",      "false",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        cr_assert(is_json(good[i]), "%s", good[i]);
}

Test(iperf3_parameters, members_of_members_are_not_members)
{
    const char *text = "{\"x\":{\"id\":1},\"list\":[{\"id\":7},{\"id\":9}],"
                       "\"id\":5}";
    struct json object, value, entry;
    int64_t number = 0;

    cr_assert(json_parse(text, strlen(text), &object));
    cr_assert(json_member(object, "id", &value));
    cr_assert(json_integer(value, &number));
    cr_assert_eq(number, 5);
    cr_assert(json_member(object, "list", &value));
    cr_assert(json_next(&value, &entry));
    cr_assert(json_next(&value, &entry));
    cr_assert(json_member(entry, "id", &entry) && json_integer(entry, &number));
    cr_assert_eq(number, 9);
    cr_assert_not(json_next(&value, &entry));
    cr_assert_not(json_member(object, "i", &value));
}

Test(iperf3_parameters, every_spoilt_byte_of_a_good_text_does_no_harm)
{
    const char *good = "{\"tcp\":true,\"len\":1000,\"x\":[1,{\"y\":\"\\n\"}]}";
    size_t length = strlen(good);

    for (size_t at = 0; at < length; at++) {
        for (unsigned byte = 0; byte < 256; byte += 3) {
            char *copy = malloc(length);

            memcpy(copy, good, length);
            copy[at] = (char)byte;
            (void)parameters_read(copy, length, &got);
            (void)parameters_read(copy, at, &got);
            free(copy);
        }
    }
}
