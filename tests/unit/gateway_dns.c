/* SPDX-License-Identifier: MIT */
/*
 * The forwarder's parts that need no network: reading and writing messages,
 * what is answered from here, whom to ask, what is kept.
 * test-links: apps/gateway/dns_message.c apps/gateway/dns_local.c
 * test-links: apps/gateway/dns_cache.c apps/gateway/lease.c
 * test-links: apps/gateway/config.c apps/gateway/words.c
 * test-links: apps/gateway/config_dhcp.c apps/gateway/config_dns.c
 */
#include "apps/gateway/dns_cache.h"
#include "apps/gateway/dns_local.h"
#include "apps/gateway/lease.h"

#include <criterion/criterion.h>
#include <string.h>

static struct config config;
static struct dns_place place = {&config, "gateway", 0xc0a84d01, 0xffffff00};
static uint8_t reply[2048];
static uint8_t message[2048];
static struct dns_query query;

static void report(void *context, unsigned line, unsigned column,
                   const char *text)
{
    (void)context;
    cr_assert_fail("%u:%u: %s", line, column, text);
}

static void configure(const char *text)
{
    config_set_defaults(&config);
    config_parse(&config, text, strlen(text), report, NULL);
}

static void start(void)
{
    configure("domain=lan\nlocal=/lan/\ndomain-needed\nbogus-priv\n"
              "dhcp-range=192.168.77.100,192.168.77.199\n"
              "dhcp-host=02:00:00:00:00:05,192.168.77.5,printer\n");
    cr_assert(leases_start(&config, place.own_address, place.netmask));
    cr_assert(dns_cache_start(3));
}

static void stop(void)
{
    leases_stop();
    dns_cache_stop();
    config_free(&config);
}

TestSuite(gateway_dns, .init = start, .fini = stop);

static size_t ask_bytes(const char *name, unsigned type)
{
    size_t at = DNS_HEAD_SIZE;

    memset(message, 0, sizeof(message));
    memcpy(message, "\x12\x34\x01\x00\x00\x01", 6);
    at += dns_name_from_text(name, message + at);
    message[at + 1] = (uint8_t)type;
    message[at + 3] = 1;
    return at + 4;
}

static size_t ask(const char *name, unsigned type)
{
    enum dns_code code;
    size_t length = ask_bytes(name, type);

    cr_assert_eq(dns_query_parse(message, length, &query, &code),
                 DNS_QUERY_FINE);
    return dns_local_answer(&place, message, &query, 100, reply);
}

static unsigned code_of(const uint8_t *bytes)
{
    return bytes[3] & 15;
}

/* One record: the address. */
static uint32_t address_of(size_t length)
{
    cr_assert_gt(length, 16);
    cr_assert_eq(reply[7], 1, "one answer");
    return (uint32_t)reply[length - 4] << 24 |
           (uint32_t)reply[length - 3] << 16 |
           (uint32_t)reply[length - 2] << 8 | reply[length - 1];
}

Test(gateway_dns, hosts_of_the_lan_are_answered_from_here)
{
    struct lease_client client = {
        .key = {1, 2}, .key_length = 2, .hardware = {2, 0, 0, 0, 0, 7}};
    struct lease *lease = lease_offer(&client, 100);
    uint32_t address = lease->address;

    lease_bind(lease, 3600, 100);
    strcpy(lease->host, "laptop");
    cr_assert_eq(address_of(ask("laptop", DNS_A)), address);
    cr_assert_eq(address_of(ask("laptop.lan", DNS_A)), address);
    cr_assert_eq(address_of(ask("gateway.lan", DNS_A)), 0xc0a84d01);
    cr_assert_eq(address_of(ask("printer.lan", DNS_A)), 0xc0a84d05);
    cr_assert_eq(address_of(ask("localhost", DNS_A)), 0x7f000001);
    cr_assert_neq(ask("laptop", DNS_AAAA), 0);
    cr_assert_eq(code_of(reply), DNS_NO_ERROR);
    cr_assert_eq(reply[7], 0);
}

