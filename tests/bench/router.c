/* SPDX-License-Identifier: MIT */
/*
 * What a router costs per unit of work, in the manner of host.c: rows
 * `router ROW`, marks for callgrind, read by host_run. Packets come in by the
 * one card and leave by it, to a gateway, so that each passes every step once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "tests/bench/host_world.h"

#include "net/filter/firewall.h"
#include "net/ip/fib.h"
#include "net/ip/route.h"
#include "net/link/qdisc.h"
#include "net/net_router.h"

enum {
    MEMORY = 64 << 20,
    PREFIXES = 100000,
    FEW = 10,
    LENGTH = 60,
    COUNT = 20000,
    CARD = NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS | NETIF_RX_CHECKSUM,
};

static uint32_t prefixes[PREFIXES];
static size_t prefix_count;
static size_t frames_left;
static uint32_t number;

static uint32_t next_random(void)
{
    static uint64_t state = 1;

    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 33);
}

/* 16.0.0.0/4, lengths as in a default-free table: two thirds are /24. */
static void add_prefixes(size_t count)
{
    static const uint8_t lengths[] = {16, 19, 20, 21, 22, 23,
                                      24, 24, 24, 24, 24, 24};
    struct ip_path path = {.netif = &ends[0].netif,
                           .gateway = be32_from(0x0a000002)};

    while (prefix_count < count) {
        unsigned length = lengths[next_random() % sizeof(lengths)];
        struct ip_prefix prefix = {(0x10000000 | (next_random() & 0x0fffffff)) &
                                       UINT32_MAX << (32 - length),
                                   (uint8_t)length};

        if (ip_route_add_path(prefix, &path, 0) == 0)
            prefixes[prefix_count++] = prefix.address;
    }
}

static void put(uint8_t *at, uint32_t value, size_t length)
{
    for (size_t i = length; i > 0; i--, value >>= 8)
        at[i - 1] = (uint8_t)value;
}

static size_t next_frame(struct end *end, uint8_t *frame)
{
    uint32_t sum = 0;

    (void)end;
    if (frames_left == 0)
        return 0;
    frames_left--;
    number++;
    for (size_t i = 0; i < LENGTH; i++)
        frame[i] = 0;
    put(frame, 0x02000000, 4);
    put(frame + 4, 0x00010200, 4);
    put(frame + 8, 0x00000002, 4);
    put(frame + 12, 0x08004500, 4);
    put(frame + 16, LENGTH - 14, 2);
    put(frame + 22, 0x4011, 2);
    put(frame + 26, prefixes[number * 7919U % prefix_count] | 1, 4);
    put(frame + 30, prefixes[number % prefix_count] | 2, 4);
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put(frame + 24, ~((sum & 0xffff) + (sum >> 16)), 2);
    put(frame + 34, 1000 + number % 5000, 2);
    put(frame + 36, 53, 2);
    put(frame + 38, LENGTH - 34, 2);
    return LENGTH;
}

static void flood(size_t count)
{
    frames_left = count;
    while (frames_left != 0) {
        (void)end_poll(&ends[0]);
        world_ns += 64 * NS_PER_US;
    }
}

/* The gateway is asked, and answers: nobody else hears what is sent. */
static void meet_gateway(uint64_t within_ns)
{
    ends[0].generate = NULL;
    ends[0].other = &ends[1];
    ends_wait(within_ns);
    ends[0].other = NULL;
}

static void start_with(size_t memory, size_t count)
{
    ends_start(memory, CARD, 64);
    ends[0].generate = next_frame;
    (void)end_poll(&ends[0]); /* memory is taken from its share */
    if (net_router_init(world_ns) != 0)
        fail("net_router_init");
    ip_configure(&ends[0].netif, be32_from(0x0a000001), 24, world_ns);
    add_prefixes(count);
    frames_left = 1;
    (void)end_poll(&ends[0]);
    meet_gateway(NS_PER_S);
    ends[0].generate = next_frame;
}

static void start(size_t count)
{
    start_with(MEMORY, count);
    flood(2 * PREFIXES); /* every range is built */
}

