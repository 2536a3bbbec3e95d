/* SPDX-License-Identifier: MIT */
/*
 * What tracking and translation cost a packet of an established flow: the way
 * through all hooks of a masqueraded TCP connection, both directions, with
 * one rule that accepts what is established, among so many flows. Alone it
 * prints nanoseconds; a row's name gives callgrind its marks (the whole way of
 * such a packet is in router.c).
 *
 * usage: nat [FLOWS [PACKETS]] | nat-FLOWS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

#include "tests/host/filter_path.h"

#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

static const char rules[] =
    "table inet f { chain forward { type filter hook forward priority 0\n"
    "policy drop; ct state established accept\niif eth1 accept } }\n"
    "table ip n { chain post { type nat hook postrouting priority srcnat\n"
    "oif eth0 masquerade } }\n";

/* Compiled with the image's flags, the stack looks here. */
extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard = 0x5b1e00aa;

static uint8_t template[60];

static void write_packet(uint8_t *bytes, uint32_t from, uint16_t from_port,
                         uint32_t to, uint16_t to_port)
{
    struct ipv4_header *ip = (void *)bytes;
    struct tcp_header *tcp = (void *)(ip + 1);

    memset(template, 0, sizeof(template));
    ip->version_ihl = 0x45;
    ip->total_length = be16_from(sizeof(template));
    ip->ttl = 64;
    ip->protocol = FLOW_TCP;
    ip->source = be32_from(from);
    ip->destination = be32_from(to);
    tcp->source_port = be16_from(from_port);
    tcp->destination_port = be16_from(to_port);
    tcp->data_offset = 0x50;
    tcp->flags = TCP_ACK;
    tcp->window = be16_from(65535);
}

static void number(uint8_t *bytes, uint8_t flags, uint32_t sequence,
                   uint32_t ack)
{
    struct tcp_header *tcp = (void *)(bytes + 20);

    tcp->flags = flags;
    tcp->sequence = be32_from(sequence);
    tcp->acknowledgement = be32_from(ack);
}

static void pass(enum path_netif in, uint64_t now_ns)
{
    static struct packet *packet;

    if (packet == NULL) {
        packet = packet_alloc(PACKET_HEADROOM);
        packet_append(packet, sizeof(template));
    }
    memcpy(packet->data, template, sizeof(template));
    packet->checksum = PACKET_CHECKSUM_VERIFIED;
    if (path_run(packet, in, now_ns) != PATH_FORWARDED)
        abort();
}

static uint16_t port_of(uint32_t flow)
{
    return (uint16_t)(1024 + flow % 60000);
}

/* Each server has 60,000 flows of one client. */
static uint32_t server_of(uint32_t flow)
{
    return 0xcb007100 + flow / 60000;
}

static uint32_t *turns; /* segments each flow has sent, each way */

static void out(uint32_t flow, uint8_t flags, uint32_t sequence, uint32_t ack)
{
    write_packet(template, 0xc0a80102, port_of(flow), server_of(flow), 80);
    number(template, flags, sequence, ack);
    pass(PATH_LAN, NS_PER_S);
}

static void back(uint32_t flow, uint8_t flags, uint32_t sequence, uint32_t ack)
{
    write_packet(template, server_of(flow), 80, PATH_WAN_ADDRESS,
                 port_of(flow));
    number(template, flags, sequence, ack);
    pass(PATH_WAN, NS_PER_S);
}

enum {
    PAYLOAD = sizeof(template) - 40, /* SYNs carry it, too */
    FIRST = 101 + PAYLOAD,
    COUNT = 10000, /* packets of a row */
};

static void exchange(uint32_t flow)
{
    uint32_t done = turns[flow]++ * PAYLOAD;

    out(flow, TCP_ACK, FIRST + done, FIRST + done);
    back(flow, TCP_ACK, FIRST + done, FIRST + done + PAYLOAD);
}

/* Called by name, so that callgrind can be told to look at it alone. */
__attribute__((noinline)) static void measure(uint32_t flows, uint32_t packets)
{
    uint32_t flow = 0;

    for (uint32_t i = 0; i < packets; i += 2) {
        exchange(flow);
        flow = (flow + 7919) % flows;
    }
}

static void mark(const char *name, uint32_t count)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%s:%u", name, count);
    CALLGRIND_DUMP_STATS_AT(text);
}

/* For callgrind: two lengths, whose difference is what counts. */
static int count_row(const char *name, uint32_t flows)
{
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    measure(flows, COUNT);
    mark(name, COUNT);
    measure(flows, 3 * COUNT);
    mark(name, 3 * COUNT);
    return 0;
}

int main(int argc, char **argv)
{
    bool is_row = argc > 1 && strncmp(argv[1], "nat-", 4) == 0;
    uint32_t flows =
        argc > 1 ? (uint32_t)atoi(argv[1] + (is_row ? 4 : 0)) : 1000;
    uint32_t packets = argc > 2 ? (uint32_t)atoi(argv[2]) : 100000;
    struct rules_error error;
    struct timespec start;
    struct timespec end;
    double ns;

    path_start(flows * (size_t)2048 + (16 << 20));
    if (rules_load("bench", rules, strlen(rules), &error) != 0) {
        printf("%s\n", error.text);
        return 1;
    }
    turns = calloc(flows, sizeof(*turns));
    if (turns == NULL)
        return 1;
    for (uint32_t i = 0; i < flows; i++) {
        out(i, TCP_SYN, 100, 0);
        back(i, TCP_SYN | TCP_ACK, 100, FIRST);
        exchange(i);
    }
    if (is_row)
        return count_row(argv[1], flows);
    clock_gettime(CLOCK_MONOTONIC, &start);
    measure(flows, packets);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ns = (double)(end.tv_sec - start.tv_sec) * 1e9 +
         (double)(end.tv_nsec - start.tv_nsec);
    printf("%u flows: %.1f ns a packet\n", flows, ns / packets);
    return 0;
}
