/* SPDX-License-Identifier: MIT */
/*
 * Rule files: errors by place, atomic replacement, counters, large sets.
 * (What rules mean is compared with Linux's nftables: tests/rules.)
 * test-links: tests/unit/support_filter.c
 */
#include "tests/unit/support_filter.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(rules, .init = start_filter, .timeout = 60);

static struct rules_error error;

static bool is_refused(const char *text)
{
    return rules_load("f.nft", text, strlen(text), &error) != 0;
}

static enum path_end fate(uint32_t source)
{
    struct test_packet packet = udp_packet(source, 1, SERVER, 2);

    return from_lan(&packet)->end;
}

#define DROP_ALL                                                               \
    "table ip t { chain c { type filter hook forward priority 0\n"             \
    "counter drop } }"

Test(rules, error_names_file_line_column_and_what_was_expected)
{
    cr_assert(is_refused("table ip t {\n  chain c {\n    tcp dport x drop\n"));
    cr_assert_eq(error.line, 3);
    cr_assert_eq(error.column, 15);
    cr_assert_str_eq(error.text,
                     "f.nft:3:15: expected a port (0 to 65535) or a service, "
                     "found 'x'");
}

Test(rules, errors_within_a_definition_name_its_place)
{
    cr_assert(is_refused("define p = { 1,\n  zzz }\ntable ip t {\n chain c {\n"
                         "tcp dport $p drop\n} }\n"));
    cr_assert_eq(error.line, 2);
    cr_assert_eq(error.column, 3);
}

/* In a chain of that beginning; what nft 1.0.6 says of each is in
 * docs/firewall.md. */
static void assert_refused_at(unsigned column, const char *beginning,
                              const char *rule)
{
    char text[500];

    snprintf(text, sizeof(text), "table inet t {\nchain c {\n%s\n%s\n}\n}\n",
             beginning, rule);
    cr_expect(is_refused(text), "%s", rule);
    cr_expect_eq(error.column, column, "%s: %s", rule, error.text);
}

Test(rules, what_nft_refuses_is_refused)
{
    static const char filter[] = "type filter hook input priority 0;";
    static const char nat[] = "type nat hook prerouting priority -100;";

    assert_refused_at(14, filter, "tcp dport 80 udp dport 81 accept");
    assert_refused_at(17, filter, "ip protocol udp icmp type 8 accept");
    assert_refused_at(21, filter, "udp dport 80 reject with tcp reset");
    assert_refused_at(12, filter, "limit rate until 5/second accept");
    assert_refused_at(29, filter, "limit rate 5/second burst 0 packets accept");
    assert_refused_at(1, nat, "dnat to 192.168.1.2");
    assert_refused_at(14, nat,
                      "tcp dport 80 dnat to ip saddr map { * : 1.2.3.4 }");
    assert_refused_at(33, "type filter hook input priority dstnat;", "accept");
    assert_refused_at(35, "type filter hook forward priority srcnat;",
                      "accept");
    assert_refused_at(6, "type route hook input priority 0;", "accept");
    assert_refused_at(33, "type filter hook input priority +5;", "accept");
}

Test(rules, what_two_protocols_have_to_say_in_one_rule_is_refused)
{
    static const char filter[] = "type filter hook input priority 0;";

    assert_refused_at(22, filter, "meta l4proto { tcp } udp dport 5 accept");
    assert_refused_at(26, filter, "ip protocol { tcp, udp } tcp dport 5 drop");
    assert_refused_at(19, filter, "meta nfproto ipv6 ip saddr 1.2.3.4 accept");
    assert_refused_at(23, filter, "meta nfproto { ipv6 } icmp type 8 accept");
    assert_refused_at(31, filter,
                      "meta nfproto ipv6 reject with icmp port-unreachable");
}

Test(rules, words_end_where_those_of_nft_end)
{
    static const char filter[] = "type filter hook input priority 0;";

    assert_refused_at(11, filter, "tcp flags syn/syn,ack accept");
    assert_refused_at(21, filter, "tcp flags syn / syn accept");
    assert_refused_at(24, filter, "ip saddr . tcp dport { 1.2.3.4.80 } accept");
    assert_refused_at(24, filter, "iifname . oifname { lo.\"lo\" } accept");
    assert_refused_at(9, filter, "iifname accept");
    assert_refused_at(11, filter, "iifname > eth0 accept");
    assert_refused_at(9, filter, "iifname \"\" accept");
    assert_refused_at(9, filter, "iifname \"*\" accept");
    assert_refused_at(12, filter, "iifname \"a\"-\"b\" accept");
    assert_refused_at(19, filter, "ip saddr { 1.2.3.4; 1.2.3.5 } accept");
}

