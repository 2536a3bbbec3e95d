/* SPDX-License-Identifier: MIT */
/*
 * What is read out of dnsmasq.conf, and what is said about a line that cannot
 * be read.
 * test-links: apps/gateway/config.c apps/gateway/words.c
 * test-links: apps/gateway/config_dhcp.c apps/gateway/config_dns.c
 */
#include "apps/gateway/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct config config;
static char said[512];
static unsigned said_count;

static void report(void *context, unsigned line, unsigned column,
                   const char *message)
{
    (void)context;
    said_count++;
    snprintf(said, sizeof(said), "%u:%u: %s", line, column, message);
}

static unsigned parse(const char *text)
{
    config_set_defaults(&config);
    said_count = 0;
    said[0] = '\0';
    return config_parse(&config, text, strlen(text), report, NULL);
}

static void is_refused_at(const char *text, unsigned line, unsigned column)
{
    char place[32];

    cr_assert_eq(parse(text), 1, "%s", text);
    snprintf(place, sizeof(place), "%u:%u: ", line, column);
    cr_assert(strncmp(said, place, strlen(place)) == 0, "%s: %s", text, said);
    config_free(&config);
}

Test(gateway_config, a_time_offset_may_be_west_of_greenwich)
{
    cr_assert_eq(parse("dhcp-option=option:time-offset,-3600\n"), 0);
    cr_assert_eq(memcmp(config.options[0].bytes, "\xff\xff\xf1\xf0", 4), 0);
    config_free(&config);
    is_refused_at("dhcp-option=option:time-offset,-\n", 1, 32);
    is_refused_at("dhcp-option=option:mtu,-1400\n", 1, 24);
}

Test(gateway_config, a_usual_file_is_understood)
{
    cr_assert_eq(parse("# the LAN\n"
                       "interface=eth1\n"
                       "domain = lan   # ours\n"
                       "dhcp-range=192.168.77.100,192.168.77.199,"
                       "255.255.255.0,12h\r\n"
                       "dhcp-host=52:54:00:aa:BB:cc,192.168.77.5,Printer,"
                       "infinite\n"
                       "dhcp-host=52:54:00:aa:bb:dd,ignore\n"
                       "dhcp-option=option:ntp-server,192.168.77.1,10.0.0.1\n"
                       "dhcp-option=26,1400\n"
                       "server=9.9.9.9\n"
                       "server=/corp.example/10.1.2.3#5353\n"
                       "local=/lan/\n"
                       "address=/ads.example/tracker.example/\n"
                       "address=/nas.lan/192.168.77.9\n"
                       "cache-size=500\n"
                       "dhcp-authoritative\n"
                       "no-resolv"),
                 0, "%s", said);
    cr_assert_str_eq(config.device, "eth1");
    cr_assert_str_eq(config.domain, "lan");
    cr_assert_eq(config.range_count, 1);
    cr_assert_eq(config.ranges[0].first, 0xc0a84d64);
    cr_assert_eq(config.ranges[0].last, 0xc0a84dc7);
    cr_assert_eq(config.ranges[0].netmask, 0xffffff00);
    cr_assert_eq(config.ranges[0].lease_s, 43200);
    cr_assert_eq(config.host_count, 2);
    cr_assert_str_eq(config.hosts[0].name, "printer");
    cr_assert_eq(config.hosts[0].hardware[4], 0xbb);
    cr_assert_eq(config.hosts[0].lease_s, CONFIG_LEASE_INFINITE);
    cr_assert(config.hosts[1].is_ignored);
    cr_assert_eq(config.option_count, 2);
    cr_assert_eq(config.options[0].code, 42);
    cr_assert_eq(config.options[0].length, 8);
    cr_assert_eq(config.options[1].length, 2);
    cr_assert_eq(config.options[1].bytes[0], 1400 >> 8);
    cr_assert_eq(config.server_count, 3);
    cr_assert_eq(config.servers[1].port, 5353);
    cr_assert_str_eq(config.servers[1].domain, "corp.example");
    cr_assert_eq(config.servers[2].address, 0);
    cr_assert_eq(config.address_count, 3);
    cr_assert_eq(config.addresses[0].address, 0);
    cr_assert_eq(config.addresses[2].address, 0xc0a84d09);
    cr_assert_eq(config.cache_size, 500);
    cr_assert(config.is_authoritative && config.ignores_uplink);
    config_free(&config);
}

