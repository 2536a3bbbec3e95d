/* SPDX-License-Identifier: MIT */
/*
 * See worst_crossing.h. The gateway has one card: clients (192.168/16) and
 * servers (203.0.113/24) are behind the same neighbour.
 */
#include "tests/bench/worst_crossing.h"

#include <string.h>

#include "net/filter/firewall.h"
#include "net/filter/rules.h"
#include "net/ip/route.h"
#include "net/net_router.h"
#include "tests/bench/worst_around.h"
#include "tests/bench/worst_victim.h"

enum {
    CLIENT = 0xc0a80102,
    SERVER = 0xcb007101,
    US = 0x0a000001,
    UDP_AT = 34,
    TEXT_AT = UDP_AT + 8,
    WHOLE = 65507, /* the longest datagram's text */
    PIECE = 1480,
    FEW_PORTS = 64,
};

static const char rules[] =
    "table inet f { chain forward { type filter hook forward priority 0\n"
    "policy drop; ct state established,related accept\n"
    "ct state invalid drop\n"
    "ip saddr 192.168.0.0/16 accept } }\n"
    "table ip n { chain post { type nat hook postrouting priority srcnat\n"
    "udp dport 81 snat to 10.0.0.1:40000-40063\n"
    "ip saddr 192.168.0.0/16 masquerade } }\n";

static void add_route(uint32_t address, uint8_t length)
{
    const struct ip_path path = {.netif = &ends[0].netif,
                                 .gateway = be32_from(0x0a000002)};

    if (ip_route_add_path((struct ip_prefix){address, length}, &path, 0) != 0)
        fail("no route");
}

static void start(void)
{
    struct rules_error error;

    victim_connect();
    if (net_router_init(world_ns) != 0)
        fail("no router");
    ip_configure(&ends[0].netif, be32_from(US), 24, world_ns);
    add_route(CLIENT & 0xffff0000, 16);
    add_route(SERVER & 0xffffff00, 24);
    if (filter_start(world_ns) != 0 ||
        rules_load("worst", rules, strlen(rules), &error) != 0)
        fail("no rules");
    around_arp(0, 0, 1); /* the neighbour is known */
    victim_poll();
}

static void from_client(uint16_t from, uint16_t to, size_t text)
{
    build_ip(IP_PROTOCOL_UDP, 0, TEXT_AT + text);
    around_address(CLIENT, SERVER);
    build_bytes(UDP_AT, from, 2);
    build_bytes(UDP_AT + 2, to, 2);
    build_bytes(UDP_AT + 4, (uint32_t)(8 + text), 2);
    build_bytes(UDP_AT + 6, 0, 2);
}

/* It went out, and nothing is left of it. */
static void send(void)
{
    uint64_t before = ends[0].netif.counters.tx_packets;

    victim_poll();
    victim_rest();
    if (ends[0].netif.counters.tx_packets == before)
        fail("it did not come through");
}

void crossing_plain(void)
{
    start();
    from_client(1000, 80, 18);
    send();
    from_client(1001, 80, 18);
}

void crossing_ports_taken(void)
{
    start();
    for (uint16_t i = 0; i < FEW_PORTS; i++) {
        from_client((uint16_t)(1000 + i), 81, 18);
        send();
    }
    from_client(999, 81, 18);
}

/* Quotes `length` octets of what the gateway sends for port 1000. */
void crossing_error(void)
{
    enum { QUOTE = 548, ICMP_AT = 34, INNER = ICMP_AT + 8 };
    uint32_t sum = 0;

    start();
    from_client(1000, 80, 520);
    send();
    build_ip(IP_PROTOCOL_UDP, 0, INNER + QUOTE);
    around_address(US, SERVER);
    build_bytes(34, 1000U << 16 | 80, 4);
    build_bytes(38, 528U << 16, 4);
    memmove(victim.frame + INNER, victim.frame + 14, 28);
    build_bytes(INNER + 2, QUOTE, 2);
    build_ip(IP_PROTOCOL_ICMP, 0, INNER + QUOTE);
    around_address(SERVER, US);
    memset(victim.frame + INNER + 28, 0, QUOTE - 28);
    build_bytes(ICMP_AT, 0x0303U << 16, 4);
    build_bytes(ICMP_AT + 4, 0, 4);
    for (size_t i = ICMP_AT; i < INNER + QUOTE; i += 2)
        sum += (uint32_t)victim.frame[i] << 8 | victim.frame[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    build_bytes(ICMP_AT + 2, ~((sum & 0xffff) + (sum >> 16)), 2);
}

void crossing_hop(void)
{
    start();
    from_client(1000, 80, 1000);
    send();
    from_client(1000, 80, 1000);
    build_bytes(22, 0x0111, 2);
    around_address(CLIENT, SERVER);
}

/* The piece at that offset of the datagram's payload. */
static void build_piece(uint32_t at)
{
    uint32_t end = 8 + WHOLE;
    uint32_t length = end - at < PIECE ? end - at : PIECE;

    build_ip(IP_PROTOCOL_UDP, at / 8 | (at + length < end ? 0x2000 : 0),
             34 + length);
    around_address(CLIENT, SERVER);
    memset(victim.frame + 34, 0, length);
}

/* Nothing but zeros, the first piece comes last. */
static void cut_up(void)
{
    /* The pseudo-header's sum and the header's. */
    uint32_t sum = (CLIENT >> 16) + (CLIENT & 0xffff) + (SERVER >> 16) +
                   (SERVER & 0xffff) + 17 + 2 * (8 + WHOLE) + 1000 + 80;

    for (uint32_t at = PIECE; at < 8 + WHOLE; at += PIECE) {
        build_piece(at);
        victim_poll();
    }
    build_piece(0);
    build_bytes(UDP_AT, 1000U << 16 | 80, 4);
    build_bytes(UDP_AT + 4, 8 + WHOLE, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    build_bytes(UDP_AT + 6, ~((sum & 0xffff) + (sum >> 16)), 2);
}

void crossing_last_fragment(void)
{
    start();
    cut_up();
}

void crossing_small_fragments(void)
{
    start();
    ends[0].netif.mtu = 576;
    cut_up();
}
