/* SPDX-License-Identifier: MIT */
/*
 * The packets a script injects.
 */
#include "tests/script/bytes.h"
#include "tests/script/checksum.h"
#include "tests/script/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    IPV4 = 20,
    TTL = 255, /* as packetdrill */
};

static const uint8_t local_address[4] = {192, 168, 0, 1};
static const uint8_t remote_address[4] = {192, 0, 2, 1};

static uint32_t timestamp_to_wire(const struct flow *flow, uint32_t script)
{
    for (size_t i = flow->timestamp_count; i > 0; i--)
        if (flow->timestamps[i - 1].script == script)
            return flow->timestamps[i - 1].wire;
    return flow->has_timestamp ? script + flow->timestamp_offset : script;
}

static void put_options(const struct flow *flow, const struct segment *segment,
                        uint8_t *options)
{
    memcpy(options, segment->options, segment->options_length);
    for (size_t at = 0; at + 1 < segment->options_length;) {
        uint8_t kind = options[at];
        size_t length = kind <= 1 ? 1 : options[at + 1];
        if (length == 0 || length > segment->options_length - at)
            return;
        if (kind == 8 && length == 10)
            put32(options + at + 6,
                  timestamp_to_wire(flow, get32(options + at + 6)));
        for (size_t i = 2; kind == 5 && i + 4 <= length; i += 4)
            put32(options + at + i, get32(options + at + i) + flow->offset);
        at += length;
    }
}

static void put_ip(uint8_t *ip, const struct segment *segment, size_t length)
{
    int tos = segment->tos < 0 ? 0 : segment->tos;

    memset(ip, 0, IPV4);
    ip[0] = 0x45;
    ip[1] = (uint8_t)(tos | (segment->ecn < 0 ? 0 : segment->ecn));
    put16(ip + 2, (unsigned)length);
    ip[8] = segment->ttl < 0 ? TTL : (uint8_t)segment->ttl;
    ip[9] = (uint8_t)segment->protocol;
    memcpy(ip + 12, remote_address, 4);
    memcpy(ip + 16, local_address, 4);
    put16(ip + 10, internet_checksum(ip, IPV4, 0));
}

static size_t put_tcp(struct flow *flow, const struct segment *segment,
                      uint8_t *ip)
{
    uint8_t *tcp = ip + IPV4;
    size_t header = 20 + segment->options_length;
    bool is_syn = (segment->flags & FLAG_SYN) != 0;
    bool has_ack = segment->has_ack || (segment->flags & FLAG_ACK) != 0;

    if (is_syn)
        flow->offered_start = segment->seq + 1;
    if (is_syn && flow->is_active && !flow->has_start) {
        flow->remote_start = segment->seq + 1;
        flow->has_start = true;
    }
    memset(tcp, 0, 20);
    put16(tcp, flow->remote_port);
    put16(tcp + 2, flow->local_port);
    put32(tcp + 4, segment->seq + flow_remote_isn);
    put32(tcp + 8, has_ack ? segment->ack + flow->offset : 0);
    size_t words =
        segment->data_offset < 0 ? header / 4 : (size_t)segment->data_offset;
    tcp[12] = (uint8_t)(words << 4 | (segment->flags >> 8 & 1));
    tcp[13] = (uint8_t)segment->flags;
    put16(tcp + 14, segment->window);
    put16(tcp + 18, segment->urgent);
    put_options(flow, segment, tcp + 20);
    stream_fill(tcp + header, segment->length,
                is_syn ? 0 : segment->seq - flow->remote_start);
    size_t length = header + segment->length;
    put_ip(ip, segment, IPV4 + length);
    put16(tcp + 16, internet_checksum(tcp, length, pseudo_sum(ip)));
    if (segment->bad_checksum)
        tcp[16] ^= 0x55;
    return IPV4 + length;
}

static size_t put_udp(const struct flow *flow, const struct segment *segment,
                      uint8_t *ip)
{
    uint8_t *udp = ip + IPV4;
    size_t length = 8 + segment->length;

    put16(udp, flow->remote_port);
    put16(udp + 2, flow->local_port);
    put16(udp + 4, (unsigned)length);
    put16(udp + 6, 0);
    stream_fill(udp + 8, segment->length, 0);
    put_ip(ip, segment, IPV4 + length);
    put16(udp + 6, internet_checksum(udp, length, pseudo_sum(ip)));
    if (segment->bad_checksum)
        udp[6] ^= 0x55;
    return IPV4 + length;
}

/* An error about a packet of the stack: its header and 8 bytes. */
static size_t put_icmp(const struct flow *flow, const struct segment *segment,
                       uint8_t *ip)
{
    uint8_t *icmp = ip + IPV4;
    uint8_t *inner = icmp + 8;
    size_t length = 8 + (segment->has_quote ? IPV4 + 8 : 0);
    bool is_udp = segment->quoted == PROTOCOL_UDP;

    memset(icmp, 0, length);
    icmp[0] = segment->type;
    icmp[1] = segment->code;
    put16(icmp + 6, segment->mtu);
    if (segment->has_quote) {
        struct segment quoted = {
            .protocol = segment->quoted, .ttl = 64, .tos = -1, .ecn = -1};
        put_ip(inner, &quoted, IPV4 + (is_udp ? 8U : 20U) + segment->length);
        memcpy(inner + 12, local_address, 4);
        memcpy(inner + 16, remote_address, 4);
        inner[6] = 0x40;
        put16(inner + 10, 0);
        put16(inner + 10, internet_checksum(inner, IPV4, 0));
        put16(inner + IPV4, flow->local_port);
        put16(inner + IPV4 + 2, flow->remote_port);
        if (is_udp)
            put16(inner + IPV4 + 4, 8 + segment->length);
        else
            put32(inner + IPV4 + 4, segment->seq + flow->offset);
    }
    put_ip(ip, segment, IPV4 + length);
    put16(icmp + 2, internet_checksum(icmp, length, 0));
    return IPV4 + length;
}

size_t flow_encode(const struct segment *segment, uint8_t *packet, size_t size)
{
    struct flow *flow = &flows[segment->peer];
    size_t length;

    if (IPV4 + 60 + (size_t)segment->length > size) {
        fprintf(stderr, "a packet of more than 64 KiB\n");
        abort();
    }
    if (segment->local_port != 0)
        flow->local_port = segment->local_port;
    if (segment->protocol == PROTOCOL_TCP)
        length = put_tcp(flow, segment, packet);
    else if (segment->protocol == PROTOCOL_UDP)
        length = put_udp(flow, segment, packet);
    else
        length = put_icmp(flow, segment, packet);
    return length;
}
