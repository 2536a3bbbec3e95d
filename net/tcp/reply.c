/* SPDX-License-Identifier: MIT */
/*
 * Segments that belong to no connection object: resets, SYN-ACKs, and what
 * TIME-WAIT says. Input puts them into a short queue; the end of the batch
 * sends them. A full queue drops: the peer repeats itself.
 */
#include "net/limits.h"
#include "net/tcp/internal.h"
#include "net/wire/checksum.h"

_Static_assert(sizeof(struct ip_hop) + PACKET_HEADROOM + TCP_HEADER_MAX <=
                   BUFFER_SIZE,
               "the way of a packet fits the far end of its buffer");

struct packet_queue tcp_replies;

static struct ip_hop *hop_of(struct packet *packet)
{
    void *end = packet->buffer + BUFFER_SIZE - sizeof(struct ip_hop);

    return end;
}

struct packet *reply_begin(const struct tcp_tuple *tuple, struct packet *packet,
                           const struct ip_hop *hop)
{
    if (tcp_replies.count >= TCP_REPLIES_MAX) {
        tcp_counters.replies_dropped++;
        if (packet != NULL)
            packet_free(packet);
        return NULL;
    }
    if (packet != NULL)
        packet_renew(packet, PACKET_HEADROOM);
    else
        packet = packet_alloc(PACKET_HEADROOM);
    if (packet == NULL) {
        tcp_counters.replies_dropped++;
        return NULL;
    }
    if (hop != NULL) {
        *hop_of(packet) = *hop;
    } else if (ip_hop_lookup(&tuple->remote, &tuple->local, hop_of(packet)) !=
               0) {
        packet_free(packet);
        return NULL;
    }
    return packet;
}

const struct ip_hop *reply_hop(struct packet *packet)
{
    return hop_of(packet);
}

/* The room the options take, which have no SACK blocks. */
static size_t options_length(const struct tcp_header_options *options)
{
    return (options->mss != 0 ? 4U : 0U) +
           (options->has_window_scale ? 4U : 0U) +
           (options->has_timestamp        ? TCP_TIMESTAMP_SPACE
            : options->has_sack_permitted ? 4U
                                          : 0U);
}

struct tcp_header *reply_push(struct packet *packet,
                              const struct tcp_tuple *tuple, size_t length,
                              uint8_t ttl, uint8_t tos)
{
    struct tcp_header *header = (void *)(packet->data - length);
    uint16_t sum = ip_flow_sum(&tuple->local, &tuple->remote, IP_PROTOCOL_TCP);
    const struct ip_flow flow = {
        .source = &tuple->local,
        .destination = &tuple->remote,
        .sum = sum,
        .protocol = IP_PROTOCOL_TCP,
        .ttl = ttl,
        .tos = tos,
    };

    packet->data = (void *)header;
    packet->length = (uint32_t)length;
    header->source_port = be16_from(tuple->local_port);
    header->data_offset = (uint8_t)(length / 4 << 4);
    header->destination_port = be16_from(tuple->remote_port);
    header->checksum = be16_from(checksum_fold(sum + (uint32_t)length));
    header->urgent = be16_from(0);
    packet->transport_offset = (uint16_t)packet_headroom(packet);
    packet->checksum = PACKET_CHECKSUM_PARTIAL;
    packet->checksum_start = packet->transport_offset;
    packet->checksum_offset = offsetof(struct tcp_header, checksum);
    ip_push_whole(packet, &flow);
    if (!tcp_settings.mtu_discovery)
        ip_make_divisible(packet);
    return header;
}

void reply_append(struct packet *packet)
{
    packet_queue_push(&tcp_replies, packet);
    tcp_is_owed = true;
}

void reply_queue(struct packet *packet, const struct tcp_tuple *tuple,
                 const struct tcp_reply *reply)
{
    struct tcp_header *header = reply_push(
        packet, tuple, TCP_HEADER_LENGTH + options_length(&reply->options),
        reply->ttl, reply->tos);

    header->sequence = be32_from(reply->seq.value);
    header->flags = reply->flags;
    header->acknowledgement = be32_from(reply->ack.value);
    header->window = be16_from(reply->window);
    (void)tcp_options_emit(&reply->options, (uint8_t *)(header + 1));
    reply_append(packet);
}

void reply_reset(const struct tcp_tuple *tuple,
                 const struct tcp_segment *segment)
{
    struct tcp_reply reply = {.flags = TCP_RST};

    if ((segment->flags & TCP_RST) != 0)
        return;
    if ((segment->flags & TCP_ACK) != 0) {
        reply.seq = segment->ack;
    } else {
        reply.flags |= TCP_ACK;
        reply.ack = seq_add(segment->seq, segment_space(segment));
    }
    tcp_counters.out_resets++;
    struct packet *packet = reply_begin(tuple, NULL, NULL);
    if (packet != NULL)
        reply_queue(packet, tuple, &reply);
}

void replies_send_queued(uint64_t now_ns)
{
    struct packet_queue list = tcp_replies;
    struct packet *packet;

    tcp_replies = (struct packet_queue){.first = NULL};
    while (list.first != NULL) {
        packet = packet_queue_pop(&list);
        tcp_counters.out_segments++;
        ip_send_whole(packet, hop_of(packet), now_ns);
    }
}
