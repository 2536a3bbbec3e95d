/* SPDX-License-Identifier: MIT */
/*
 * Frames from both sides of a router with state: fragments, masquerade, port
 * forwards, rejects, ICMP errors, a hop with a small MTU, a VLAN and shaped
 * queues. An input is a list of records (records.h); the control byte says on
 * which card a frame comes, and lets the harness turn round what came out
 * there last, quote it in an error, or cut the frame in two. What leaves must
 * be sound, must not show an inside address outside, and at the end all
 * memory must be back.
 * test-links: tests/fuzz/support/records.c
 */
#include "tests/fuzz/support/checksum.h"
#include "tests/fuzz/support/records.h"
#include "tests/host/device.h"
#include "tests/host/world.h"

#include "net/filter/filter.h"
#include "net/filter/firewall.h"
#include "net/filter/flow.h"
#include "net/filter/rules.h"
#include "net/net_router.h"
#include "net/wire/ethernet.h"
#include "net/wire/ipv4.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum control {
    FROM_INSIDE = 1 << 0,
    FIX_IP = 1 << 1, /* and what carries it */
    FIX_TRANSPORT = 1 << 2,
    ANSWERS = 1 << 3, /* has the ends of what came out last, turned round */
    WAIT_SHIFT = 4,   /* two bits: none, 10 us, 1 s, 40 s */
    QUOTES = 1 << 6,  /* its payload is what came out last */
    IS_CUT = 1 << 7,  /* into two fragments */
};

enum {
    FRAME_MAX = 1514,
    ETHERNET = ETHERNET_HEADER_LENGTH,
    MEMORY = 2 << 20,
    SMALL_MTU = 600,
    DEAF_FROM = 200, /* last octet of those who answer no ARP */
    QUOTE_MAX = 548,
};

static const char rules[] =
    "table ip n {\n"
    "chain pre { type nat hook prerouting priority dstnat\n"
    "iifname eth0 tcp dport { 80, 81 } dnat to 192.168.1.3:8080\n"
    "iifname eth0 udp dport 53-60 dnat to 192.168.1.4\n"
    "iifname eth0 icmp type echo-request icmp id 9 dnat to 192.168.1.5\n"
    "iifname eth1 tcp dport 3128 redirect to :8\n}\n"
    "chain post { type nat hook postrouting priority srcnat\n"
    "oifname eth0 masquerade\n"
    "oifname eth1 iifname eth1 masquerade\n} }\n"
    "table inet f {\n"
    "chain through { type filter hook forward priority 0; policy drop\n"
    "ct state established,related accept\n"
    "ct state invalid drop\n"
    "tcp dport 25 reject with tcp reset\n"
    "udp dport 25 reject with icmp type admin-prohibited\n"
    "tcp flags syn tcp option maxseg size set rt mtu\n"
    "ip daddr 192.168.1.3 tcp sport 1-99 reject with tcp reset\n"
    "ip daddr 192.168.1.4 udp sport 1-99 reject\n"
    "ct status dnat accept\n"
    "iifname != \"eth0\" accept\n}\n"
    "chain out { type filter hook output priority 0\n"
    "ct state invalid drop\n} }\n";

static struct {
    struct world_stack *stack;
    void *pools;
    struct device *cards[2]; /* outside, inside */
    struct world_port sides[2];
    uint8_t heard[2][FRAME_MAX]; /* IPv4 packets that came out last */
    size_t heard_length[2];
} w;

static void fail(const char *why, const struct frame *frame)
{
    fprintf(stderr, "%s:", why);
    for (size_t i = 0; i < frame->length; i++)
        fprintf(stderr, " %02x", frame->bytes[i]);
    fprintf(stderr, "\n");
    abort();
}

/* ---- what leaves ----------------------------------------------------------
 */

static bool is_inside(const uint8_t *address)
{
    return address[0] == 192 && address[1] == 168 && address[2] == 1 &&
           address[3] != 1;
}

/* Of a datagram in one piece. */
static bool has_right_sum(const uint8_t *ip, size_t length)
{
    size_t header = (size_t)(ip[0] & 15) * 4;
    uint32_t sum = 0;

    if (ip[9] != 1)
        sum = fuzz_sum((uint32_t)(length - header) + ip[9], ip + 12, 8);
    if (ip[9] == 17 && length >= header + 8 && ip[header + 6] == 0 &&
        ip[header + 7] == 0)
        return true;
    return fuzz_sum(sum, ip + header, length - header) == 0xffff;
}

