/* SPDX-License-Identifier: MIT */
/*
 * See worst_crossing.h. The gateway has one card: clients (192.168/16) and
 * servers (203.0.113/24) are behind the same neighbour.
 */
#include "tests/bench/worst_crossing.h"

#include <string.h>

#include "net/filter/firewall.h"
#include "net/filter/rules.h"
#include "net/ip/input.h"
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

/* The search meets refusals, a balancer and a hairpin, too. */
static const char many_rules[] =
    "table inet f { set bad { type ipv4_addr\n"
    "elements = { 192.168.9.9, 192.168.9.10, 203.0.113.99 } }\n"
    "chain forward { type filter hook forward priority 0\n"
    "policy drop; tcp flags syn tcp option maxseg size set rt mtu\n"
    "ct state established,related accept\nct state invalid drop\n"
    "ip saddr @bad drop\ntcp dport 25 reject with tcp reset\n"
    "udp dport 82 reject\nip saddr 192.168.0.0/16 accept\n"
    "ct status dnat accept } }\n"
    "table ip n { chain pre { type nat hook prerouting priority dstnat\n"
    "udp dport 83 dnat to jhash ip saddr . udp sport mod 3 map {\n"
    "0 : 192.168.1.2 . 80, 1 : 192.168.1.3 . 80, 2 : 192.168.1.4 . 80 } }\n"
    "chain post { type nat hook postrouting priority srcnat\n"
    "udp dport 81 snat to 10.0.0.1:40000-40063\n"
    "ip saddr 192.168.0.0/16 masquerade } }\n";

static void add_route(uint32_t address, uint8_t length)
{
    const struct ip_path path = {.netif = &ends[0].netif,
                                 .gateway = be32_from(0x0a000002)};

    if (ip_route_add_path((struct ip_prefix){address, length}, &path, 0) != 0)
        fail("no route");
}

static void become_gateway(const char *text)
{
    struct rules_error error;

    if (net_router_init(world_ns) != 0)
        fail("no router");
    ip_configure(&ends[0].netif, be32_from(US), 24, world_ns);
    add_route(CLIENT & 0xffff0000, 16);
    add_route(SERVER & 0xffffff00, 24);
    if (filter_start(world_ns) != 0 ||
        rules_load("worst", text, strlen(text), &error) != 0)
        fail("no rules");
    around_arp(0, 0, 1); /* the neighbour is known */
}

