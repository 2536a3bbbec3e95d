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

static void start(size_t count)
{
    ends_start(MEMORY, CARD, 64);
    ends[0].generate = next_frame;
    (void)end_poll(&ends[0]); /* memory is taken from its share */
    if (net_router_init(world_ns) != 0)
        fail("net_router_init");
    ip_configure(&ends[0].netif, be32_from(0x0a000001), 24, world_ns);
    add_prefixes(count);
    frames_left = 1;
    (void)end_poll(&ends[0]);
    ends[0].generate = NULL;
    ends_wait(NS_PER_S); /* the gateway is known */
    ends[0].generate = next_frame;
    ends[0].other = NULL;
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