Test(gateway_config, an_error_names_line_and_column)
{
    is_refused_at("\n\ndhcp-rnage=1.2.3.4,1.2.3.5\n", 3, 1);
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.400\n", 1, 20);
    is_refused_at("dhcp-range=1.2.3.9,1.2.3.4\n", 1, 20);
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.5,255.0.255.0\n", 1, 28);
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.5,12x\n", 1, 28);
    is_refused_at("  dhcp-host=52:54:00:aa:bb,1.2.3.4", 1, 13);
    is_refused_at("dhcp-host=52:54:00:aa:bb:cc,no.dots", 1, 29);
    is_refused_at("dhcp-option=option:router,nobody", 1, 27);
    is_refused_at("dhcp-option=53,1", 1, 13);
    is_refused_at("server=/x/1.2.3.4#0", 1, 19);
    is_refused_at("server=/1.2.3.4", 1, 9);
    is_refused_at("address=1.2.3.4", 1, 9);
    is_refused_at("address=/a..b/1.2.3.4", 1, 10);
    is_refused_at("cache-size=many", 1, 12);
    is_refused_at("cache-size=99999999999999999999", 1, 12);
    is_refused_at("no-resolv=yes", 1, 10);
    is_refused_at("domain", 1, 7);
}

Test(gateway_config, a_hardware_address_has_twelve_digits_and_five_colons)
{
    char text[] = "dhcp-host=52:54:00:aa:bb:cc,1.2.3.4";

    cr_assert_eq(parse(text), 0);
    config_free(&config);
    for (size_t i = 10; i < 27; i++) {
        char before = text[i];

        text[i] = before == ':' ? '0' : 'g';
        is_refused_at(text, 1, 11);
        text[i] = before;
    }
}

/* As dnsmasq: a comma at the end may stand where a word may be missing. */
Test(gateway_config, a_comma_has_a_word_behind_it_where_dnsmasq_wants_one)
{
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.5,1h,", 1, 31);
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.5,255.255.255.0,1.2.3.255,1h,", 1,
                  55);
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.5,,", 1, 28);
    is_refused_at("dhcp-range=1.2.3.4,1.2.3.5,255.255.255.0,1.2.3.255,1.2.3.6",
                  1, 52);
    is_refused_at("dhcp-option=3,", 1, 15);
    is_refused_at("dhcp-option=3,1.2.3.4,", 1, 23);
    is_refused_at("dhcp-option=3,1.2.3.4,,1.2.3.5", 1, 23);
    is_refused_at("dhcp-option=200,1.2.3.4,", 1, 25);
    is_refused_at("dhcp-option=26,1400,", 1, 21);
    is_refused_at("dhcp-option=26,1400,1500", 1, 21);
    cr_assert_eq(parse("dhcp-range=1.2.3.4,1.2.3.5,\n"
                       "dhcp-range=1.2.3.4,1.2.3.5,255.255.255.0,\n"
                       "dhcp-range=1.2.3.4,1.2.3.5,255.255.255.0,1.2.3.255,\n"
                       "dhcp-host=52:54:00:aa:bb:cc,,1.2.3.4,,name,\n"
                       "dhcp-option=26,\n"
                       "dhcp-option=15,\n"),
                 0, "%s", said);
    cr_assert_str_eq(config.hosts[0].name, "name");
    cr_assert_eq(config.options[0].length, 0);
    cr_assert_eq(config.options[1].length, 0);
    config_free(&config);
}