static void start(void)
{
    victim_connect();
    become_gateway(rules);
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

/* ---- for the search ------------------------------------------------------ */

enum {
    FRAMES = 12,
    TEXT_MAX = 1400,
    TCP_TEXT_AT = 54,
};

static const uint8_t kind_of_flags[8] = {SYN,       ACK,       FIN | ACK, RST,
                                         SYN | ACK, RST | ACK, FIN | SYN, 0};

void crossing_begin(uint32_t mtu)
{
    static const uint16_t mtus[4] = {1500, 1500, 1280, 576};
    static bool is_one;

    /* Parts start once: not where it was a host with groups or rules. */
    if (is_one || ip_multicast != NULL || filter_is_used(FILTER_INPUT))
        return;
    is_one = true;
    become_gateway(many_rules);
    ends[0].netif.mtu = mtus[mtu % 4];
}

/* Ones' complement over what is there. */
static uint32_t sum_from(size_t at, size_t end)
{
    uint32_t sum = 0;

    for (; at < end; at += 2)
        sum += (uint32_t)victim.frame[at] << 8 |
               (at + 1 < end ? victim.frame[at + 1] : 0U);
    sum = (sum & 0xffff) + (sum >> 16);
    return ~((sum & 0xffff) + (sum >> 16));
}

/* Between a client and a server, by the flow's number; what comes back goes to
 * us, to the port that the client has. */
static void between(bool is_out, uint32_t flow)
{
    uint32_t client = CLIENT + flow % 3;

    around_address(is_out ? client : SERVER, is_out ? SERVER : US);
}

static void build_ports(bool is_out, uint32_t flow, uint16_t server)
{
    uint16_t client = (uint16_t)(1000 + flow % 2000);

    build_bytes(UDP_AT, is_out ? client : server, 2);
    build_bytes(UDP_AT + 2, is_out ? server : client, 2);
}

static void build_datagram(bool is_out, uint32_t flow, uint32_t c)
{
    static const uint16_t servers[8] = {80, 80, 80, 80, 81, 82, 83, 53};
    size_t text = 18 + c / 8 % TEXT_MAX;

    build_ip(IP_PROTOCOL_UDP, 0, TEXT_AT + text);
    between(is_out, flow);
    build_ports(is_out, flow, servers[c % 8]);
    build_bytes(UDP_AT + 4, (uint32_t)(8 + text), 2);
    build_bytes(UDP_AT + 6, 0, 2);
}

static void build_segment(bool is_out, uint32_t flow, uint32_t c)
{
    size_t text = c % 8 == 1 ? c / 64 % TEXT_MAX : 0;

    build_ip(IP_PROTOCOL_TCP, 0x4000, TCP_TEXT_AT + text);
    between(is_out, flow);
    build_ports(is_out, flow, c % 16 == 8 ? 25 : 80);
    build_bytes(38, c / 8 % 8 == 7 ? c : 1 + c / 8 % 3, 4);
    build_bytes(42, 1 + c / 16 % 2, 4);
    build_bytes(46, 0x5000U | kind_of_flags[c % 8], 2);
    build_bytes(48, 65535, 2);
    build_bytes(50, 0, 4);
}

/* About a datagram or a segment of that flow, quoting so much. */
static void build_error(bool is_out, uint32_t flow, uint32_t c)
{
    enum { ICMP_AT = 34, INNER = ICMP_AT + 8 };
    static const uint16_t types[4] = {0x0303, 0x0304, 0x0b00, 0x0301};
    size_t quote = 28 + c / 8 % 520;

    if (c / 4 % 2 == 0)
        build_datagram(!is_out, flow, 0);
    else
        build_segment(!is_out, flow, 1);
    memmove(victim.frame + INNER, victim.frame + 14, quote);
    memcpy(victim.frame + 14, victim.frame + INNER, 20);
    build_ip(IP_PROTOCOL_ICMP, 0, INNER + quote);
    between(is_out, flow);
    build_bytes(ICMP_AT, (uint32_t)types[c % 4] << 16, 4);
    build_bytes(ICMP_AT + 4, 500, 4);
    build_bytes(ICMP_AT + 2, sum_from(ICMP_AT, INNER + quote), 2);
}

static void build_echo(bool is_out, uint32_t flow, uint32_t c)
{
    size_t end = 42 + c % TEXT_MAX;

    build_ip(IP_PROTOCOL_ICMP, 0, end);
    between(is_out, flow);
    build_bytes(34, is_out ? 0x08000000 : 0, 4);
    build_bytes(38, flow, 4);
    build_bytes(36, sum_from(34, end), 2);
}

/* One changed field of the header of what was built. */
static void change_header(uint32_t how)
{
    uint32_t from = (uint32_t)victim.frame[26] << 24 |
                    (uint32_t)victim.frame[27] << 16 |
                    (uint32_t)victim.frame[28] << 8 | victim.frame[29];
    uint32_t to = how % 4 == 3 ? US : SERVER;

    if (how % 4 == 0)
        victim.frame[22] = 1; /* its last hop */
    else if (how % 4 == 1)
        victim.frame[20] |= 0x40;
    else if (how % 4 == 2)
        victim.frame[15] = (uint8_t)how;
    around_address(from, to);
}

void crossing_frame(uint32_t a, uint32_t b, uint32_t c)
{
    bool is_out = a % 2 == 0;

    switch (a / 2 % (FRAMES / 2)) {
    case 0:
        build_datagram(is_out, b, c);
        break;
    case 1:
        build_segment(is_out, b, c);
        break;
    case 2:
        build_error(is_out, b, c);
        break;
    case 3:
        build_echo(is_out, b, c);
        break;
    case 4:
        build_datagram(is_out, b, c);
        change_header(a / FRAMES);
        break;
    default:
        build_segment(is_out, b, c);
        change_header(a / FRAMES);
        break;
    }
}

void crossing_parcel(uint32_t a, uint32_t b, uint32_t c, uint32_t i,
                     uint32_t count)
{
    uint32_t size = 8 * (1 + c % 185);
    uint32_t most = (8 + WHOLE) / size;
    uint32_t pieces = count < most ? count : most;
    uint32_t at = (a & 1 ? pieces - 1 - i % pieces : i % pieces) * size;
    bool is_last = at / size + 1 == pieces;
    bool is_out = (a & 2) == 0;

    build_ip(IP_PROTOCOL_UDP,
             at / 8 | (is_last ? 0 : 0x2000) | (a & 4 ? 0x4000 : 0), 34 + size);
    build_bytes(18, b + i / pieces, 2);
    between(is_out, b);
    memset(victim.frame + 34, 0, size);
    if (at != 0)
        return;
    build_ports(is_out, b, 80);
    build_bytes(UDP_AT + 4, pieces * size, 2);
}