Test(rules, numbers_are_read_as_nft_reads_them)
{
    static const char filter[] = "type filter hook input priority 0;";
    struct test_packet eight = udp_packet(CLIENT, 1, SERVER, 8);

    assert_refused_at(11, filter, "tcp dport 09 accept");
    assert_refused_at(11, filter, "tcp dport 0x accept");
    assert_refused_at(10, filter, "ip saddr 010.0.0.1 accept");
    assert_refused_at(10, filter, "ip ttl { 300 } accept");
    assert_refused_at(14, filter, "ip version & 48 == 0 accept");
    load("table ip t { chain c { type filter hook forward priority 0\n"
         "udp dport 010 drop\n} }");
    cr_assert_eq(from_lan(&eight)->end, PATH_REFUSED);
}

Test(rules, statements_that_nft_refuses_are_refused)
{
    static const char filter[] = "type filter hook input priority 0;";
    static const char nat[] = "type nat hook prerouting priority -100;";

    assert_refused_at(12, filter, "log prefix \"from $lan\" accept");
    assert_refused_at(24, filter, "log group 2 level info accept");
    assert_refused_at(22, nat, "meta nfproto != ipv4 dnat to 0.0.0.0");
    assert_refused_at(25, nat, "tcp dport 80 dnat ip to :81");
    assert_refused_at(6, nat,
                      "dnat addr . port to tcp dport map { 1 : "
                      "1.2.3.4 . 5 }");
    assert_refused_at(14, nat,
                      "tcp dport 80 dnat ip addr . port to tcp dport "
                      "map { 1 : 1.2.3.4 }");
    assert_refused_at(32, nat,
                      "dnat ip to numgen random mod 1 seed 5 map "
                      "{ 0 : 1.2.3.4 }");
    assert_refused_at(27, nat, "dnat ip to 1.2.3.4 random,");
    assert_refused_at(31, nat, "meta l4proto 1-17 redirect to :80");
}

/* A whole file, and where it is wrong. */
static void assert_file_refused_at(unsigned line, unsigned column,
                                   const char *text)
{
    cr_expect(is_refused(text), "%s", text);
    cr_expect_eq(error.line, line, "%s: %s", text, error.text);
    cr_expect_eq(error.column, column, "%s: %s", text, error.text);
}

Test(rules, a_step_is_refused_where_its_hook_cannot_do_it)
{
    assert_file_refused_at(2, 1,
                           "table ip t { chain a {\ndnat to 1.2.3.4; }\n"
                           "chain c { type filter hook input priority 0\n"
                           "jump a; } }");
    assert_file_refused_at(
        2, 2,
        "table ip t { chain a {\n masquerade; }\nchain b { "
        "goto a; }\nchain c { type nat hook prerouting "
        "priority 0\nip saddr vmap { 1.2.3.4 : jump b }\n}}");
    assert_file_refused_at(2, 1,
                           "table ip t { chain c { type filter hook "
                           "postrouting priority 0\nreject; } }");
    assert_file_refused_at(
        2, 1,
        "table ip t { chain c { type filter hook input "
        "priority 0\ntcp option maxseg size set rt mtu; } }");
    assert_file_refused_at(1, 76,
                           "table ip t { map m { type ipv4_addr : verdict; "
                           "elements = { 1.2.3.4 : jump c }; }\n"
                           "chain c { type filter hook input priority 0; } }");
}

Test(rules, what_an_ip_table_a_map_and_an_end_cannot_have_is_refused)
{
    assert_file_refused_at(1, 29,
                           "table ip t { chain c { meta nfproto ipv4; } }");
    assert_file_refused_at(1, 36,
                           "table ip t { chain c { reject with icmpx no-route; "
                           "} }");
    assert_file_refused_at(1, 48,
                           "table ip t { map m { type ipv4_addr : verdict; "
                           "auto-merge; }; }");
    assert_file_refused_at(2, 7,
                           "table ip t { chain c { counter; }; }\n"
                           "flush ruleset\n");
    assert_file_refused_at(2, 8,
                           "table ip t { chain c { counter; }; }\n"
                           "delete table ip t\n");
    assert_file_refused_at(1, 18,
                           "table ip t { set s { type ipv4_addr; "
                           "auto-merge; }; }");
}