static void is_option(size_t i, const char *text)
{
    cr_assert_eq(config.options[i].length, strlen(text), "%zu", i);
    cr_assert_eq(memcmp(config.options[i].bytes, text, strlen(text)), 0);
}

Test(gateway_config, text_keeps_its_commas_and_loses_its_quotes)
{
    cr_assert_eq(parse("domain=\"lan\"\n"
                       "cache-size = \"7\"  # \"\n"
                       "dhcp-host=52:54:00:aa:bb:cc,\"name\"\n"
                       "dhcp-option=15,\"lan\"\n"
                       "dhcp-option=67,\"a # b, c\"\n"
                       "dhcp-option=67,a,b\n"
                       "dhcp-option=67,\"a\" , \"b\",\n"
                       "dhcp-option=66,\"1.2.3.4\"\n"
                       "dhcp-option=200,1.2.3.4,text\n"
                       "dhcp-option=200,1.2.3.4,1.2.3.5\n"),
                 0, "%s", said);
    cr_assert_str_eq(config.domain, "lan");
    cr_assert_eq(config.cache_size, 7);
    cr_assert_str_eq(config.hosts[0].name, "name");
    is_option(0, "lan");
    is_option(1, "a # b, c");
    is_option(2, "a,b");
    is_option(3, "a,b,");
    is_option(4, "1.2.3.4");
    is_option(5, "1.2.3.4,text");
    is_option(6, "\1\2\3\4\1\2\3\5");
    config_free(&config);
}

Test(gateway_config, a_quote_is_closed_and_holds_a_whole_word)
{
    is_refused_at("dhcp-option=15,\"lan", 1, 16);
    is_refused_at("dhcp-option=15,lan\"", 1, 19);
    is_refused_at("dhcp-option=15,la\"n", 1, 18);
    is_refused_at("dhcp-option=15,la\"n b\"", 1, 18);
    is_refused_at("dhcp-option=15,\"la\"n", 1, 19);
    is_refused_at("dhcp-option=15,\"la\\n\"", 1, 19);
    is_refused_at("domain=\"lan", 1, 8);
    is_refused_at("\"no-resolv\"", 1, 1);
    is_refused_at("domain=lan # x\n\"", 2, 1);
    /* What is quoted is text (dnsmasq says the same). */
    is_refused_at("dhcp-option=3,\"1.2.3.4\"", 1, 16);
    is_refused_at("dhcp-range=\"1.2.3.4\",1.2.3.5", 1, 13);
    is_refused_at("dhcp-host=\"52:54:00:aa:bb:cc\"", 1, 12);
}

Test(gateway_config, a_tab_is_a_blank)
{
    cr_assert_eq(parse("\tdomain\t=\tlan\t# ours\n"), 0, "%s", said);
    cr_assert_str_eq(config.domain, "lan");
    config_free(&config);
}

Test(gateway_config, a_bad_line_does_not_take_the_others_with_it)
{
    cr_assert_eq(parse("domain=lan\nnonsense\ncache-size=7\nserver=/a/b/x\n"
                       "bogus-priv\n"),
                 2);
    cr_assert_str_eq(config.domain, "lan");
    cr_assert_eq(config.cache_size, 7);
    cr_assert(config.keeps_private);
    cr_assert_eq(config.server_count, 0);
}

Test(gateway_config, more_than_there_is_room_for_is_said)
{
    static char text[64 * (CONFIG_RANGES_MAX + 1)];

    for (int i = 0; i <= CONFIG_RANGES_MAX; i++)
        strcat(text, "dhcp-range=10.0.0.1,10.0.0.9\n");
    cr_assert_eq(parse(text), 1);
    cr_assert_eq(config.range_count, CONFIG_RANGES_MAX);
}

Test(gateway_config, short_leases_become_two_minutes)
{
    cr_assert_eq(parse("dhcp-range=1.2.3.4,1.2.3.9,5s"), 0);
    cr_assert_eq(config.ranges[0].lease_s, CONFIG_LEASE_MIN_S);
}
