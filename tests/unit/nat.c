/* SPDX-License-Identifier: MIT */
/*
 * Address translation: what packets become, both ways, and what is never done.
 * test-links: tests/unit/support_filter.c
 */
#include "tests/unit/support_filter.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "net/wire/checksum.h"

static const char rules[] =
    "table ip nat {\n"
    "  chain pre { type nat hook prerouting priority dstnat;\n"
    "    ip daddr 198.51.100.1 tcp dport 8080 dnat to 192.168.1.3:80\n"
    "    iif eth0 udp dport 5000-5009 dnat to 192.168.1.3:6000-6009\n"
    "    iif eth1 tcp dport 3128 redirect to :8888 }\n"
    "  chain post { type nat hook postrouting priority srcnat\n"
    "    oif eth0 masquerade\n"
    "    ip saddr 192.168.1.0/24 oif eth1 masquerade }\n"
    "}\n";

static void start(void)
{
    start_filter();
    load(rules);
}

TestSuite(nat, .init = start, .timeout = 60);

static struct test_packet answer_to(const struct path_result *out,
                                    uint8_t flags)
{
    return tcp_packet(destination_of(out->bytes),
                      destination_port_of(out->bytes), source_of(out->bytes),
                      source_port_of(out->bytes), flags);
}

Test(nat, masquerade_and_back)
{
    struct test_packet syn = tcp_packet(CLIENT, 4000, SERVER, 80, S);
    const struct path_result *out = from_lan(&syn);
    struct test_packet answer;

    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(source_of(out->bytes), WAN);
    cr_assert_eq(source_port_of(out->bytes), 4000);
    cr_assert_eq(destination_of(out->bytes), SERVER);
    cr_assert(is_intact(out->bytes, out->length));
    answer = answer_to(out, S | A);
    tcp_number(&answer, 7, 1, 0);
    out = from_wan(&answer);
    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
    cr_assert_eq(destination_port_of(out->bytes), 4000);
    cr_assert_eq(source_of(out->bytes), SERVER);
    cr_assert(is_intact(out->bytes, out->length));
}

Test(nat, refusal_of_a_connection_is_still_translated)
{
    struct test_packet syn = tcp_packet(CLIENT, 4000, SERVER, 80, S);
    struct test_packet reset = answer_to(from_lan(&syn), R | A);
    const struct path_result *out;

    tcp_number(&reset, 0, 1, 0);
    out = from_wan(&reset);
    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
}

Test(nat, hostile_N5_same_port_of_two_hosts_gets_two_ports)
{
    struct test_packet first = udp_packet(CLIENT, 4000, SERVER, 53);
    struct test_packet second = udp_packet(OTHER, 4000, SERVER, 53);
    struct test_packet answer;
    const struct path_result *out = from_lan(&first);
    uint16_t port;

    cr_assert_eq(source_port_of(out->bytes), 4000);
    out = from_lan(&second);
    port = source_port_of(out->bytes);
    cr_assert_neq(port, 4000);
    cr_assert_geq(port, 1024);
    cr_assert(is_intact(out->bytes, out->length));
    answer = udp_packet(SERVER, 53, WAN, port);
    out = from_wan(&answer);
    cr_assert_eq(destination_of(out->bytes), OTHER);
    cr_assert_eq(destination_port_of(out->bytes), 4000);
}

Test(nat, hostile_N5_a_live_tuple_is_never_given_twice)
{
    static bool seen[65536];

    for (uint32_t i = 0; i < 3000; i++) {
        struct test_packet query = udp_packet(
            0xc0a80102 + (i % 200), (uint16_t)(2000 + i / 200), SERVER, 53);
        const struct path_result *out = from_lan(&query);
        uint16_t port;

        cr_assert_eq(out->end, PATH_FORWARDED);
        port = source_port_of(out->bytes);
        cr_assert_not(seen[port], "port %u twice", port);
        seen[port] = true;
    }
}

Test(nat, hostile_N5_all_ports_taken_drops)
{
    load("table ip nat { chain post { type nat hook postrouting priority "
         "srcnat\nip protocol udp masquerade to :2000-2001 } }");
    for (uint32_t i = 0; i < 3; i++) {
        struct test_packet query = udp_packet(CLIENT + i, 9, SERVER, 53);
        const struct path_result *out = from_lan(&query);

        if (i == 2)
            cr_assert_eq(out->verdict, FILTER_DROP);
        else
            cr_assert(source_port_of(out->bytes) == 2000 ||
                      source_port_of(out->bytes) == 2001);
    }
}