static void check_packet(int side, const struct frame *frame)
{
    const uint8_t *ip = frame->bytes + ETHERNET;
    size_t header = (size_t)(ip[0] & 15) * 4;
    size_t length = (size_t)ip[2] << 8 | ip[3];
    bool is_error;

    if (frame->length < ETHERNET + 20 || header < 20 || length < header ||
        length > frame->length - ETHERNET || fuzz_sum(0, ip, header) != 0xffff)
        fail("no sound header leaves", frame);
    if (length > w.cards[side]->netif.mtu)
        fail("more than the link takes leaves", frame);
    if ((ip[6] & 0x3f) != 0 || ip[7] != 0)
        return;
    if ((ip[9] == 1 || ip[9] == 6 || ip[9] == 17) && !has_right_sum(ip, length))
        fail("a wrong checksum leaves", frame);
    if (side != 0)
        return;
    if (is_inside(ip + 12))
        fail("an inside address is seen outside", frame);
    is_error = ip[9] == 1 && length >= header + 8 + 20 &&
               (ip[header] == 3 || ip[header] == 11 || ip[header] == 12);
    if (is_error && is_inside(ip + header + 8 + 16))
        fail("an inside address is told outside", frame);
}

static void answer_arp(int side, const uint8_t *request)
{
    uint8_t reply[ETHERNET + 28];

    if (request[21] != 1 || request[41] >= DEAF_FROM ||
        memcmp(request + 28, request + 38, 4) == 0)
        return;
    memcpy(reply, request, sizeof(reply));
    memcpy(reply, request + 6, 6);
    memcpy(reply + 6, "\2\0\0\0\0\x10", 6);
    reply[21] = 2;
    memcpy(reply + 22, reply + 6, 6);
    memcpy(reply + 28, request + 38, 4);
    memcpy(reply + 32, request + 22, 10);
    world_port_send(&w.sides[side], frame_new(reply, sizeof(reply)));
}

static void arrive(struct world_port *port, struct frame *frame)
{
    int side = port == &w.sides[1];

    if (frame->length >= ETHERNET + 28 && frame->bytes[12] == 8 &&
        frame->bytes[13] == 6) {
        answer_arp(side, frame->bytes);
    } else if (frame->length > ETHERNET && frame->bytes[12] == 8 &&
               frame->bytes[13] == 0) {
        check_packet(side, frame);
        w.heard_length[side] = frame->length - ETHERNET;
        memcpy(w.heard[side], frame->bytes + ETHERNET, w.heard_length[side]);
    }
    free(frame);
}

/* ---- the router -----------------------------------------------------------
 */

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void prepare_router(void)
{
    struct rules_error error;

    /* Parts have memory beside the pools; the world frees what it finds. */
    w.pools = w.stack->memory;
    w.stack->memory = calloc(1, MEMORY);
    w.stack->memory_size = MEMORY;
    w.stack->memory_used = 0;
    filter_clear();
    must(net_router_init(world_now()) == 0);
    must(filter_start(world_now()) == 0);
    must(rules_load("fuzz", rules, sizeof(rules) - 1, &error) == 0);
    must(net_configure_ip("10.0.0.1::10.0.0.254:255.255.255.0::eth0:none") ==
         0);
    must(net_configure_ip("192.168.1.1/24:::::eth1:none") == 0);
    must(net_configure_ip("172.16.0.1/24:::::eth1.10:none") == 0);
    must(net_router_word("qdisc", "eth0:tbf,rate=10mbit,burst=3000") == 0);
    must(net_router_word("qdisc", "eth1:fq_codel") == 0);
    must(net_router_word("route", "10.9.0.0/16:192.168.1.9") == 0);
    must(net_router_word("route", "10.8.0.0/16:unreachable") == 0);
}

static void start(void)
{
    memset(&w, 0, sizeof(w));
    world_start(1);
    w.stack = world_stack_add("a", 3 * 1024 * 1024);
    for (int side = 0; side < 2; side++) {
        w.cards[side] = device_add(w.stack, (uint8_t)(side + 1), 0);
        w.sides[side].arrive = arrive;
        world_port_join(&w.cards[side]->port, &w.sides[side]);
    }
    w.cards[1]->netif.mtu = SMALL_MTU;
    (void)world_enter(w.stack);
    prepare_router();
    net_router_start(world_now());
    net_start(world_now());
    world_leave(w.stack);
    world_run_for(10 * NS_PER_S);
}

/* ---- what comes -----------------------------------------------------------
 */

