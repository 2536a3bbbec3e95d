/* SPDX-License-Identifier: MIT */
/*
 * What the sender of a rejected packet is told: an ICMP error (RFC 1812
 * 5.2.7.1), or a TCP reset as if the port were closed (RFC 9293 3.10.7.1).
 */
#include "net/ip/forward.h"
#include "net/ip/icmp.h"
#include "net/ip/ip.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

#include <string.h>

static uint8_t code_of(enum filter_verdict verdict)
{
    switch (verdict) {
    case FILTER_REJECT_NET_UNREACHABLE:
        return ICMP_NET_UNREACHABLE;
    case FILTER_REJECT_HOST_UNREACHABLE:
        return ICMP_HOST_UNREACHABLE;
    case FILTER_REJECT_PROTOCOL_UNREACHABLE:
        return ICMP_PROTOCOL_UNREACHABLE;
    case FILTER_REJECT_NET_PROHIBITED:
        return ICMP_NET_PROHIBITED;
    case FILTER_REJECT_HOST_PROHIBITED:
        return ICMP_HOST_PROHIBITED;
    case FILTER_REJECT_ADMIN_PROHIBITED:
        return ICMP_PROHIBITED;
    case FILTER_REJECT_PORT_UNREACHABLE:
    case FILTER_REJECT_TCP_RESET:
    case FILTER_ACCEPT:
    case FILTER_DROP:
    case FILTER_VERDICT_COUNT:
        break;
    }
    return ICMP_PORT_UNREACHABLE;
}

/* SEG.SEQ of the reset and its flags, RFC 9293 3.10.7.1. */
static void answer(struct tcp_header *reset, const struct tcp_header *to,
                   uint32_t length)
{
    if ((to->flags & TCP_ACK) != 0) {
        reset->sequence = to->acknowledgement;
        reset->flags = TCP_RST;
        return;
    }
    length += (to->flags & TCP_SYN) != 0;
    length += (to->flags & TCP_FIN) != 0;
    reset->acknowledgement = be32_from(be32_get(to->sequence) + length);
    reset->flags = TCP_RST | TCP_ACK;
}

/* The packet's segment, whole and intact, or NULL. */
static const struct tcp_header *segment_of(const struct packet *packet,
                                           size_t *payload)
{
    const struct ipv4_header *header = packet_network_header(packet);
    const uint8_t *at = packet_network_header(packet);
    size_t header_length = ipv4_header_length(header);
    size_t linear = (size_t)(packet->data + packet->length - at);
    const struct tcp_header *tcp = (const void *)(at + header_length);

    if (header->protocol != IP_PROTOCOL_TCP || ipv4_is_fragment(header) ||
        packet->is_broadcast || !ipv4_is_unicast(header->source) ||
        linear < header_length + TCP_HEADER_LENGTH)
        return NULL;
    *payload = linear - header_length + packet->fragments_length;
    if (tcp_header_length(tcp) < TCP_HEADER_LENGTH ||
        tcp_header_length(tcp) > *payload || (tcp->flags & TCP_RST) != 0)
        return NULL;
    *payload -= tcp_header_length(tcp);
    return tcp;
}

static void send_reset(const struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = packet_network_header(packet);
    struct ip_send_options options = {
        .source = ip_address_from_ipv4(header->destination),
        .destination = ip_address_from_ipv4(header->source),
        .protocol = IP_PROTOCOL_TCP,
        .dont_fragment = true,
    };
    size_t payload = 0;
    const struct tcp_header *tcp = segment_of(packet, &payload);
    struct tcp_header *reset;
    struct packet *reply;
    struct ip_route route;
    uint32_t sum;

    if (tcp == NULL ||
        ip_route_lookup(&options.destination, &options.source, &route) != 0 ||
        route.is_broadcast)
        return;
    reply = packet_alloc(PACKET_HEADROOM);
    if (reply == NULL)
        return; /* counted by the pool */
    reset = packet_append(reply, sizeof(*reset));
    memset(reset, 0, sizeof(*reset));
    reset->source_port = tcp->destination_port;
    reset->destination_port = tcp->source_port;
    reset->data_offset = TCP_HEADER_LENGTH / 4 << 4;
    answer(reset, tcp, (uint32_t)payload);
    sum = ip_pseudo_header_sum(&options.source, &options.destination,
                               IP_PROTOCOL_TCP, sizeof(*reset));
    reset->checksum = checksum_finish(checksum_add(sum, reset, sizeof(*reset)));
    reply->transport_offset = (uint16_t)packet_headroom(reply);
    filter_attach(reply, packet);
    ip_send(reply, &options, &route, now_ns);
}

void ip_refuse(const struct packet *packet, enum filter_verdict verdict,
               uint64_t now_ns)
{
    struct icmp_header error = {.type = ICMP_DESTINATION_UNREACHABLE,
                                .code = code_of(verdict)};

    if (verdict == FILTER_REJECT_TCP_RESET)
        send_reset(packet, now_ns);
    else
        icmp_send_error(packet, error, now_ns);
}