static void start_few(void)
{
    start(FEW);
}

static void start_many(void)
{
    start(PREFIXES);
}

static void start_fq_codel(void)
{
    struct qdisc_settings settings;

    start(FEW);
    if (!qdisc_parse("fq_codel", &settings) ||
        qdisc_attach(&ends[0].netif, &settings) != 0)
        fail("fq_codel");
    flood(PREFIXES);
}

/* The ring is full again before each frame comes in, and has room when the
 * next turn begins. */
static size_t next_frame_behind_others(struct end *end, uint8_t *frame)
{
    end->netif.transmit_stopped = true;
    return next_frame(end, frame);
}

static void start_fq_codel_queued(void)
{
    start_fq_codel();
    ends[0].generate = next_frame_behind_others;
    flood(PREFIXES);
}

/* ---- the same through a firewall that translates ---------------------------
 * A client behind the gateway, servers all over the prefixes. Of TCP in turns
 * one packet out and its answer back; of UDP nobody answers, so that the rules
 * are asked for every packet. */

static const char rules[] =
    "table inet f { chain forward { type filter hook forward priority 0\n"
    "policy drop; ct state established accept\n"
    "ip saddr 192.168.0.0/16 accept } }\n"
    "table ip n { chain post { type nat hook postrouting priority srcnat\n"
    "ip saddr 192.168.0.0/16 masquerade } }\n";

enum {
    TCP = 6,
    UDP = 17,
    ACK = 0x10,
    SYN = 0x02,
    PAYLOAD = LENGTH - 54,
    FIRST_NUMBER = 101,
    PORTS = 60000, /* of a client, to one server */
    CLIENT_ADDRESS = 0xc0a80102,
    OWN_ADDRESS = 0x0a000001,
};

static struct conversation {
    uint32_t count; /* of them */
    uint32_t now;
    uint32_t turn; /* even: out, odd: back */
    uint8_t protocol;
    uint8_t flags;  /* 0: the usual ones */
    uint32_t *done; /* bytes each has sent, each way */
} talk;

static void sum_header(uint8_t *frame)
{
    uint32_t sum = 0;

    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)frame[i] << 8 | frame[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put(frame + 24, ~((sum & 0xffff) + (sum >> 16)), 2);
}

static void put_segment(uint8_t *tcp, bool is_back)
{
    bool is_syn = (talk.flags & SYN) != 0;
    uint32_t done = talk.done[talk.now];

    put(tcp + 4, is_syn ? FIRST_NUMBER - 1 - PAYLOAD : FIRST_NUMBER + done, 4);
    put(tcp + 8, FIRST_NUMBER + done + (is_back && !is_syn ? PAYLOAD : 0), 4);
    put(tcp + 12, 0x5000U | talk.flags | (is_syn ? 0 : ACK), 2);
    put(tcp + 14, 65535, 2);
}

static size_t next_of_talk(struct end *end, uint8_t *frame)
{
    uint32_t server = prefixes[talk.now / PORTS * 7919U % prefix_count] | 3;
    uint16_t port = (uint16_t)(1024 + talk.now % PORTS);
    bool is_back = talk.protocol == TCP && talk.turn % 2 != 0;

    (void)end;
    if (frames_left == 0)
        return 0;
    frames_left--;
    memset(frame, 0, LENGTH);
    put(frame, 0x02000000, 4);
    put(frame + 4, 0x00010200, 4);
    put(frame + 8, 0x00000002, 4);
    put(frame + 12, 0x08004500, 4);
    put(frame + 16, LENGTH - 14, 2);
    put(frame + 22, 0x4000U | talk.protocol, 2);
    put(frame + 26, is_back ? server : CLIENT_ADDRESS, 4);
    put(frame + 30, is_back ? OWN_ADDRESS : server, 4);
    sum_header(frame);
    put(frame + 34, is_back ? 80 : port, 2);
    put(frame + 36, is_back ? port : 80, 2);
    if (talk.protocol == UDP)
        put(frame + 38, LENGTH - 34, 2);
    else
        put_segment(frame + 34, is_back);
    if (talk.turn++ % 2 != 0) {
        talk.done[talk.now] += talk.flags == 0 ? PAYLOAD : 0;
        talk.now = (talk.now + 7919) % talk.count;
    }
    return LENGTH;
}