Test(nat, port_forward_and_back)
{
    struct test_packet syn = tcp_packet(SERVER, 999, WAN, 8080, S);
    const struct path_result *out = from_wan(&syn);
    struct test_packet answer;

    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(destination_of(out->bytes), OTHER);
    cr_assert_eq(destination_port_of(out->bytes), 80);
    cr_assert_eq(source_of(out->bytes), SERVER);
    answer = answer_to(out, S | A);
    tcp_number(&answer, 7, 1, 0);
    out = from_lan(&answer);
    cr_assert_eq(source_of(out->bytes), WAN);
    cr_assert_eq(source_port_of(out->bytes), 8080);
    cr_assert(is_intact(out->bytes, out->length));
}

Test(nat, hostile_N5_hairpin_reaches_the_inside_and_returns)
{
    struct test_packet syn = tcp_packet(CLIENT, 999, WAN, 8080, S);
    const struct path_result *out = from_lan(&syn);
    struct test_packet answer;

    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(source_of(out->bytes), LAN);
    cr_assert_eq(destination_of(out->bytes), OTHER);
    cr_assert_eq(destination_port_of(out->bytes), 80);
    answer = answer_to(out, S | A);
    tcp_number(&answer, 7, 1, 0);
    out = from_lan(&answer);
    cr_assert_eq(source_of(out->bytes), WAN);
    cr_assert_eq(source_port_of(out->bytes), 8080);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
    cr_assert_eq(destination_port_of(out->bytes), 999);
    cr_assert(is_intact(out->bytes, out->length));
}

Test(nat, redirect_comes_to_us)
{
    struct test_packet syn = tcp_packet(CLIENT, 999, SERVER, 3128, S);
    const struct path_result *out = from_lan(&syn);

    cr_assert_eq(out->end, PATH_LOCAL);
    cr_assert_eq(destination_of(out->bytes), LAN);
    cr_assert_eq(destination_port_of(out->bytes), 8888);
}

Test(nat, echo_is_told_apart_by_its_identifier)
{
    struct test_packet first = icmp_packet(CLIENT, SERVER, 8, 7);
    struct test_packet second = icmp_packet(OTHER, SERVER, 8, 7);
    const struct path_result *out = from_lan(&first);
    struct test_packet answer;
    uint16_t id;

    cr_assert_eq(source_of(out->bytes), WAN);
    out = from_lan(&second);
    cr_assert(is_intact(out->bytes, out->length));
    id = (uint16_t)(out->bytes[24] << 8 | out->bytes[25]);
    cr_assert_neq(id, 7);
    answer = icmp_packet(SERVER, WAN, 0, id);
    out = from_wan(&answer);
    cr_assert_eq(destination_of(out->bytes), OTHER);
    cr_assert_eq(out->bytes[24] << 8 | out->bytes[25], 7);
    cr_assert(is_intact(out->bytes, out->length));
}

/* What is told of a packet that a router has sent on. */
static void take_hop(struct test_packet *packet)
{
    packet->bytes[8]--;
    fix_packet(packet);
}

Test(nat, hostile_N2_error_is_translated_inside)
{
    struct test_packet query = udp_packet(CLIENT, 4000, SERVER, 53);
    const struct path_result *out = from_lan(&query);
    struct test_packet error =
        icmp_error(0x01020304, WAN, 3, 1, out->bytes, out->length);

    out = from_wan(&error);
    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(state_of(out), TRACK_RELATED);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
    cr_assert_eq(source_of(out->bytes), 0x01020304);
    cr_assert(is_intact(out->bytes, out->length));
    take_hop(&query);
    cr_assert_eq(memcmp(out->bytes + 28, query.bytes, query.length), 0);
}

Test(nat, hostile_N2_truncated_inner_packet_is_not_translated)
{
    struct test_packet query = udp_packet(CLIENT, 4000, SERVER, 53);
    const struct path_result *out = from_lan(&query);
    struct test_packet error = icmp_error(SERVER, WAN, 3, 1, out->bytes, 27);

    out = from_wan(&error);
    cr_assert_neq(out->end, PATH_FORWARDED);
    cr_assert_eq(state_of(out), TRACK_INVALID);
    cr_assert_eq(destination_of(out->bytes), WAN);
    /* Without ports the address alone would tell whose it was. */
    query.bytes[9] = 47;
    fix_packet(&query);
    out = from_lan(&query);
    cr_assert_eq(source_of(out->bytes), WAN);
    error = icmp_error(SERVER, WAN, 3, 1, out->bytes, 27);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID);
    error = icmp_error(SERVER, WAN, 3, 1, query.bytes, 28);
    cr_assert_eq(state_of(from_wan(&error)), TRACK_INVALID, "not as it left");
}