Test(rules, a_rule_goes_on_behind_verdicts_that_are_not_there)
{
    struct test_packet one = udp_packet(CLIENT, 1, SERVER, 1);
    struct test_packet two = udp_packet(CLIENT, 1, SERVER, 2);
    struct test_packet three = udp_packet(CLIENT, 1, SERVER, 3);

    load("table ip t { chain c { type filter hook forward priority 0\n"
         "udp dport vmap { 1 : accept, 2 : continue } udp sport 1 drop\n"
         "continue counter accept\n} }");
    cr_assert_eq(from_lan(&one)->end, PATH_FORWARDED);
    cr_assert_eq(from_lan(&two)->end, PATH_REFUSED);
    cr_assert_eq(from_lan(&three)->end, PATH_FORWARDED);
}

Test(rules, numbers_of_echo_messages_are_not_looked_for_in_others)
{
    struct test_packet echo = icmp_packet(CLIENT, SERVER, 8, 1);
    struct test_packet timestamp = icmp_packet(CLIENT, SERVER, 13, 1);

    load("table ip t { chain c { type filter hook forward priority 0\n"
         "icmp sequence != 65535 drop\n} }");
    cr_assert_eq(from_lan(&echo)->end, PATH_REFUSED);
    cr_assert_eq(from_lan(&timestamp)->end, PATH_FORWARDED);
}

Test(rules, what_is_followed_is_not_taken_back_by_notrack)
{
    struct test_packet more = udp_packet(CLIENT, 1, SERVER, 2);

    load("table ip t {\n"
         "chain late { type filter hook prerouting priority 0; notrack; }\n"
         "chain c { type filter hook forward priority 0\n"
         "ct state untracked drop; }\n"
         "}");
    cr_assert_eq(from_lan(&more)->end, PATH_FORWARDED);
}

Test(rules, of_chains_of_one_priority_the_last_in_the_file_comes_first)
{
    struct test_packet one = udp_packet(CLIENT, 1, SERVER, 1);

    load("table ip t {\n"
         "chain a { type filter hook forward priority 0; drop; }\n"
         "chain b { type filter hook forward priority 0; reject; }\n"
         "}\n"
         "table inet u {\n"
         "chain c { type filter hook forward priority 1; accept; }\n"
         "chain d { type filter hook forward priority 0\n"
         "reject with icmpx admin-prohibited; }\n"
         "}");
    cr_assert_eq(from_lan(&one)->verdict, FILTER_REJECT_ADMIN_PROHIBITED);
}

/* Their place on a hook is taken when the first chain of type nat is met. */
/* Of every so many chains one translates. */
static void expect_room_for_sixteen(int every)
{
    char text[2000] = "table ip t {\n";
    size_t at = strlen(text);

    for (int i = 1; i <= 17; i++) {
        at += (size_t)snprintf(
            text + at, sizeof(text) - at,
            "chain c%d { type %s hook prerouting priority %d; }\n", i,
            i % every ? "filter" : "nat", i - 90);
        snprintf(text + at, sizeof(text) - at, "}");
        cr_expect_eq(is_refused(text), i == 17, "%d: %s", i, error.text);
    }
    cr_expect_not_null(strstr(error.text, "at most 16 chains on a hook"));
}

Test(rules, a_hook_has_room_for_sixteen_chains_of_either_kind)
{
    expect_room_for_sixteen(2);
    expect_room_for_sixteen(17);
    expect_room_for_sixteen(1);
}

