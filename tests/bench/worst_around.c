/* SPDX-License-Identifier: MIT */
/*
 * See worst_around.h. Numbers are cut to what a frame can mean; answers carry
 * the identifier of the question that the victim sent last.
 */
#include "tests/bench/worst_around.h"

#include <stdio.h>
#include <string.h>

#include "net/filter/firewall.h"
#include "net/ip/igmp.h"
#include "net/ip/input.h"
#include "net/service/dhcp.h"
#include "net/service/dns.h"
#include "tests/bench/worst_victim.h"

enum {
    UDP = 34,       /* where a datagram's header begins */
    TEXT = UDP + 8, /* and its text */
    DNS = 53,
    BOOTPS = 67,
    BOOTPC = 68,
    QUESTION_MAX = 270,
};

static const char rules[] =
    "table inet f { set hosts { type ipv4_addr\n"
    "elements = { 10.0.0.2, 10.0.0.3, 10.1.0.1, 10.2.0.1 } }\n"
    "chain in { type filter hook input priority 0\npolicy accept\n"
    "ct state established accept\nip saddr @hosts accept\n"
    "tcp dport 22 accept\nudp dport 1000-2000 accept\n"
    "ct state invalid drop } }\n"
    "table ip n { chain pre { type nat hook prerouting priority dstnat\n"
    "tcp dport 81 redirect to :80 }\n"
    "chain post { type nat hook postrouting priority srcnat\n"
    "oif eth0 masquerade } }\n";

/* ---- what the victim does ------------------------------------------------ */

void around_guard(void)
{
    struct rules_error error;
    static bool is_on;

    if (is_on || ip_router != NULL)
        return;
    is_on = true;
    if (filter_start(world_ns) != 0 ||
        rules_load("worst", rules, strlen(rules), &error) != 0)
        fail("no rules");
}

void around_groups(uint32_t count)
{
    if (ip_multicast == NULL)
        igmp_start();
    for (uint32_t i = 0; i < 1 + count % 32; i++) {
        uint8_t request[8] = {239, 1, 2, (uint8_t)i, 10, 0, 0, 1};
        (void)igmp_set_membership(&victim, true, request, sizeof(request),
                                  world_ns);
    }
    end_leave(&ends[0]);
}

static void done(void *context, const struct dns_result *result)
{
    (void)context;
    (void)result;
}

void around_ask(uint32_t number)
{
    static struct dns_result result;
    const struct ip_address server =
        ip_address_from_ipv4(be32_from(0x0a000002));
    struct dns_query *query;
    char name[64];

    dns_set_servers(NULL, &server, 1);
    (void)snprintf(name, sizeof(name), "host-%u.example.org",
                   (unsigned)(number % 4000));
    if (dns_query_address(name, done, NULL, &query, &result, world_ns) ==
        DNS_BAD_NAME)
        fail("no name");
    end_leave(&ends[0]);
    victim_note();
}

void around_lease(void)
{
    static bool is_on;

    if (!is_on)
        dhcp_start(&ends[0].netif, "victim", world_ns);
    is_on = true;
    end_leave(&ends[0]);
    victim_note();
}

/* ---- frames -------------------------------------------------------------- */

/* Addresses and all; the header's sum anew. */
void around_address(uint32_t from, uint32_t to)
{
    uint32_t sum = 0;

    build_bytes(26, from, 4);
    build_bytes(30, to, 4);
    build_bytes(24, 0, 2);
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)victim.frame[i] << 8 | victim.frame[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    build_bytes(24, ~((sum & 0xffff) + (sum >> 16)), 2);
}

/* To all stations, or to a group of them. */
static void address_ethernet(uint32_t high, uint32_t low)
{
    build_bytes(0, high, 2);
    build_bytes(2, low, 4);
}