Test(nat, hostile_N2_eight_octets_of_a_segment_are_enough)
{
    struct test_packet syn = tcp_packet(CLIENT, 4000, SERVER, 80, S);
    const struct path_result *out = from_lan(&syn);
    struct test_packet error = icmp_error(SERVER, WAN, 11, 0, out->bytes, 28);

    out = from_wan(&error);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
    cr_assert(is_intact(out->bytes, out->length));
    take_hop(&syn);
    cr_assert_eq(memcmp(out->bytes + 28, syn.bytes, 28), 0);
}

Test(nat, hostile_N2_error_with_a_bad_checksum_is_dropped)
{
    struct test_packet query = udp_packet(CLIENT, 4000, SERVER, 53);
    const struct path_result *out = from_lan(&query);
    struct test_packet error = icmp_error(SERVER, WAN, 3, 1, out->bytes, 28);

    error.bytes[23] ^= 1;
    cr_assert_eq(filter_set("netfilter.nf_conntrack_checksum", 0), 0);
    cr_assert_eq(from_wan(&error)->verdict, FILTER_DROP);
}

Test(nat, hostile_I13_behind_forty_bytes_of_options_the_ports_are_translated)
{
    struct test_packet first = tcp_packet(OTHER, 4000, SERVER, 80, S);
    struct test_packet syn = tcp_packet(CLIENT, 4000, SERVER, 80, S);
    const struct path_result *out = from_lan(&first);
    const uint8_t *ports;

    memmove(syn.bytes + 60, syn.bytes + 20, 20);
    memset(syn.bytes + 20, IPV4_OPTION_NOP, 40);
    syn.bytes[0] = 0x4f;
    syn.length += 40;
    fix_packet(&syn);
    out = from_lan(&syn);
    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(source_of(out->bytes), WAN);
    cr_assert(is_intact(out->bytes, out->length));
    ports = out->bytes + 60;
    cr_assert_neq(ports[0] << 8 | ports[1], 4000);
    cr_assert_eq(ports[2] << 8 | ports[3], 80);
    for (size_t i = 20; i < 60; i++)
        cr_assert_eq(out->bytes[i], IPV4_OPTION_NOP);
}

Test(nat, hostile_N4_udp_without_checksum_stays_without)
{
    struct test_packet query = udp_packet(CLIENT, 4000, SERVER, 53);
    const struct path_result *out;

    query.bytes[26] = query.bytes[27] = 0;
    out = from_lan(&query);
    cr_assert_eq(source_of(out->bytes), WAN);
    cr_assert_eq(out->bytes[26] | out->bytes[27], 0);
}

/* Every value the sum can have goes by, both zeros among them. */
Test(nat, hostile_N4_checksums_stay_right_through_both_zeros)
{
    struct test_packet query = udp_packet(CLIENT, 4000, SERVER, 53);

    for (uint32_t i = 0; i < 65536; i++) {
        const struct path_result *out;

        query.bytes[28] = (uint8_t)(i >> 8);
        query.bytes[29] = (uint8_t)i;
        fix_packet(&query);
        if ((query.bytes[26] | query.bytes[27]) == 0)
            query.bytes[26] = query.bytes[27] = 0xff;
        out = from_lan(&query);
        cr_assert((out->bytes[26] | out->bytes[27]) != 0);
        cr_assert(is_intact(out->bytes, out->length));
    }
}

Test(nat, partial_checksums_stay_sums_of_the_pseudo_header)
{
    struct test_packet query = udp_packet(CLIENT, 4000, SERVER, 53);
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    struct udp_header *udp;
    uint32_t sum = 0;

    sum = checksum_add_32(sum, CLIENT);
    sum = checksum_add_32(sum, SERVER);
    sum = checksum_add_32(sum, 16 + FLOW_UDP);
    memcpy(packet_append(packet, query.length), query.bytes, query.length);
    udp = (void *)(packet->data + 20);
    udp->checksum = be16_from(checksum_fold(sum));
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = PACKET_HEADROOM + 20;
    packet->checksum_offset = 6;
    cr_assert_eq(path_run(packet, PATH_LAN, test_now), PATH_FORWARDED);
    cr_assert_eq(source_of(packet->data), WAN);
    packet_finish_checksum(packet);
    cr_assert(is_intact(packet->data, packet->length));
}