Test(rules, translation_stands_among_chains_of_its_priority_as_its_chains_do)
{
    static const char above[] =
        "chain a { type filter hook postrouting priority 100\n"
        "ip saddr 192.168.1.77 drop; }\n";
    static const char translating[] =
        "chain b { type nat hook postrouting priority 100\n"
        "snat to 192.168.1.78; }\n"
        "chain c { type nat hook postrouting priority 100\n"
        "snat to 192.168.1.77; }\n";
    struct test_packet one = udp_packet(CLIENT, 1, SERVER, 1);
    char text[600];

    snprintf(text, sizeof(text), "table ip t {\n%s%s}", above, translating);
    load(text);
    cr_assert_eq(from_lan(&one)->end, PATH_REFUSED);
    snprintf(text, sizeof(text), "table ip t {\n%s%s}", translating, above);
    load(text);
    cr_assert_eq(from_lan(&one)->end, PATH_FORWARDED);
    cr_assert_eq(source_of(from_lan(&one)->bytes), 0xc0a8014d);
}

Test(rules, forms_that_nft_takes_are_taken)
{
    load("table ip e/f { chain c.d- {\n"
         "log flags tcp sequence,options flags ip options flags all\n"
         "limit rate 10 mbytes/second limit rate 10 mbytes / second\n"
         "ip protocol & 0xf == 1 udp dport 5 accept comment word\n"
         "tcp flags { syn, syn | ack } iifname eth/0 jump x\n}\nchain x { } "
         "}\n");
}

Test(rules, what_says_that_it_is_of_ipv4_is_translated_in_any_table)
{
    load("table inet t { chain c { type nat hook prerouting priority -100\n"
         "dnat ip to 192.168.1.2\n"
         "ip protocol tcp dnat to 192.168.1.2:80\n"
         "tcp dport 80 dnat ip to 192.168.1.2:tcp dport map { 80 : 8080 }\n"
         "tcp dport 81 redirect to :tcp dport map { 81 : 8080 }\n"
         "meta nfproto ipv4 udp dport 1 dnat to 192.168.1.2:2\n"
         "} }");
}

Test(rules, an_option_of_tcp_is_written_into_tcp_alone)
{
    struct test_packet syn = tcp_packet(CLIENT, 1, SERVER, 2, S);

    load("table ip t { chain c { type filter hook forward priority 0\n"
         "policy drop; tcp option maxseg size set 1300 accept\n} }");
    cr_assert_eq(fate(CLIENT), PATH_REFUSED);
    cr_assert_eq(from_lan(&syn)->end, PATH_FORWARDED);
}

Test(rules, without_chains_no_hook_is_used_and_nothing_followed)
{
    size_t before = flow_count();

    load("table ip nothing { chain regular { drop } }");
    for (int hook = 0; hook < FILTER_HOOK_COUNT; hook++)
        cr_assert(!filter_is_used((enum filter_hook)hook));
    cr_assert_eq(fate(CLIENT), PATH_FORWARDED);
    cr_assert_eq(flow_count(), before);
    load("table ip t { chain c { type nat hook postrouting priority 100\n"
         "} }");
    for (int hook = 0; hook < FILTER_HOOK_COUNT; hook++)
        cr_assert(filter_is_used((enum filter_hook)hook));
    cr_assert_eq(fate(CLIENT), PATH_FORWARDED);
    cr_assert_eq(flow_count(), before + 1);
}

Test(rules, a_bad_file_leaves_the_rules_before_it)
{
    load(DROP_ALL);
    cr_assert_eq(fate(CLIENT), PATH_REFUSED);
    cr_assert(is_refused("table ip t { chain c { nonsense } }"));
    cr_assert_eq(fate(CLIENT), PATH_REFUSED);
    cr_assert_str_eq(rules_name(), "test");
}

Test(rules, a_new_file_replaces_all_and_unloading_removes_them)
{
    load(DROP_ALL);
    load("table ip t { chain c { type filter hook forward priority 0\n"
         "ip saddr 192.168.1.3 drop } }");
    cr_assert_eq(fate(CLIENT), PATH_FORWARDED);
    cr_assert_eq(fate(OTHER), PATH_REFUSED);
    rules_unload();
    cr_assert_eq(fate(OTHER), PATH_FORWARDED);
}

