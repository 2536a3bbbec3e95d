/* SPDX-License-Identifier: MIT */
/*
 * ICMP input (RFC 792, RFC 1122 3.2.2, RFC 5927): echo, and errors about what
 * we sent, which are believed only as far as they quote it. Redirects,
 * timestamps, masks and source quenches are ignored on purpose.
 */
#include "net/ip/icmp.h"

#include "net/ip/input.h"
#include "net/ip/route.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <string.h>

static bool echo_is_ignored;

void icmp_set_echo_ignored(bool is_ignored)
{
    echo_is_ignored = is_ignored;
}

/* The request becomes the reply, in place. */
static void reply_to_echo(struct packet *packet,
                          const struct ip_receive_info *info, uint64_t now_ns)
{
    struct icmp_header *header = (void *)packet->data;
    struct ip_send_options options = {
        .source = info->destination,
        .destination = info->source,
        .protocol = IP_PROTOCOL_ICMP,
        .tos = info->tos,
    };
    struct ip_route route;

    icmp_counters.in_echos++;
    /* RFC 1122 3.2.2.6 leaves it open; a broadcast would be answered by all
     * at once ("smurf"). */
    if (info->is_broadcast || echo_is_ignored) {
        packet_drop(packet, DROP_ICMP_IGNORED);
        return;
    }
    if (ip_route_lookup(&info->source, &info->destination, &route) != 0) {
        packet_drop(packet, DROP_IP_NO_ROUTE);
        return;
    }
    header->checksum = checksum_update_16(
        header->checksum, (uint16_t)(header->type << 8 | header->code),
        (uint16_t)(ICMP_ECHO_REPLY << 8 | header->code));
    header->type = ICMP_ECHO_REPLY;
    packet->checksum = PACKET_CHECKSUM_VERIFIED;
    icmp_counters.out_messages++;
    icmp_counters.out_echo_replies++;
    ip_send(packet, &options, &route, now_ns);
}

static bool translate_unreachable(const struct icmp_header *header,
                                  struct ip_error_info *info)
{
    switch (header->code) {
    case ICMP_NET_UNREACHABLE:
    case ICMP_NET_UNKNOWN:
    case ICMP_NET_TOS:
        info->error = IP_ERROR_NET_UNREACHABLE;
        return true;
    case ICMP_HOST_UNREACHABLE:
    case ICMP_HOST_UNKNOWN:
    case ICMP_HOST_TOS:
        info->error = IP_ERROR_HOST_UNREACHABLE;
        return true;
    case ICMP_PROTOCOL_UNREACHABLE:
        info->error = IP_ERROR_PROTOCOL_UNREACHABLE;
        return true;
    case ICMP_PORT_UNREACHABLE:
        info->error = IP_ERROR_PORT_UNREACHABLE;
        return true;
    case ICMP_FRAGMENTATION_NEEDED:
        info->error = IP_ERROR_PACKET_TOO_BIG;
        info->mtu = (uint32_t)header->rest[2] << 8 | header->rest[3];
        return true;
    case ICMP_SOURCE_ROUTE_FAILED:
        info->error = IP_ERROR_SOURCE_ROUTE_FAILED;
        return true;
    case ICMP_NET_PROHIBITED:
    case ICMP_HOST_PROHIBITED:
    case ICMP_PROHIBITED:
        info->error = IP_ERROR_ADMIN_PROHIBITED;
        return true;
    default:
        return false;
    }
}

static bool translate(const struct icmp_header *header,
                      struct ip_error_info *info)
{
    switch (header->type) {
    case ICMP_DESTINATION_UNREACHABLE:
        icmp_counters.in_unreachables++;
        return translate_unreachable(header, info);
    case ICMP_TIME_EXCEEDED:
        icmp_counters.in_time_exceeded++;
        info->error = IP_ERROR_TIME_EXCEEDED;
        return header->code <= ICMP_REASSEMBLY_EXCEEDED;
    case ICMP_PARAMETER_PROBLEM:
        icmp_counters.in_parameter_problems++;
        info->error = IP_ERROR_PARAMETER_PROBLEM;
        return true;
    default:
        return false;
    }
}

/* The quoted packet must be one that we can have sent: whole header, enough
 * of the transport's, from our address, its beginning. */
static const struct ipv4_header *check_quote(const uint8_t *quote,
                                             size_t length)
{
    const struct ipv4_header *inner = (const void *)quote;
    size_t header_length;

    if (length < IPV4_HEADER_LENGTH + ICMP_QUOTE_MIN)
        return NULL;
    header_length = ipv4_header_length(inner);
    if (inner->version_ihl >> 4 != 4 || header_length < IPV4_HEADER_LENGTH ||
        header_length > length - ICMP_QUOTE_MIN ||
        be16_get(inner->total_length) < header_length + ICMP_QUOTE_MIN ||
        (be16_get(inner->fragment) & IPV4_FRAGMENT_OFFSET) != 0 ||
        !ip_is_local(inner->source))
        return NULL;
    return inner;
}

static void receive_error(struct packet *packet,
                          const struct ip_receive_info *info, uint64_t now_ns)
{
    const struct icmp_header *header = (const void *)packet->data;
    const uint8_t *quote = packet->data + ICMP_HEADER_LENGTH;
    size_t length = packet->length - ICMP_HEADER_LENGTH;
    const struct ipv4_header *inner = check_quote(quote, length);
    struct ip_error_info error = {0};

    if (inner == NULL || info->is_broadcast) {
        icmp_counters.in_errors++;
        packet_drop(packet, DROP_ICMP_MALFORMED);
        return;
    }
    error.local = ip_address_from_ipv4(inner->source);
    error.remote = ip_address_from_ipv4(inner->destination);
    error.transport = quote + ipv4_header_length(inner);
    error.transport_length = length - ipv4_header_length(inner);
    if (!translate(header, &error) ||
        !ip_tell_error(&error, inner->protocol, now_ns)) {
        icmp_counters.in_ignored++;
        packet_drop(packet, DROP_ICMP_IGNORED);
        return;
    }
    packet_free(packet);
}

void icmp_receive(struct packet *packet, const struct ip_receive_info *info,
                  uint64_t now_ns)
{
    const struct icmp_header *header = (const void *)packet->data;

    icmp_counters.in_messages++;
    if (packet->length < ICMP_HEADER_LENGTH) {
        icmp_counters.in_errors++;
        packet_drop(packet, DROP_ICMP_MALFORMED);
        return;
    }
    if (!checksum_is_valid(packet_sum(packet, 0))) {
        icmp_counters.in_checksum_errors++;
        packet_drop(packet, DROP_ICMP_CHECKSUM);
        return;
    }
    switch (header->type) {
    case ICMP_ECHO_REQUEST:
        reply_to_echo(packet, info, now_ns);
        return;
    case ICMP_DESTINATION_UNREACHABLE:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        receive_error(packet, info, now_ns);
        return;
    case ICMP_ECHO_REPLY:
        icmp_counters.in_echo_replies++;
        break;
    case ICMP_REDIRECT:
        icmp_counters.in_redirects++;
        break;
    default:
        break;
    }
    icmp_counters.in_ignored++;
    packet_drop(packet, DROP_ICMP_IGNORED);
}