Test(nat, flows_survive_a_reload_and_the_loss_of_all_rules)
{
    struct test_packet syn = tcp_packet(CLIENT, 4000, SERVER, 80, S);
    struct test_packet answer = answer_to(from_lan(&syn), S | A);
    const struct path_result *out;

    tcp_number(&answer, 7, 1, 0);
    load("table ip t { chain c { type filter hook forward priority 0\n"
         "ct state established accept\ndrop; } }");
    out = from_wan(&answer);
    cr_assert_eq(out->end, PATH_FORWARDED);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
    rules_unload();
    out = from_wan(&answer);
    cr_assert_eq(destination_of(out->bytes), CLIENT);
}

Test(nat, a_changed_address_ends_what_was_behind_it)
{
    struct test_packet syn = tcp_packet(CLIENT, 4000, SERVER, 80, S);
    struct test_packet answer = answer_to(from_lan(&syn), S | A);

    filter_address_changed(&path_netifs[PATH_WAN]);
    cr_assert_neq(from_wan(&answer)->end, PATH_FORWARDED);
}

/* Of 64, how many one host is seen under by as many servers. */
static unsigned addresses_of_client(const char *words)
{
    char text[200];
    bool is_seen[64] = {false};
    unsigned count = 0;

    snprintf(text, sizeof(text),
             "table ip t { chain c { type nat hook postrouting priority 100\n"
             "snat to 203.0.113.64-203.0.113.127 %s\n} }",
             words);
    load(text);
    for (uint32_t i = 0; i < 64; i++) {
        struct test_packet query = udp_packet(CLIENT, 4000, SERVER + i, 53);
        uint32_t source = source_of(from_lan(&query)->bytes);

        cr_assert_eq(source >> 6, 0xcb007140 >> 6);
        count += !is_seen[source % 64];
        is_seen[source % 64] = true;
    }
    return count;
}

Test(nat, persistent_shows_a_host_under_one_address_to_all)
{
    cr_assert_gt(addresses_of_client(""), 20);
    flow_table_clear();
    cr_assert_eq(addresses_of_client("persistent"), 1);
}

static unsigned move_after(enum filter_backend_state state)
{
    static uint32_t before[5000];
    unsigned moved = 0;

    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            struct test_packet syn =
                tcp_packet(SERVER + i, (uint16_t)(1024 + i), WAN, 80, S);
            uint32_t backend;

            flow_table_clear();
            backend = destination_of(from_wan(&syn)->bytes);
            if (round == 0)
                before[i] = backend;
            else if (before[i] == 0xc0a8010b)
                cr_assert_neq(backend, before[i]);
            else if (before[i] != backend)
                moved++;
        }
        cr_assert_eq(filter_backend_set(0xc0a8010b, 0, state), 1);
    }
    return moved;
}

static const char balanced[] =
    "table ip t { chain c { type nat hook prerouting priority dstnat\n"
    "tcp dport 80 dnat to jhash ip saddr . tcp sport mod 10 map {\n"
    "0 : 192.168.1.10, 1 : 192.168.1.11, 2 : 192.168.1.12,\n"
    "3 : 192.168.1.13, 4 : 192.168.1.14, 5 : 192.168.1.15,\n"
    "6 : 192.168.1.16, 7 : 192.168.1.17, 8 : 192.168.1.18,\n"
    "9 : 192.168.1.19 } } }";

Test(nat, balancer_moves_nobody_elses_flows_when_one_backend_goes)
{
    load(balanced);
    cr_assert_eq(move_after(FILTER_BACKEND_DOWN), 0);
    cr_assert_eq(filter_backend_set(0xc0a8010b, 0, FILTER_BACKEND_UP), 1);
    cr_assert_eq(move_after(FILTER_BACKEND_DRAINING), 0);
}

Test(nat, balancer_shares_evenly_and_keeps_its_places_over_a_reload)
{
    unsigned count[10] = {0};
    uint32_t first[2000];

    for (uint32_t round = 0; round < 2; round++) {
        load(balanced);
        for (uint32_t i = 0; i < 2000; i++) {
            struct test_packet syn =
                tcp_packet(SERVER + i, (uint16_t)(1024 + i), WAN, 80, S);
            uint32_t backend;

            flow_table_clear();
            backend = destination_of(from_wan(&syn)->bytes);
            if (round == 0) {
                first[i] = backend;
                count[backend - 0xc0a8010a]++;
            }
            cr_assert_eq(backend, first[i]);
        }
    }
    for (unsigned i = 0; i < 10; i++)
        cr_assert(count[i] > 140 && count[i] < 260, "%u", count[i]);
}