Test(rules, without_a_good_file_at_boot_all_is_closed)
{
    struct test_packet echo = icmp_packet(SERVER, WAN, 8, 1);
    struct test_packet query = udp_packet(SERVER, 1, WAN, 2);
    struct test_packet ours = udp_packet(WAN, 2, SERVER, 1);

    filter_boot("/etc/nftables.conf", "table {", 7);
    cr_assert_eq(fate(CLIENT), PATH_REFUSED);
    cr_assert_eq(from_wan(&echo)->end, PATH_LOCAL);
    cr_assert_eq(from_wan(&query)->end, PATH_REFUSED);
    cr_assert_eq(path_send(ours.bytes, ours.length, test_now)->end, PATH_SENT);
    cr_assert_eq(from_wan(&query)->end, PATH_LOCAL);
    cr_assert(strstr(world_log_text(), "CLOSED") != NULL);
}

static struct rules_line seen;

static void see(void *context, const struct rules_line *line)
{
    (void)context;
    if (line->text != NULL)
        seen = *line;
}

Test(rules, counters_and_texts_can_be_seen)
{
    load(DROP_ALL);
    fate(CLIENT);
    fate(OTHER);
    rules_visit(see, NULL);
    cr_assert_eq(seen.line, 2);
    cr_assert_str_eq(seen.chain, "c");
    cr_assert_eq(strncmp(seen.text, "counter drop", 12), 0);
    cr_assert(seen.has_counter);
    cr_assert_eq(seen.packets, 2);
    cr_assert_eq(seen.bytes, 72);
}

static char large[400000];

static void load_large(const char *flags, const char *suffix)
{
    size_t at = (size_t)sprintf(large,
                                "table ip t {\nset s { type ipv4_addr\n%s\n"
                                "elements = {",
                                flags);

    for (unsigned i = 0; i < 10000; i++)
        at += (size_t)sprintf(large + at, "10.%u.%u.0%s,\n", i >> 8, i & 255,
                              suffix);
    sprintf(large + at, "} }\nchain c { type filter hook forward priority 0\n"
                        "ip daddr @s drop } }\n");
    load(large);
}

static enum path_end to(uint32_t address)
{
    struct test_packet packet = udp_packet(CLIENT, 1, address, 2);

    return from_lan(&packet)->end;
}

Test(rules, ten_thousand_addresses_in_a_set)
{
    start_filter_with(64 << 20);
    load_large("", "");
    cr_assert_eq(to(0x0a000000), PATH_REFUSED);
    cr_assert_eq(to(0x0a270f00), PATH_REFUSED);
    cr_assert_eq(to(0x0a270f01), PATH_FORWARDED);
    cr_assert_eq(to(0x0a271000), PATH_FORWARDED);
}

Test(rules, ten_thousand_prefixes_in_a_set)
{
    start_filter_with(64 << 20);
    load_large("flags interval", "/25");
    cr_assert_eq(to(0x0a00007f), PATH_REFUSED);
    cr_assert_eq(to(0x0a000080), PATH_FORWARDED);
    cr_assert_eq(to(0x0a270f7f), PATH_REFUSED);
    cr_assert_eq(to(0x09ffffff), PATH_FORWARDED);
}

Test(rules, a_file_larger_than_its_memory_is_refused)
{
    memset(large, '#', sizeof(large));
    cr_assert_eq(rules_load("f", large, sizeof(large), &error), -12);
    cr_assert_neq(error.text[0], '\0');
}

Test(rules, mss_is_lowered_never_raised_and_sums_stay_right)
{
    struct test_packet syn = tcp_packet(CLIENT, 1, SERVER, 2, S);
    struct tcp_header *tcp = (void *)(syn.bytes + 20);
    const struct path_result *out;

    load("table ip t { chain c { type filter hook forward priority 0\n"
         "tcp flags syn tcp option maxseg size set rt mtu } }");
    path_netifs[PATH_WAN].mtu = 1400;
    tcp->data_offset = 0x60;
    memcpy(tcp + 1, "\x02\x04\x05\xb4", 4);
    syn.length = 44;
    fix_packet(&syn);
    out = from_lan(&syn);
    cr_assert_eq(out->bytes[42] << 8 | out->bytes[43], 1360);
    cr_assert(is_intact(out->bytes, out->length));
    memcpy(tcp + 1, "\x02\x04\x02\x00", 4);
    fix_packet(&syn);
    out = from_lan(&syn);
    cr_assert_eq(out->bytes[42] << 8 | out->bytes[43], 512);
}