static void turn_round(uint8_t *ip, size_t length, const uint8_t *heard)
{
    size_t header = (size_t)(ip[0] & 15) * 4;

    ip[9] = heard[9];
    memcpy(ip + 12, heard + 16, 4);
    memcpy(ip + 16, heard + 12, 4);
    if (header < 20 || length < header + 8 || (heard[0] & 15) != 5)
        return;
    if (heard[9] == 6 || heard[9] == 17) {
        memcpy(ip + header, heard + 22, 2);
        memcpy(ip + header + 2, heard + 20, 2);
    } else if (heard[9] == 1) {
        memcpy(ip + header + 4, heard + 24, 4);
        ip[header] = 0;
    }
    if (heard[9] == 6 && length >= header + 12) {
        /* The fuzzer's numbers become small distances. */
        memcpy(ip + header + 4, heard + 28, 2);
        memcpy(ip + header + 8, heard + 24, 2);
    }
}

/* The packet's first eight octets behind its header stay: an ICMP error, if
 * the fuzzer wants. */
static size_t quote(uint8_t *ip, size_t length, int side)
{
    size_t quoted = w.heard_length[side];

    if (quoted > QUOTE_MAX)
        quoted = QUOTE_MAX;
    if (length < 28 || quoted < 20)
        return length;
    ip[0] = 0x45;
    ip[9] = 1;
    memcpy(ip + 16, w.heard[side] + 12, 4);
    memcpy(ip + 28, w.heard[side], quoted);
    return 28 + quoted;
}

static size_t fix(uint8_t *bytes, size_t length, uint8_t control)
{
    int side = control & FROM_INSIDE;
    uint8_t *ip = bytes + ETHERNET;
    size_t left;

    if ((control & FIX_IP) == 0 || length < ETHERNET + 20)
        return length;
    memcpy(bytes, "\2\0\0\0\0\0\2\0\0\0\0\x10\x08", 13);
    bytes[5] = (uint8_t)(side + 1);
    bytes[13] = 0;
    left = length - ETHERNET;
    if (w.heard_length[side] >= 28 && (control & QUOTES) != 0)
        left = quote(ip, left, side);
    else if (w.heard_length[side] >= 28 && (control & ANSWERS) != 0)
        turn_round(ip, left, w.heard[side]);
    if ((control & FIX_TRANSPORT) != 0) {
        fuzz_repair_packet(ip, left);
    } else {
        fuzz_put_16(ip + 2, left);
        memset(ip + 10, 0, 2);
        if ((size_t)(ip[0] & 15) * 4 <= left)
            fuzz_put_sum(ip + 10, fuzz_sum(0, ip, (size_t)(ip[0] & 15) * 4));
    }
    return ETHERNET + left;
}

static void send_piece(int side, const uint8_t *bytes, size_t from, size_t to,
                       bool is_last)
{
    uint8_t piece[FRAME_MAX];
    uint8_t *ip = piece + ETHERNET;
    unsigned field = (unsigned)(from / 8) | (is_last ? 0 : 0x2000);

    memcpy(piece, bytes, ETHERNET + 20);
    memcpy(ip + 20, bytes + ETHERNET + 20 + from, to - from);
    fuzz_put_16(ip + 2, 20 + to - from);
    fuzz_put_16(ip + 6, field);
    memset(ip + 10, 0, 2);
    fuzz_put_sum(ip + 10, fuzz_sum(0, ip, 20));
    world_port_send(&w.sides[side],
                    frame_new(piece, ETHERNET + 20 + to - from));
}

static void one_record(uint8_t control, const uint8_t *data, size_t length)
{
    static const uint64_t waits[4] = {0, 10 * NS_PER_US, NS_PER_S,
                                      40 * NS_PER_S};
    uint8_t bytes[FRAME_MAX] = {0};
    int side = control & FROM_INSIDE;
    size_t payload;

    memcpy(bytes, data, length);
    length = fix(bytes, length, control);
    payload = length < ETHERNET + 20 ? 0 : length - ETHERNET - 20;
    if ((control & IS_CUT) != 0 && payload > 16 && bytes[ETHERNET] == 0x45) {
        size_t middle = payload / 16 * 8;

        send_piece(side, bytes, 0, middle, false);
        send_piece(side, bytes, middle, payload, true);
    } else {
        world_port_send(&w.sides[side], frame_new(bytes, length));
    }
    world_run_for(waits[control >> WAIT_SHIFT & 3]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t buffers;
    size_t packets;

    start();
    buffers = buffer_count_free();
    packets = packet_count_free();
    fuzz_each_record(data, size, FRAME_MAX, one_record);
    world_run_for(120 * NS_PER_S);
    if (buffer_count_free() != buffers || packet_count_free() != packets) {
        fprintf(stderr, "lost: %zu buffers, %zu packets\n",
                buffers - buffer_count_free(), packets - packet_count_free());
        abort();
    }
    (void)world_enter(w.stack);
    flow_table_clear();
    must(flow_count() == 0);
    world_leave(w.stack);
    for (int side = 0; side < 2; side++)
        free(w.cards[side]);
    free(w.pools);
    return 0;
}
