/* SPDX-License-Identifier: MIT */
/*
 * The way in: header checks, checksum, and whose segment it is. Segments for
 * nobody are answered with a reset (RFC 9293 3.10.7.1).
 */
#include "net/attributes.h"
#include "net/tcp/internal.h"

/* Text is kept as one buffer a packet, and counted so. Of a longer segment,
 * which came in fragments and which no MSS of ours allows, the beginning is
 * taken; the rest, and its end, come again. */
static COLD NOINLINE void keep_beginning(struct packet *packet)
{
    struct tcp_header *header = (void *)packet->data;

    header->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    packet_trim(packet, packet->length);
}

/* Why the segment cannot be one; DROP_NONE when it is. */
static enum drop_reason check(struct packet *packet)
{
    if (packet->length < TCP_HEADER_LENGTH)
        return DROP_TCP_SHORT;
    size_t length = tcp_header_length((const void *)packet->data);
    if (length < TCP_HEADER_LENGTH || length > packet->length)
        return DROP_TCP_HEADER;
    if (packet->checksum == PACKET_CHECKSUM_NONE &&
        !ip_checksum_is_valid(packet))
        return DROP_TCP_CHECKSUM;
    if (packet->fragment_count != 0)
        keep_beginning(packet);
    return DROP_NONE;
}

/* Nothing but timestamps, most often. */
static inline void parse_options(const struct tcp_header *header, size_t length,
                                 struct tcp_header_options *options)
{
    const struct be32 *words = (const void *)(header + 1);

    if (length == TCP_HEADER_LENGTH + TCP_TIMESTAMP_SPACE &&
        be32_get(words[0]) == TCP_TIMESTAMP_WORD) {
        tcp_options_clear(options);
        options->has_timestamp = true;
        options->timestamp = be32_get(words[1]);
        options->timestamp_echo = be32_get(words[2]);
        return;
    }
    tcp_options_parse((const uint8_t *)(header + 1), length - TCP_HEADER_LENGTH,
                      (header->flags & TCP_SYN) != 0, options);
}

/* Leaves the packet at its payload. */
static inline void parse(struct packet *packet, struct tcp_segment *segment)
{
    const struct ipv4_header *ip = packet_network_header(packet);
    const struct tcp_header *header = (const void *)packet->data;
    size_t length = tcp_header_length(header);

    segment->seq = seq_from(be32_get(header->sequence));
    segment->ack = seq_from(be32_get(header->acknowledgement));
    segment->urgent_from = segment->seq;
    segment->urgent_end = seq_add(segment->seq, be16_get(header->urgent));
    segment->window = be16_get(header->window);
    segment->flags = header->flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH |
                                      TCP_ACK | TCP_URG);
    segment->ecn =
        (uint8_t)((header->flags & (TCP_ECE | TCP_CWR)) | (ip->tos & 3));
    parse_options(header, length, &segment->options);
    segment->length = (uint32_t)(packet->length - length);
    packet->data += length;
    packet->length = segment->length;
}

static void receive_for(struct tcp_node *node, struct packet *packet,
                        struct tcp_segment *segment, uint64_t now_ns)
{
    switch ((enum tcp_node_kind)node->kind) {
    case TCP_NODE_CONNECTION:
        connection_receive(connection_of(node), packet, segment, now_ns);
        return;
    case TCP_NODE_HALF_OPEN:
        half_open_receive(node, packet, segment, now_ns);
        return;
    case TCP_NODE_TIME_WAIT:
        time_wait_receive(node, packet, segment, now_ns);
        return;
    }
}

/* Segments that the link layer has found to follow each other. What one does
 * may make another node of the next one's, or none. */
static COLD NOINLINE void receive_train(const struct tcp_tuple *tuple,
                                        struct packet *packet,
                                        struct tcp_segment *segment,
                                        uint64_t now_ns)
{
    const struct tcp_tuple copy = *tuple; /* it may be the node's */

    packet->next = packet->train;
    packet->train = NULL;
    while (packet != NULL) {
        struct tcp_node *node = table_find(&copy);
        struct packet *next = packet->next;
        struct tcp_segment one = *segment;

        one.length = packet->length;
        segment->seq = seq_add(segment->seq, one.length);
        if (node != NULL)
            receive_for(node, packet, &one, now_ns);
        else
            listen_receive(packet, &copy, &one, now_ns);
        packet = next;
    }
}

static inline bool is_predictable(const struct tcp_node *node)
{
    return node != NULL && node->kind == TCP_NODE_CONNECTION &&
           ((const struct tcp_connection *)node)->state >= TCP_ESTABLISHED &&
           tcp_settings.header_prediction;
}

void receive_any(struct tcp_node *node, struct packet *packet, uint64_t now_ns)
{
    struct tcp_segment segment;

    parse(packet, &segment);
    if (packet->train == NULL)
        receive_for(node, packet, &segment, now_ns);
    else
        receive_train(&node->tuple, packet, &segment, now_ns);
}

/* A segment that is none of the recent ones. */
static NOINLINE void receive_new(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *ip = packet_network_header(packet);
    const struct tcp_header *header = (const void *)packet->data;
    const struct tcp_tuple tuple = {
        .local = ip_address_from_ipv4(ip->destination),
        .remote = ip_address_from_ipv4(ip->source),
        .local_port = be16_get(header->destination_port),
        .remote_port = be16_get(header->source_port),
    };
    struct tcp_node *node = table_find(&tuple);
    struct tcp_segment segment;

    if (is_predictable(node)) {
        predict_receive(connection_of(node), packet, now_ns);
    } else if (node != NULL) {
        receive_any(node, packet, now_ns);
    } else {
        parse(packet, &segment);
        if (packet->train == NULL)
            listen_receive(packet, &tuple, &segment, now_ns);
        else
            receive_train(&tuple, packet, &segment, now_ns);
    }
}

/* Nothing that is a segment. RFC 9293 3.9.2.3, MUST-57: no answer to a group.
 */
static COLD void refuse(struct packet *packet, enum drop_reason reason)
{
    if (reason != DROP_IP_BROADCAST_FRAME)
        tcp_counters.in_errors++;
    packet_drop(packet, reason);
}

void tcp_receive(struct packet *packet, uint64_t now_ns)
{
    const struct tcp_header *header = (const void *)packet->data;
    enum drop_reason reason = DROP_IP_BROADCAST_FRAME;

    if (!packet->is_broadcast) {
        tcp_counters.in_segments +=
            packet->train == NULL ? 1 : packet->segment_count;
        reason = check(packet);
    }
    if (reason != DROP_NONE) {
        refuse(packet, reason);
        return;
    }
    struct tcp_node *node = NULL;
    if ((header->flags & (TCP_SYN | TCP_ACK)) != TCP_SYN) /* of somebody new */
        node = table_find_recent(packet);
    if (is_predictable(node))
        predict_receive(connection_of(node), packet, now_ns);
    else if (node != NULL)
        receive_any(node, packet, now_ns);
    else
        receive_new(packet, now_ns);
}