Test(gateway_dns, addresses_of_the_lan_have_names)
{
    size_t length = ask("5.77.168.192.in-addr.arpa", DNS_PTR);

    cr_assert_neq(length, 0);
    cr_assert_eq(memcmp(reply + length - 13, "\7printer\3lan", 13), 0);
    cr_assert_neq(ask("200.77.168.192.in-addr.arpa", DNS_PTR), 0);
    cr_assert_eq(code_of(reply), DNS_NO_SUCH_NAME);
    cr_assert_neq(ask("1.0.0.10.in-addr.arpa", DNS_PTR), 0);
    cr_assert_eq(code_of(reply), DNS_NO_SUCH_NAME);
    cr_assert_eq(ask("8.8.8.8.in-addr.arpa", DNS_PTR), 0);
}

Test(gateway_dns, what_belongs_here_does_not_leave)
{
    cr_assert_neq(ask("nobody.lan", DNS_A), 0);
    cr_assert_eq(code_of(reply), DNS_NO_SUCH_NAME);
    cr_assert_neq(ask("plain", DNS_A), 0);
    cr_assert_eq(code_of(reply), DNS_NO_SUCH_NAME);
    cr_assert_eq(ask("example.com", DNS_A), 0);
    cr_assert_eq(ask("notlan", 16), 0, "only addresses need a domain");
}

Test(gateway_dns, the_longest_domain_of_the_file_wins)
{
    struct config_server servers[4];

    configure("server=1.1.1.1\nserver=/corp/10.0.0.1\n"
              "server=/deep.corp/10.0.0.2\nserver=/deep.corp/10.0.0.3\n"
              "address=/ads.example/\naddress=/ok.ads.example/10.9.9.9\n");
    ask("a.deep.corp", DNS_A);
    cr_assert_eq(dns_local_servers(&config, &query.question, servers, 4), 2);
    cr_assert_eq(servers[1].address, 0x0a000003);
    ask("corp", DNS_A);
    cr_assert_eq(dns_local_servers(&config, &query.question, servers, 4), 1);
    cr_assert_eq(servers[0].address, 0x0a000001);
    ask("mycorp", DNS_A);
    cr_assert_eq(dns_local_servers(&config, &query.question, servers, 4), 1);
    cr_assert_eq(servers[0].address, 0x01010101);
    cr_assert_neq(ask("x.ads.example", DNS_A), 0);
    cr_assert_eq(code_of(reply), DNS_NO_SUCH_NAME);
    cr_assert_eq(address_of(ask("x.ok.ads.example", DNS_A)), 0x0a090909);
}

/* ---- answers of others --------------------------------------------------- */

/* An answer with one A record of this TTL, and an OPT record behind it. */
static size_t answer_with(const char *name, uint32_t ttl_s)
{
    size_t length = ask_bytes(name, DNS_A);

    message[2] |= 0x80;
    length = dns_reply_record(message, length, DNS_A, ttl_s, "\1\2\3\4", 4);
    return dns_reply_edns(message, length, 0);
}

Test(gateway_dns, an_answer_is_checked_and_loses_its_edns_record)
{
    size_t length = answer_with("example.com", 300);
    struct dns_answer answer;
    enum dns_code code;

    ask_bytes("example.com", DNS_A);
    dns_query_parse(message, 29, &query, &code);
    length = answer_with("example.com", 300);
    cr_assert(
        dns_answer_parse(message, length, 0x1234, &query.question, &answer));
    cr_assert_eq(answer.length, length - 11);
    cr_assert_eq(answer.ttl_s, 300);
    cr_assert(answer.may_be_kept);
    cr_assert_eq(message[11], 0);
}

static size_t add_record(size_t at, unsigned section, unsigned type,
                         uint32_t ttl_s, const void *bytes, size_t length)
{
    size_t end =
        dns_reply_record(message, at, (uint16_t)type, ttl_s, bytes, length);

    message[7]--;
    message[section]++;
    return end;
}

