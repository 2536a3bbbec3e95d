/* SPDX-License-Identifier: MIT */
/*
 * Flows, and reading what the stack sent.
 */
#include "tests/script/flow.h"
#include "tests/script/bytes.h"
#include "tests/script/checksum.h"

#include <string.h>

struct flow flows[SCRIPT_FLOWS];
bool flow_has_df = true;
uint32_t flow_remote_isn;

void flows_init(uint32_t remote_isn)
{
    flow_remote_isn = remote_isn;
    memset(flows, 0, sizeof(flows));
    for (unsigned i = 1; i < SCRIPT_FLOWS; i++)
        flows[i] = (struct flow){
            .remote_port = (uint16_t)(PEER_PORT + i),
            .local_port = SERVER_PORT,
            .is_new = true,
            .remote_start = 1,
            .local_start = 1,
        };
}

void flow_connect(uint16_t remote_port, uint16_t local_port)
{
    unsigned peer = (unsigned)(remote_port - CONNECT_PORT) + 1;

    if (peer == 0 || peer >= SCRIPT_FLOWS)
        return;
    flows[peer] = (struct flow){
        .remote_port = remote_port,
        .local_port = local_port,
        .is_active = true,
        .is_new = true,
        .remote_start = 1,
        .local_start = 1,
    };
}

uint8_t stream_byte(uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + 1);
}

void stream_fill(uint8_t *bytes, size_t length, uint64_t offset)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = stream_byte(offset + i);
}

bool stream_matches(const uint8_t *bytes, size_t length, uint64_t offset)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != stream_byte(offset + i))
            return false;
    return true;
}

static struct flow *find(uint16_t remote_port, uint16_t local_port,
                         unsigned *peer)
{
    for (unsigned i = 1; i < SCRIPT_FLOWS; i++) {
        struct flow *flow = &flows[i];
        if (flow->remote_port == remote_port &&
            (flow->local_port == local_port || flow->local_port == 0)) {
            *peer = i;
            return flow;
        }
    }
    return NULL;
}

static uint32_t timestamp_to_script(const struct flow *flow, uint32_t wire)
{
    for (size_t i = flow->timestamp_count; i > 0; i--)
        if (flow->timestamps[i - 1].wire == wire)
            return flow->timestamps[i - 1].script;
    return flow->has_timestamp ? wire - flow->timestamp_offset : wire;
}

/* Options in the script's numbers. */
static void translate_options(const struct flow *flow, struct segment *segment)
{
    uint8_t *options = segment->options;

    for (size_t at = 0; at < segment->options_length;) {
        uint8_t kind = options[at];
        if (kind <= 1) {
            at++;
            continue;
        }
        size_t left = segment->options_length - at;
        size_t length = left < 2 ? 0 : options[at + 1];
        if (length < 2 || length > left)
            return;
        if (kind == 8 && length == 10)
            put32(options + at + 2,
                  timestamp_to_script(flow, get32(options + at + 2)));
        for (size_t i = 2; kind == 5 && i + 4 <= length; i += 4)
            put32(options + at + i, get32(options + at + i) - flow_remote_isn);
        at += length;
    }
}

static const uint8_t *find_option(const uint8_t *options, size_t length,
                                  uint8_t wanted)
{
    for (size_t at = 0; at + 1 < length && options[at] != 0;) {
        if (options[at] == wanted)
            return options + at;
        if (options[at] == 1)
            at++;
        else if (options[at + 1] < 2)
            return NULL;
        else
            at += options[at + 1];
    }
    return NULL;
}

/* The script's TS val stands for the one that was sent. */
static void learn_timestamp(struct flow *flow, const struct segment *segment,
                            const struct segment *expected)
{
    const uint8_t *wire =
        find_option(segment->options, segment->options_length, 8);
    const uint8_t *script =
        find_option(expected->options, expected->options_length, 8);

    if (wire == NULL || script == NULL ||
        flow->timestamp_count == FLOW_TIMESTAMPS)
        return;
    uint32_t value = get32(wire + 2);
    if (!flow->has_timestamp)
        flow->timestamp_offset = value - get32(script + 2);
    flow->has_timestamp = true;
    flow->timestamps[flow->timestamp_count].wire = value;
    flow->timestamps[flow->timestamp_count++].script = get32(script + 2);
}

/* A SYN of the stack that belongs to a connection not seen before: the first,
 * or the answer to a SYN with another number. */
static bool begins(const struct flow *flow, const struct segment *segment,
                   uint32_t ack)
{
    return flow->is_new ||
           ((segment->flags & FLAG_ACK) != 0 && !flow->is_active &&
            flow->offered_start != flow->remote_start &&
            ack - flow_remote_isn == flow->offered_start);
}

