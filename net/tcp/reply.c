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

/* What waits with a packet, at the far end of its buffer. */
struct waiting {
    struct ip_route route;
    struct ip_send_options options;
};

_Static_assert(sizeof(struct waiting) + PACKET_HEADROOM + TCP_HEADER_MAX <=
                   BUFFER_SIZE,
               "both fit the buffer");

static struct packet_queue replies;

static struct waiting *waiting_of(struct packet *packet)
{
    void *end = packet->buffer + BUFFER_SIZE - sizeof(struct waiting);

    return end;
}

bool reply_is_possible(void)
{
    if (replies.count < TCP_REPLIES_MAX)
        return true;
    tcp_counters.replies_dropped++;
    return false;
}

static void fill_header(struct packet *packet, const struct tcp_reply *reply)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    size_t options_length = tcp_options_emit(&reply->options, bytes);
    size_t length = TCP_HEADER_LENGTH + options_length;
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
}

void reply_queue_in(struct packet *packet, const struct tcp_reply *reply,
                    const struct ip_route *route)
{
    struct waiting *waiting = waiting_of(packet);

    fill_header(packet, reply);
    waiting->route = *route;
    waiting->options = (struct ip_send_options){
        .source = reply->tuple.local,
        .destination = reply->tuple.remote,
        .protocol = IP_PROTOCOL_TCP,
        .ttl = reply->ttl,
        .tos = reply->tos,
        .dont_fragment = tcp_settings.mtu_discovery,
    };
    packet_queue_append(&replies, packet);
}

void reply_queue(const struct tcp_reply *reply, const struct ip_route *route)
{
    struct ip_route found;

    if (!reply_is_possible())
        return;
    if (route == NULL &&
        ip_route_lookup(&reply->tuple.remote, &reply->tuple.local, &found) != 0)
        return;
    struct packet *packet = packet_alloc(PACKET_HEADROOM);
    if (packet == NULL)
        tcp_counters.replies_dropped++;
    else
        reply_queue_in(packet, reply, route == NULL ? &found : route);
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
    reply_queue(&reply, NULL);
}

void replies_send(uint64_t now_ns)
{
    struct packet *packet;

    if (replies.first == NULL)
        return;
    struct packet_queue list = replies;
    replies = (struct packet_queue){.first = NULL};
    while ((packet = packet_queue_take(&list)) != NULL) {
        const struct waiting *waiting = waiting_of(packet);
        tcp_counters.out_segments++;
        ip_send(packet, &waiting->options, &waiting->route, now_ns);
    }
}