/* RFC 2308 2.1, 5: a name that is not there may be reached by another that
 * is. */
Test(gateway_dns, what_an_alias_does_not_lead_to_is_kept_as_long_as_it_may)
{
    uint8_t soa[22] = {0, 0};
    struct dns_answer answer;
    enum dns_code code;
    size_t length = ask_bytes("www.example.com", DNS_A);

    soa[21] = 60; /* MINIMUM */
    dns_query_parse(message, length, &query, &code);
    message[2] |= 0x80;
    message[3] = DNS_NO_SUCH_NAME;
    length = add_record(length, 7, 5, 300, "\1x\0", 3);
    length = add_record(length, 9, DNS_SOA, 3600, soa, sizeof(soa));
    cr_assert(
        dns_answer_parse(message, length, 0x1234, &query.question, &answer));
    cr_assert(answer.may_be_kept);
    cr_assert_eq(answer.ttl_s, 60);
}

/* RFC 6891 6.1.1. */
Test(gateway_dns, a_question_with_two_edns_records_is_malformed)
{
    enum dns_code code;
    size_t length = ask_bytes("example.com", DNS_A);

    length = dns_reply_edns(message, length, 0);
    cr_assert_eq(dns_query_parse(message, length, &query, &code),
                 DNS_QUERY_FINE);
    length = dns_reply_edns(message, length, 0);
    cr_assert_eq(dns_query_parse(message, length, &query, &code),
                 DNS_QUERY_ERROR);
    cr_assert_eq(code, DNS_FORMAT_ERROR);
}

/* RFC 6891 6.1.3: whatever else a later version may bring. */
Test(gateway_dns, a_question_of_a_later_edns_is_told_our_version)
{
    static const uint8_t expected[11] = {0, 0, 41, 4, 0xd0, 1, 0, 0x80, 0, 0};
    enum dns_code code;
    size_t length = ask_bytes("example.com", DNS_A);
    size_t end = dns_reply_edns(message, length, 0x018000);
    uint8_t answer[100];

    cr_assert_eq(dns_query_parse(message, end, &query, &code), DNS_QUERY_ERROR);
    end = dns_reply_empty(answer, message, &query, code);
    cr_assert_eq(code_of(answer), 0, "the low bits of 16");
    cr_assert_eq(dns_reply_edns(answer, end, query.edns), end + 11);
    cr_assert_arr_eq(answer + end, expected, sizeof(expected));
    message[length + 6] = 255;
    cr_assert_eq(dns_query_parse(message, length + 11, &query, &code),
                 DNS_QUERY_ERROR);
    message[length + 6] = 0;
    cr_assert_eq(dns_query_parse(message, length + 11, &query, &code),
                 DNS_QUERY_FINE);
    cr_assert_eq(query.edns, 0x8000);
}

/* RFC 6761 6.3. */
Test(gateway_dns, what_is_below_localhost_is_this_host)
{
    cr_assert_eq(address_of(ask("a.localhost", DNS_A)), 0x7f000001);
}

Test(gateway_dns, hostile_D4_answers_to_something_else_are_not_taken)
{
    struct dns_answer answer;
    enum dns_code code;
    size_t length;

    ask_bytes("example.com", DNS_A);
    dns_query_parse(message, 29, &query, &code);
    length = answer_with("example.com", 300);
    cr_assert_not(
        dns_answer_parse(message, length, 0x1235, &query.question, &answer));
    length = answer_with("example.net", 300);
    cr_assert_not(
        dns_answer_parse(message, length, 0x1234, &query.question, &answer));
    length = answer_with("example.com", 300);
    message[2] &= 0x7f;
    cr_assert_not(
        dns_answer_parse(message, length, 0x1234, &query.question, &answer));
}

