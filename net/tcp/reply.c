/* SPDX-License-Identifier: MIT */
/*
 * Segments that belong to no connection object: resets, SYN-ACKs, and what
 * TIME-WAIT says. Input puts them into a short queue; the end of the batch
 * sends them. A full queue drops: the peer repeats itself.
 */
#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/internal.h"
#include "net/wire/checksum.h"

#include <string.h>

/* What waits in the packet's scratch. */
struct waiting {
    struct tcp_tuple tuple;
    uint8_t ttl;
    uint8_t tos;
};

_Static_assert(sizeof(struct waiting) <= sizeof(((struct packet *)0)->scratch),
               "kept in the packet");

static struct packet_queue replies;

static struct waiting *waiting_of(struct packet *packet)
{
    void *scratch = packet->scratch;

    return scratch;
}

void reply_queue(const struct tcp_reply *reply)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    size_t options_length = tcp_options_emit(&reply->options, bytes);
    size_t length = TCP_HEADER_LENGTH + options_length;
    struct packet *packet =
        replies.count < TCP_REPLIES_MAX ? packet_alloc(PACKET_HEADROOM) : NULL;

    if (packet == NULL) {
        tcp_counters.replies_dropped++;
        return;
    }
    struct tcp_header *header = packet_push(packet, length);
    memcpy(header + 1, bytes, options_length);
    *header = (struct tcp_header){
        .source_port = be16_from(reply->tuple.local_port),
        .destination_port = be16_from(reply->tuple.remote_port),
        .sequence = be32_from(reply->seq.value),
        .acknowledgement = be32_from(reply->ack.value),
        .data_offset = (uint8_t)(length / 4 << 4),
        .flags = reply->flags,
        .window = be16_from(reply->window),
    };
    uint32_t sum = ip_pseudo_header_sum(
        &reply->tuple.local, &reply->tuple.remote, IP_PROTOCOL_TCP, length);
    header->checksum = be16_from(checksum_fold(sum));
    packet->transport_offset = (uint16_t)packet_headroom(packet);
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = packet->transport_offset;
    packet->checksum_offset = offsetof(struct tcp_header, checksum);
    *waiting_of(packet) = (struct waiting){
        .tuple = reply->tuple, .ttl = reply->ttl, .tos = reply->tos};
    packet_queue_append(&replies, packet);
}

void reply_reset(const struct tcp_tuple *tuple,
                 const struct tcp_segment *segment)
{
    struct tcp_reply reply = {.tuple = *tuple, .flags = TCP_RST};

    if ((segment->flags & TCP_RST) != 0)
        return;
    if ((segment->flags & TCP_ACK) != 0) {
        reply.seq = segment->ack;
    } else {
        reply.flags |= TCP_ACK;
        reply.ack = seq_add(segment->seq, segment_space(segment));
    }
    tcp_counters.out_resets++;
    reply_queue(&reply);
}

void replies_send(uint64_t now_ns)
{
    struct packet_queue list = replies;
    struct packet *packet;

    replies = (struct packet_queue){.first = NULL};
    while ((packet = packet_queue_take(&list)) != NULL) {
        struct waiting waiting = *waiting_of(packet);
        struct ip_route route;
        if (ip_route_lookup(&waiting.tuple.remote, &waiting.tuple.local,
                            &route) != 0) {
            packet_drop(packet, DROP_IP_NO_ROUTE);
            continue;
        }
        const struct ip_send_options options = {
            .source = waiting.tuple.local,
            .destination = waiting.tuple.remote,
            .protocol = IP_PROTOCOL_TCP,
            .ttl = waiting.ttl,
            .tos = waiting.tos,
            .dont_fragment = tcp_settings.mtu_discovery,
        };
        tcp_counters.out_segments++;
        ip_send(packet, &options, &route, now_ns);
    }
}
