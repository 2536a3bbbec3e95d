/* SPDX-License-Identifier: MIT */
/*
 * The resolver against a name server in virtual time.
 * test-links: tests/unit/support_net.c tests/unit/support_dns.c
 * test-links: tests/unit/support_socket.c
 */
#include "tests/unit/support_dns.h"
#include "tests/unit/support_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

TestSuite(dns, .init = dns_world, .timeout = 60);

static uint32_t address_of(size_t i)
{
    return be32_get(ip_address_ipv4(&result.addresses[i]));
}

static bool two_addresses(struct dns_message *message)
{
    put_address(message, 60, 0x01020304);
    put_address(message, 30, 0x05060708);
    set_counts(message, 2, 0);
    return true;
}

Test(dns, name_has_its_addresses)
{
    name_server.answer = two_addresses;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(result.count, 2);
    cr_assert_eq(address_of(0), 0x01020304);
    cr_assert_eq(address_of(1), 0x05060708);
    cr_assert_eq(result.ttl_s, 30);
    cr_assert_str_eq(result.name, "www.example.org");
    cr_assert_eq(name_server.heard, 1);
}

Test(dns, case_and_last_dot_do_not_matter)
{
    name_server.answer = two_addresses;
    cr_assert_eq(look_up("WWW.Example.ORG."), DNS_OK);
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(name_server.heard, 1);
}

Test(dns, answer_is_remembered_for_its_time)
{
    name_server.answer = two_addresses;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    world_run_for(29 * NS_PER_S);
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(name_server.heard, 1);
    cr_assert_leq(result.ttl_s, 1);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(name_server.heard, 2);
}

Test(dns, literals_and_localhost_ask_nobody)
{
    cr_assert_eq(look_up("192.0.2.7"), DNS_OK);
    cr_assert_eq(address_of(0), 0xc0000207);
    cr_assert_eq(look_up("localhost"), DNS_OK);
    cr_assert_eq(address_of(0), 0x7f000001);
    cr_assert_eq(look_up("a.LOCALHOST."), DNS_OK);
    cr_assert_eq(name_server.heard, 0);
}

/* As long as localhost, and behind a dot like it. */
Test(dns, names_that_resemble_localhost_are_asked_for)
{
    size_t heard;

    (void)look_up("a.localhose");
    heard = name_server.heard;
    cr_assert_gt(heard, 0);
    (void)look_up("notlocalhost");
    cr_assert_gt(name_server.heard, heard);
}

Test(dns, names_that_are_none_are_refused)
{
    char label[80];
    char name[300];

    memset(label, 'a', sizeof(label));
    label[64] = '\0';
    cr_assert_eq(look_up(label), DNS_BAD_NAME);
    memset(name, 'a', sizeof(name));
    for (size_t i = 40; i < sizeof(name); i += 40)
        name[i] = '.';
    name[254] = '\0';
    cr_assert_eq(look_up(name), DNS_BAD_NAME);
    cr_assert_eq(look_up(""), DNS_BAD_NAME);
    cr_assert_eq(look_up("."), DNS_BAD_NAME);
    cr_assert_eq(look_up("a..b"), DNS_BAD_NAME);
    cr_assert_eq(look_up(".a"), DNS_BAD_NAME);
    cr_assert_eq(look_up("a b"), DNS_BAD_NAME);
    cr_assert_eq(look_up("a/b"), DNS_BAD_NAME);
    cr_assert_eq(name_server.heard, 0);
}

static bool alias(struct dns_message *message)
{
    /* www.example.org is an alias for web.example.org. */
    size_t at = message->length;

    put_record(message, "\xc0\x0c", 2, 5, 50, "\3web\xc0\x10", 6);
    uint8_t pointer[2] = {0xc0, (uint8_t)(at + 12)};
    put_record(message, (char *)pointer, 2, 1, 60, "\1\2\3\4", 4);
    set_counts(message, 2, 0);
    return true;
}

Test(dns, alias_is_followed)
{
    name_server.answer = alias;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(address_of(0), 0x01020304);
    cr_assert_str_eq(result.name, "web.example.org");
    cr_assert_eq(result.ttl_s, 50);
}

static void put_soa(struct dns_message *message, uint32_t minimum_s)
{
    uint8_t data[22] = {0};

    data[18] = (uint8_t)(minimum_s >> 24);
    data[19] = (uint8_t)(minimum_s >> 16);
    data[20] = (uint8_t)(minimum_s >> 8);
    data[21] = (uint8_t)minimum_s;
    put_record(message, "", 1, 6, 3600, data, sizeof(data));
}

static bool no_such_name(struct dns_message *message)
{
    set_code(message, 3);
    put_soa(message, 20);
    set_counts(message, 0, 1);
    return true;
}

Test(dns, name_that_is_not_there_is_remembered_too)
{
    name_server.answer = no_such_name;
    cr_assert_eq(look_up("nobody.example.org"), DNS_NO_NAME);
    cr_assert_eq(look_up("nobody.example.org"), DNS_NO_NAME);
    cr_assert_eq(name_server.heard, 1);
    world_run_for(21 * NS_PER_S);
    cr_assert_eq(look_up("nobody.example.org"), DNS_NO_NAME);
    cr_assert_eq(name_server.heard, 2);
}

static bool no_data(struct dns_message *message)
{
    put_soa(message, 20);
    set_counts(message, 0, 1);
    return true;
}

Test(dns, name_without_address_is_told_apart)
{
    name_server.answer = no_data;
    cr_assert_eq(look_up("mail.example.org"), DNS_NO_ADDRESS);
}