Test(gateway_dns, hostile_D3_no_cut_of_an_answer_is_taken)
{
    struct dns_answer answer;
    enum dns_code code;
    uint8_t whole[128];
    size_t length;

    ask_bytes("example.com", DNS_A);
    dns_query_parse(message, 29, &query, &code);
    length = answer_with("example.com", 300);
    memcpy(whole, message, length);
    for (size_t cut = 0; cut < length; cut++) {
        memcpy(message, whole, length);
        cr_assert_not(
            dns_answer_parse(message, cut, 0x1234, &query.question, &answer),
            "%zu", cut);
    }
}

Test(gateway_dns, hostile_D1_a_question_with_a_pointer_is_malformed)
{
    enum dns_code code;
    size_t length = ask_bytes("example.com", DNS_A);

    message[DNS_HEAD_SIZE] = 0xc0;
    message[DNS_HEAD_SIZE + 1] = 0;
    cr_assert_eq(dns_query_parse(message, length, &query, &code),
                 DNS_QUERY_ERROR);
    cr_assert_eq(code, DNS_FORMAT_ERROR);
}

Test(gateway_dns, hostile_D2_names_that_are_too_long_are_malformed)
{
    enum dns_code code;

    memset(message, 0, sizeof(message));
    memcpy(message, "\x12\x34\x01\x00\x00\x01", 6);
    for (size_t i = 0; i < 5; i++)
        message[DNS_HEAD_SIZE + 64 * i] = 63;
    cr_assert_eq(dns_query_parse(message, 600, &query, &code), DNS_QUERY_ERROR);
    message[DNS_HEAD_SIZE] = 64;
    cr_assert_eq(dns_query_parse(message, 600, &query, &code), DNS_QUERY_ERROR);
}

Test(gateway_dns, a_response_is_never_answered)
{
    enum dns_code code;
    size_t length = ask_bytes("example.com", DNS_A);

    message[2] |= 0x80;
    cr_assert_eq(dns_query_parse(message, length, &query, &code),
                 DNS_QUERY_DROP);
}

/* ---- keeping ------------------------------------------------------------- */

static struct dns_question question(const char *name)
{
    enum dns_code code;
    struct dns_query parsed;

    dns_query_parse(message, ask_bytes(name, DNS_A), &parsed, &code);
    return parsed.question;
}

static void keep(const char *name, uint32_t ttl_s, uint64_t now_s)
{
    struct dns_question asked = question(name);
    size_t length = answer_with(name, ttl_s) - 11;

    message[11] = 0;
    dns_cache_add(&asked, message, length, ttl_s, now_s);
}

static const uint8_t *find(const char *name, uint64_t now_s)
{
    struct dns_question asked = question(name);
    size_t length;

    return dns_cache_find(&asked, now_s, &length);
}

Test(gateway_dns, what_is_kept_grows_old_and_is_forgotten)
{
    const uint8_t *kept;

    keep("a.example", 300, 1000);
    kept = find("A.Example", 1100);
    cr_assert_not_null(kept);
    cr_assert_eq(kept[DNS_HEAD_SIZE + 15 + 6 + 3], 200);
    cr_assert_null(find("a.example", 1300));
    cr_assert_eq(dns_cache_count(), 0);
}

/* RFC 1034 6.2.1: what comes from a cache is no authority's word. */
Test(gateway_dns, a_kept_answer_has_not_the_authoritys_bit)
{
    struct dns_question asked = question("a.example");
    size_t length = answer_with("a.example", 300) - 11;

    message[11] = 0;
    message[2] |= 4;
    dns_cache_add(&asked, message, length, 300, 0);
    cr_assert_eq(find("a.example", 0)[2] & 4, 0);
}

Test(gateway_dns, the_longest_unasked_goes_first)
{
    keep("a.example", 300, 0);
    keep("b.example", 300, 0);
    keep("c.example", 300, 0);
    cr_assert_not_null(find("a.example", 1));
    keep("d.example", 300, 1);
    cr_assert_null(find("b.example", 1));
    cr_assert_not_null(find("a.example", 1));
    cr_assert_eq(dns_cache_count(), 3);
}

Test(gateway_dns, an_answer_without_time_is_not_kept)
{
    keep("a.example", 0, 0);
    cr_assert_null(find("a.example", 0));
}