static void converse(size_t count)
{
    uint64_t before = ends[0].netif.counters.tx_packets;

    flood(count);
    if (ends[0].netif.counters.tx_packets - before != count)
        fail("not all came through");
}

static void start_talk(uint8_t protocol, uint32_t count)
{
    struct ip_path path = {.netif = &ends[0].netif,
                           .gateway = be32_from(0x0a000002)};
    struct rules_error error;

    start_with(MEMORY + count * 2048UL, FEW);
    if (ip_route_add_path((struct ip_prefix){0xc0a80000, 16}, &path, 0) != 0 ||
        filter_start(world_ns) != 0 ||
        rules_load("bench", rules, strlen(rules), &error) != 0)
        fail("no firewall");
    talk = (struct conversation){.count = count, .protocol = protocol};
    talk.done = calloc(count, sizeof(*talk.done));
    ends[0].is_verified = true;
    ends[0].generate = next_of_talk;
    for (uint32_t i = 0; i < count; i++) {
        static const uint8_t flags[] = {SYN, SYN | ACK, 0, 0};

        for (size_t j = 0; j < sizeof(flags); j++) {
            talk.now = i;
            talk.flags = flags[j];
            converse(1);
        }
    }
    talk.now = 0;
    /* Flows may have taken minutes: the gateway is doubted, and asked. */
    for (int i = 0; i < 2; i++) {
        converse(1);
        meet_gateway(NEIGHBOUR_DELAY_NS + NS_PER_S);
        ends[0].generate = next_of_talk;
    }
}

static void start_nat_few(void)
{
    start_talk(TCP, 1000);
}

static void start_nat_many(void)
{
    start_talk(TCP, 100000);
}

static void start_nat_million(void)
{
    start_talk(TCP, 1000000);
}

static void start_nat_udp(void)
{
    start_talk(UDP, 1000);
}

static void look_up(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        number++;
        if (fib_table.find(prefixes[number % prefix_count] | 3, be32_from(0),
                           NULL) == NULL)
            fail("no route");
    }
}

/* The worst there is: every host of one /16. */
static void start_worst(void)
{
    struct ip_path path = {.netif = &ends[0].netif};

    start(FEW);
    prefix_count = 0;
    for (uint32_t i = 0; i < 65536; i++) {
        struct ip_prefix prefix = {0x30000000 + i, 32};

        path.gateway = be32_from(0x0a000002 + i % 3);
        if (ip_route_add_path(prefix, &path, 0) != 0)
            fail("no room");
        prefixes[prefix_count++] = prefix.address;
    }
    look_up(PREFIXES);
}

static const struct row {
    const char *name;
    void (*start)(void);
    void (*run)(size_t count);
} rows[] = {
    {"route-lookup", start_many, look_up},
    {"route-lookup-worst", start_worst, look_up},
    {"forward", start_few, flood},
    {"forward-100000", start_many, flood},
    {"forward-fq-codel", start_fq_codel, flood},
    {"forward-fq-codel-queued", start_fq_codel_queued, flood},
    {"forward-nat-1000", start_nat_few, converse},
    {"forward-nat-100000", start_nat_many, converse},
    {"forward-nat-udp", start_nat_udp, converse},
    {"forward-nat-1000000", start_nat_million, converse}, /* 2 GB, minutes */
};

static void mark(const char *name, size_t count)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s:%zu", name, count);
    CALLGRIND_DUMP_STATS_AT(text);
}

int main(int count, char **words)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (count == 1)
            printf("%s\n", rows[i].name);
        if (count != 2 || strcmp(words[1], rows[i].name) != 0)
            continue;
        rows[i].start();
        CALLGRIND_START_INSTRUMENTATION;
        CALLGRIND_ZERO_STATS;
        rows[i].run(COUNT);
        mark(rows[i].name, COUNT);
        rows[i].run(3 * COUNT);
        mark(rows[i].name, 3 * COUNT);
    }
    return 0;
}