static void build_udp(uint16_t from, uint16_t to, size_t text)
{
    build_ip(IP_PROTOCOL_UDP, 0x4000, TEXT + text);
    build_bytes(UDP, from, 2);
    build_bytes(UDP + 2, to, 2);
    build_bytes(UDP + 4, (uint32_t)(8 + text), 2);
    build_bytes(UDP + 6, 0, 2);
}

void around_arp(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t sender = 0x0a000002 + b % 254;

    memset(victim.frame, 0, 60);
    address_ethernet(a & 4 ? 0xffff : 0x0200, a & 4 ? 0xffffffff : 1);
    build_bytes(6, 0x0200, 2);
    build_bytes(8, 2 + b % 254, 4);
    build_bytes(12, 0x08060001, 4);
    build_bytes(16, 0x08000604, 4);
    build_bytes(20, 1 + a % 2, 2);
    build_bytes(22, 0x0200, 2);
    build_bytes(24, 2 + b % 254, 4);
    build_bytes(28, a & 8 ? 0x0a000001 : sender, 4);
    build_bytes(32, 0x0200, 2);
    build_bytes(34, 1, 4);
    build_bytes(38, c % 3 == 0 ? sender : 0x0a000001, 4);
    victim.frame_length = 60;
}

/* Of the three versions: general or of a group. */
void around_query(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t sources = a % 4 < 2 ? 0 : c % 300;
    size_t length = a % 4 < 2 ? 8 : 12 + 4 * (size_t)sources;
    uint32_t group = b % 3 == 0 ? 0 : 0xef010200 | b % 40;
    uint32_t sum = 0;

    memset(victim.frame, 0, END_FRAME);
    build_ip(IP_PROTOCOL_IGMP, 0, 34 + length);
    build_bytes(22, 0x0102, 2);
    around_address(0x0a000002, group == 0 ? 0xe0000001 : group);
    address_ethernet(0x0100, 0x5e000000 | (group == 0 ? 1 : group & 0x7fffff));
    build_bytes(34, 0x1100 | (a % 4 == 0 ? 0 : c & 0xff), 2);
    build_bytes(38, group, 4);
    if (length > 8)
        build_bytes(44, sources, 2);
    for (size_t at = 34; at < 34 + length; at += 2)
        sum += (uint32_t)victim.frame[at] << 8 | victim.frame[at + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    build_bytes(36, ~((sum & 0xffff) + (sum >> 16)), 2);
}

/* The last question to a port, as the victim sent it. */
struct question {
    uint8_t bytes[QUESTION_MAX];
    size_t length;
};

static struct question name_asked;
static struct question lease_asked;

void around_sent(const uint8_t *frame, size_t length)
{
    bool is_name = frame[UDP + 3] == DNS;
    struct question *question = is_name ? &name_asked : &lease_asked;

    if (length <= TEXT || frame[23] != IP_PROTOCOL_UDP || frame[UDP + 2] != 0 ||
        (!is_name && frame[UDP + 3] != BOOTPS))
        return;
    question->length = length < QUESTION_MAX ? length : QUESTION_MAX;
    memcpy(question->bytes, frame, question->length);
}

/* A name of one, three or many labels, or pointers on end, for record `i`. */
static size_t put_name(size_t at, uint32_t kind, uint32_t i)
{
    if (kind % 4 < 2) {
        build_bytes(
            at, 0xc000 | (kind % 2 == 0 || i == 0 ? 12 : (uint32_t)at - 16), 2);
        return at + 2;
    }
    for (uint32_t label = 0; label < (kind % 4 == 2 ? 3 : 60); label++) {
        build_bytes(at, 0x0141U + (i + label) % 26, 2);
        at += 2;
    }
    build_bytes(at, 0xc00c, 2);
    return at + 2;
}

void around_answer(uint32_t a, uint32_t b, uint32_t c)
{
    const struct question *asked = &name_asked;
    uint32_t records = 1 + b % 40;
    size_t length = asked->length == 0 ? 0 : asked->length - TEXT;

    memset(victim.frame, 0, END_FRAME);
    memcpy(victim.frame + TEXT, asked->bytes + TEXT, length);
    size_t at = TEXT + length;
    for (uint32_t i = 0; i < records && at < TEXT + 380; i++) {
        bool is_alias = i + 1 < records && a % 2 == 0;
        at = put_name(at, c, i);
        build_bytes(at, (is_alias ? 5U : 1U) << 16 | 1, 4);
        build_bytes(at + 4, 300, 4);
        build_bytes(at + 8, 4, 2);
        build_bytes(at + 10, is_alias ? 0x0141c00cU : 0xc0000200U | i, 4);
        at += 14;
    }
    size_t text = at - TEXT;
    uint32_t port = (uint32_t)asked->bytes[UDP] << 8 | asked->bytes[UDP + 1];
    build_udp(DNS, (uint16_t)port, text);
    build_bytes(TEXT + 2, a % 8 == 7 ? 0x8183 : 0x8180, 2);
    build_bytes(TEXT + 6, records, 2);
}

void around_offer(uint32_t a, uint32_t b, uint32_t c)
{
    static const uint8_t cookie[4] = {99, 130, 83, 99};
    static const uint8_t head[] = {53, 1, 2, 54, 4, 10, 0, 0, 2, 51, 4};
    const uint8_t *asked = lease_asked.bytes + TEXT;

    memset(victim.frame, 0, END_FRAME);
    build_bytes(TEXT, 0x02010600, 4);
    memcpy(victim.frame + TEXT + 4, asked + 4, 4); /* its number */
    build_bytes(TEXT + 16, 0x0a000001, 4);
    build_bytes(TEXT + 28, 0x02000000, 4);
    build_bytes(TEXT + 32, 0x0001, 2);
    memcpy(victim.frame + TEXT + 236, cookie, sizeof(cookie));
    memcpy(victim.frame + TEXT + 240, head, sizeof(head));
    victim.frame[TEXT + 242] = a % 2 == 0 ? 2 : 5;
    build_bytes(TEXT + 251, 60 + c % 10000, 4);
    size_t at = TEXT + 255;
    for (uint32_t i = 0; i < b % 300 && at < 1400; i++) {
        size_t size = a / 2 % 60;
        build_bytes(at, (c + i * (a & 1)) & 0xff, 1);
        build_bytes(at + 1, (uint32_t)size, 1);
        at += 2 + size;
    }
    build_bytes(at, 255, 1);
    build_udp(BOOTPS, BOOTPC, at + 1 - TEXT);
}

/* Of many datagrams from many sources: `a` and `b` say which, `c` where. */
void around_piece(uint32_t a, uint32_t b, uint32_t c)
{
    size_t size = 8 * (size_t)(1 + c / 8192 % 180);

    build_ip(IP_PROTOCOL_UDP, 0x2000 | (c & 0x1fff), 34 + size);
    build_bytes(18, b, 2);
    around_address(0x0a000002 + a % 250, 0x0a000001);
}

/* A datagram, a SYN, a reset or an error of a flow that may be tracked. */
void around_flow(uint32_t a, uint32_t b, uint32_t c)
{
    bool is_udp = a % 4 == 0;

    build_ip(is_udp ? IP_PROTOCOL_UDP : IP_PROTOCOL_TCP, 0x4000, 34 + 20);
    around_address(0x0a000002 + b % 250, 0x0a000001);
    build_bytes(34, 1024 + b / 256 % 60000, 2);
    build_bytes(36, c % 3 == 0 ? PORT : 1000 + c % 1200, 2);
    build_bytes(38, is_udp ? 20U << 16 : c, 4);
    build_bytes(42, 0, 4);
    build_bytes(46, 0x5000U | (a % 4 == 1 ? SYN : a % 4 == 2 ? RST : ACK), 2);
    build_bytes(48, 65535, 2);
    build_bytes(50, 0, 4);
}