Test(dns, silence_ends_after_every_server_was_asked_three_times)
{
    uint64_t before = world_now();

    cr_assert_eq(look_up("www.example.org"), DNS_TEMPORARY);
    cr_assert_eq(name_server.heard, 6);
    cr_assert_lt(world_now() - before, 20 * NS_PER_S);
    cr_assert_eq(missing_packets(), 0);
}

static bool only_the_second(struct dns_message *message)
{
    return name_server.server == OTHER_ADDRESS && two_addresses(message);
}

Test(dns, next_server_is_asked)
{
    name_server.answer = only_the_second;
    cr_assert_eq(look_up("www.example.org"), DNS_OK);
    cr_assert_eq(name_server.heard, 2);
}

static bool failure(struct dns_message *message)
{
    set_code(message, 2);
    return true;
}

Test(dns, failing_server_is_left_at_once)
{
    uint64_t before = world_now();

    name_server.answer = failure;
    cr_assert_eq(look_up("www.example.org"), DNS_FAILED);
    cr_assert_eq(name_server.heard, 6);
    cr_assert_lt(world_now() - before, NS_PER_S);
}

static bool nobody_listens(struct dns_message *message)
{
    static struct test_frame frame;
    uint8_t quote[28] = {0x45, 0, 0, 60, 0, 0, 0, 0, 64, 17};

    (void)message;
    memcpy(quote + 12, "\x0a\0\0\1", 4);
    *(struct be32 *)(void *)(quote + 16) = be32_from(name_server.server);
    quote[20] = (uint8_t)(name_server.port >> 8);
    quote[21] = (uint8_t)name_server.port;
    quote[23] = 53;
    make_icmp(&frame, name_server.server, OUR_ADDRESS, 3, 3, 0, quote, 28);
    world_port_send(&peer.port, frame_new(frame.bytes, frame.length));
    return false;
}

Test(dns, unreachable_server_is_left_at_once)
{
    uint64_t before = world_now();

    name_server.answer = nobody_listens;
    cr_assert_eq(look_up("www.example.org"), DNS_TEMPORARY);
    cr_assert_lt(world_now() - before, NS_PER_S);
}

Test(dns, without_a_server_it_says_so)
{
    struct ip_address none = mapped(0);

    dns_set_servers(&device->netif, &none, 0);
    cr_assert_eq(look_up("www.example.org"), DNS_NOT_STARTED);
}

static struct dns_query *queries[40];
static size_t answered;

static void count_answer(void *context, const struct dns_result *given)
{
    (void)context;
    (void)given;
    answered++;
}

Test(dns, many_questions_at_once_are_bounded)
{
    struct dns_result given;
    size_t pending = 0;
    char name[] = "a00.example.org";

    name_server.answer = two_addresses;
    (void)world_enter(stack);
    for (int i = 0; i < 40; i++) {
        name[1] = (char)('0' + i / 10);
        name[2] = (char)('0' + i % 10);
        enum dns_status status = dns_query_address(
            name, count_answer, NULL, &queries[i], &given, world_now());

        if (status == DNS_PENDING)
            pending++;
        else
            cr_assert_eq(status, DNS_TEMPORARY);
    }
    world_leave(stack);
    world_run_for(2 * NS_PER_S);
    cr_assert_eq(pending, DNS_QUERIES_MAX);
    cr_assert_eq(answered, pending);
}

Test(dns, cancelled_question_calls_nobody)
{
    struct dns_result given;

    name_server.answer = two_addresses;
    (void)world_enter(stack);
    cr_assert_eq(dns_query_address("www.example.org", count_answer, NULL,
                                   &queries[0], &given, world_now()),
                 DNS_PENDING);
    dns_cancel(queries[0]);
    world_leave(stack);
    world_run_for(60 * NS_PER_S);
    cr_assert_eq(answered, 0);
    cr_assert_eq(missing_packets(), 0);
}

static bool pointer(struct dns_message *message)
{
    put_record(message, "\xc0\x0c", 2, 12, 60, "\4host\7example\0", 14);
    set_counts(message, 1, 0);
    return true;
}

static void keep(void *context, const struct dns_result *given)
{
    (void)context;
    result = *given;
    is_done = true;
}

Test(dns, address_has_its_name)
{
    struct ip_address address = mapped(0x01020304);

    name_server.answer = pointer;
    (void)world_enter(stack);
    cr_assert_eq(
        dns_query_name(&address, keep, NULL, &queries[0], &result, world_now()),
        DNS_PENDING);
    world_leave(stack);
    world_run_for(NS_PER_S);
    cr_assert(is_done);
    cr_assert_eq(result.status, DNS_OK);
    cr_assert_str_eq(result.name, "host.example");
}

Test(dns, the_call_waits_and_tells_the_addresses_or_why_there_is_none)
{
    uint8_t addresses[3][4] = {{0}};

    socket_world_use(stack);
    name_server.answer = two_addresses;
    cr_assert_eq(socket_resolve("www.example.org", addresses, 3), 2);
    cr_assert_arr_eq(addresses[0], "\1\2\3\4", 4);
    cr_assert_arr_eq(addresses[1], "\5\6\7\10", 4);
    memset(addresses, 0, sizeof(addresses));
    cr_assert_eq(socket_resolve("www.example.org", addresses, 1), 1);
    cr_assert_eq(addresses[1][0], 0);
    cr_assert_eq(name_server.heard, 1);
    name_server.answer = NULL;
    cr_assert_eq(socket_resolve("other.example.org", addresses, 3), -EAGAIN);
}