Test(rules, what_is_logged_is_bounded)
{
    uint64_t before = filter_logs_suppressed();

    load("table ip t { chain c { type filter hook forward priority 0\n"
         "log prefix \"seen \" drop } }");
    for (unsigned i = 0; i < RULES_LOGS_PER_S + 5; i++)
        cr_expect_eq(fate(CLIENT), PATH_REFUSED);
    cr_expect_eq(filter_logs_suppressed(), before + 5);
    test_now += NS_PER_S;
    fate(CLIENT);
    cr_expect_eq(filter_logs_suppressed(), before + 5);
    cr_expect_not_null(strstr(world_log_text(), "seen IN=eth1 OUT="));
}

Test(rules, a_rule_goes_on_behind_notrack)
{
    load("table ip t { chain c { type filter hook prerouting priority raw\n"
         "notrack udp dport 2 drop } }");
    cr_assert_eq(fate(CLIENT), PATH_REFUSED);
}

Test(rules, what_stands_at_a_wrong_place_is_refused)
{
    static const char filter[] = "type filter hook input priority 0;";

    assert_refused_at(8, filter, "accept counter");
    assert_refused_at(12, filter, "tcp dport @hosts accept");
    assert_file_refused_at(1, 7, "table ip6 t { }");
    assert_file_refused_at(1, 7, "table arp t { }");
    assert_file_refused_at(1, 14, "table ip t { nonsense }");
    assert_file_refused_at(2, 7,
                           "table ip t { set s { type ipv4_addr\n"
                           "flags nonsense; }; }");
    assert_file_refused_at(2, 21,
                           "table ip t { set s { type ipv4_addr; }\nchain c { "
                           "tcp dport @s accept; }; }");
    assert_file_refused_at(1, 8, "define = 1");
    assert_file_refused_at(2, 8, "define a = 1\ndefine a = 2");
}

Test(rules, a_table_may_be_named_alone_and_hold_definitions)
{
    load("table ip t\ndelete table ip t\n"
         "table ip t { comment \"ours\"; define port = 2\n"
         "set s { type ipv4_addr; flags constant; elements = { 1.2.3.4 }; }\n"
         "chain c { type filter hook forward priority 0\n"
         "udp dport $port drop } }");
    cr_assert_eq(fate(CLIENT), PATH_REFUSED);
}

/* Answers of a DHCP server to the interface's client pass below the rules, and
 * nothing else that bears those two ports. */
Test(rules, port_68_is_open_only_to_a_dhcp_client_of_ours)
{
    struct test_packet offer = udp_packet(SERVER, 67, UINT32_MAX, 68);
    struct test_packet renewal = udp_packet(SERVER, 67, WAN, 68);
    struct test_packet stray = udp_packet(SERVER, 67, LAN, 68);

    load("table inet f { chain in { type filter hook input priority 0\n"
         "policy drop; } }\n");
    cr_assert_eq(from_wan(&offer)->end, PATH_REFUSED);
    cr_assert_eq(from_wan(&renewal)->end, PATH_REFUSED);
    path_netifs[PATH_WAN].has_dhcp_client = true;
    cr_assert_eq(from_wan(&offer)->end, PATH_LOCAL);
    cr_assert_eq(from_wan(&renewal)->end, PATH_LOCAL);
    cr_assert_eq(from_wan(&stray)->end, PATH_REFUSED, "another's address");
    cr_assert_eq(from_lan(&offer)->end, PATH_REFUSED, "no client there");
    ((struct ipv4_header *)renewal.bytes)->fragment =
        be16_from(IPV4_MORE_FRAGMENTS);
    fix_packet(&renewal);
    cr_assert_eq(from_wan(&renewal)->end, PATH_REFUSED, "a piece");
}

/* RFC 2131 4.1: before it has an address, an answer may come to any. */
Test(rules, port_68_is_open_to_any_address_before_there_is_one)
{
    struct test_packet offer = udp_packet(SERVER, 67, 0xcb007163, 68);

    load("table inet f { chain in { type filter hook prerouting priority 0\n"
         "drop; } }\n");
    path_netifs[PATH_WAN].has_dhcp_client = true;
    cr_assert_eq(from_wan(&offer)->end, PATH_REFUSED);
    path_netifs[PATH_WAN].ip.address = be32_from(0);
    cr_assert_neq(from_wan(&offer)->end, PATH_REFUSED);
}