static void learn_start(struct flow *flow, uint32_t seq,
                        const struct segment *expected, uint16_t local_port)
{
    flow->is_new = false;
    flow->local_port = local_port;
    flow->offset = seq - expected->seq;
    flow->local_start = expected->seq + 1;
    flow->has_timestamp = false;
    flow->timestamp_count = 0;
    if (!flow->is_active)
        flow->remote_start = flow->offered_start;
}

static const char *decode_tcp(const uint8_t *ip, const uint8_t *tcp,
                              size_t length, const struct segment *expected,
                              struct segment *segment)
{
    size_t header = length < 20 ? 0 : (size_t)(tcp[12] >> 4) * 4;

    if (header < 20 || header > length)
        return "a TCP header that does not fit";
    if (internet_checksum(tcp, length, pseudo_sum(ip)) != 0)
        return "a wrong TCP checksum";
    bool has_df = expected == NULL || expected->dont_fragment < 0
                      ? flow_has_df
                      : expected->dont_fragment != 0;
    if (get16(ip + 6) != (has_df ? 0x4000 : 0))
        return has_df ? "TCP without DF, or in fragments"
                      : "TCP with DF, or in fragments";
    struct flow *flow = find(get16(tcp + 2), get16(tcp), &segment->peer);
    if (flow == NULL)
        return "a segment for nobody in this script";
    segment->flags = (uint16_t)(tcp[13] | (tcp[12] & 1) << 8);
    segment->window = get16(tcp + 14);
    segment->urgent = get16(tcp + 18);
    segment->length = (uint32_t)(length - header);
    segment->options_length = header - 20;
    memcpy(segment->options, tcp + 20, header - 20);
    segment->has_window = true;
    uint32_t seq = get32(tcp + 4);
    bool is_syn = (segment->flags & FLAG_SYN) != 0;
    if (expected != NULL && is_syn && begins(flow, segment, get32(tcp + 8)))
        learn_start(flow, seq, expected, get16(tcp));
    if (expected != NULL)
        learn_timestamp(flow, segment, expected);
    segment->seq = seq - flow->offset;
    segment->has_ack = (segment->flags & FLAG_ACK) != 0;
    segment->ack = get32(tcp + 8) - (segment->has_ack ? flow_remote_isn : 0);
    translate_options(flow, segment);
    if (!stream_matches(tcp + header, segment->length,
                        segment->seq + is_syn - flow->local_start))
        return "payload other than what was written";
    return NULL;
}

static const char *decode_udp(const uint8_t *ip, const uint8_t *udp,
                              size_t length, struct segment *segment)
{
    if (length < 8 || get16(udp + 4) != length)
        return "a UDP length that does not fit";
    if (get16(udp + 6) == 0 ||
        internet_checksum(udp, length, pseudo_sum(ip)) != 0)
        return "a wrong UDP checksum";
    struct flow *flow = find(get16(udp + 2), get16(udp), &segment->peer);
    if (flow == NULL)
        return "a datagram for nobody in this script";
    flow->local_port = get16(udp);
    segment->length = (uint32_t)(length - 8);
    if (!stream_matches(udp + 8, segment->length, 0))
        return "payload other than what was written";
    return NULL;
}

const char *flow_decode(const uint8_t *packet, size_t length,
                        const struct segment *expected, struct segment *segment)
{
    size_t header = (size_t)(packet[0] & 0x0f) * 4;

    *segment = (struct segment){.data_offset = -1, .peer = 1};
    if (packet[0] >> 4 != 4 || header != 20 || length < header)
        return "an IPv4 header that is none, or has options";
    if (internet_checksum(packet, header, 0) != 0)
        return "a wrong IPv4 checksum";
    segment->ttl = packet[8];
    segment->tos = packet[1] & 0xfc;
    segment->ecn = packet[1] & 3;
    segment->protocol = (enum protocol)packet[9];
    packet += header;
    length -= header;
    if (segment->protocol == PROTOCOL_TCP)
        return decode_tcp(packet - header, packet, length, expected, segment);
    if (segment->protocol == PROTOCOL_UDP)
        return decode_udp(packet - header, packet, length, segment);
    if (segment->protocol != PROTOCOL_ICMP || length < 8)
        return "a protocol scripts do not know";
    if (internet_checksum(packet, length, 0) != 0)
        return "a wrong ICMP checksum";
    segment->type = packet[0];
    segment->code = packet[1];
    return NULL;
}
