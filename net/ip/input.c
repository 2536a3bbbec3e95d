/* SPDX-License-Identifier: MIT */
/*
 * IPv4 input (RFC 791, RFC 1122 3.2.1): the checks of a header in its order,
 * whose packet it is, reassembly, and the way to the transport. A host counts
 * and drops packets for others; a router has hung itself on `ip_router`.
 */
#include "net/ip/input.h"

#include "net/attributes.h"
#include "net/filter/filter.h"
#include "net/ip/icmp.h"
#include "net/ip/output.h"
#include "net/ip/path_mtu.h"
#include "net/ip/reassembly.h"
#include "net/ip/route.h"
#include "net/wire/checksum.h"
#include "net/wire/dhcp.h"
#include "net/wire/ipv4.h"
#include "net/wire/udp.h"

#include <string.h>

struct ip_counters ip_counters;

const struct ip_router *ip_router;
const struct ip_multicast *ip_multicast;
const struct ip_watcher *ip_watcher;
const struct ip_path_mtu *ip_path_mtu;

static const struct ip_transport *transports;
static size_t transport_count;

enum ip_verdict {
    IP_LOCAL,
    IP_LOCAL_BROADCAST,
    IP_FORWARD,
    IP_REFUSE_ADDRESS,
    IP_REFUSE_BROADCAST_FRAME,
};

COLD void ip_init(const struct ip_transport *table, size_t count)
{
    transports = table;
    transport_count = count;
    memset(&ip_counters, 0, sizeof(ip_counters));
    ip_router = NULL;
    ip_multicast = NULL;
    ip_watcher = NULL;
    ip_path_mtu = NULL;
    ip_route_init();
    ip_output_init();
    reassembly_init();
    icmp_init();
}

const struct ip_transport *ip_transport_find(uint8_t protocol)
{
    for (size_t i = 0; i < transport_count; i++)
        if (transports[i].protocol == protocol)
            return &transports[i];
    return NULL;
}

bool ip_checksum_is_valid(const struct packet *packet)
{
    const struct ipv4_header *header = packet_network_header(packet);
    uint16_t length = (uint16_t)packet_total_length(packet);
    const uint8_t rest[4] = {0, header->protocol, (uint8_t)(length >> 8),
                             (uint8_t)length};
    uint64_t sum = checksum_native_32(&header->source) +
                   checksum_native_32(&header->destination) +
                   checksum_native_32(rest);

    if (packet->fragment_count != 0) {
        struct be16 payload = be16_from(checksum_fold(packet_sum(packet, 0)));

        return checksum_native_is_valid(
            sum + checksum_native(&payload, sizeof(payload)));
    }
    return checksum_native_is_valid(
        sum + checksum_native(packet->data, packet->length));
}

/* The header by itself. Afterwards it is whole and the packet ends where the
 * header says. */
static COLD enum drop_reason check_header(struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;
    size_t header_length;
    size_t total_length;

    if (packet->length < IPV4_HEADER_LENGTH) {
        ip_counters.in_truncated++;
        return DROP_IP_SHORT;
    }
    header_length = ipv4_header_length(header);
    total_length = be16_get(header->total_length);
    if (header->version_ihl >> 4 != 4 || header_length < IPV4_HEADER_LENGTH ||
        header_length > total_length) {
        ip_counters.in_header_errors++;
        return DROP_IP_HEADER;
    }
    if (total_length > packet_total_length(packet)) {
        ip_counters.in_truncated++;
        return DROP_IP_HEADER;
    }
    if (!checksum_native_is_valid(checksum_native(header, header_length))) {
        ip_counters.in_header_errors++;
        return DROP_IP_CHECKSUM;
    }
    packet->length = (uint32_t)total_length - packet->fragments_length;
    return DROP_NONE;
}

static COLD uint16_t udp_destination_port(const struct packet *packet)
{
    const struct ipv4_header *header = (const void *)packet->data;
    size_t length = ipv4_header_length(header);
    const struct udp_header *udp = (const void *)(packet->data + length);

    if (header->protocol != IP_PROTOCOL_UDP || ipv4_is_fragment(header) ||
        packet->length - length < sizeof(*udp))
        return 0;
    return be16_get(udp->destination_port);
}

/* RFC 1122 3.2.1.3: who may not be a source, who not a destination. On lo
 * only we ourselves speak. */
static COLD bool has_honest_source(const struct packet *packet,
                                   const struct ipv4_header *header)
{
    const struct netif *netif = packet->netif;
    struct be32 source = header->source;

    if (packet->is_looped)
        return ip_is_local(source);
    if (be32_get(source) == 0)
        return udp_destination_port(packet) == DHCP_SERVER_PORT;
    return ipv4_is_unicast(source) &&
           !be32_equal(source, netif->ip.broadcast) && !ip_is_local(source);
}

static COLD enum ip_verdict classify(const struct packet *packet,
                                     const struct ipv4_header *header)
{
    const struct netif *netif = packet->netif;
    struct be32 destination = header->destination;

    if (packet->is_looped && ipv4_is_multicast(destination))
        return IP_LOCAL_BROADCAST; /* ip_multicast's echo */
    if (packet->is_looped)
        return ip_is_local(destination) ? IP_LOCAL : IP_REFUSE_ADDRESS;
    if (ipv4_is_loopback(destination) || ipv4_is_this_network(destination))
        return IP_REFUSE_ADDRESS;
    if (ipv4_is_limited_broadcast(destination) ||
        be32_equal(destination, netif->ip.broadcast))
        return IP_LOCAL_BROADCAST;
    if (ipv4_is_multicast(destination))
        return ip_multicast != NULL &&
                       ip_multicast->is_member(netif, destination)
                   ? IP_LOCAL_BROADCAST
                   : IP_REFUSE_ADDRESS;
    if (packet->is_broadcast)
        return IP_REFUSE_BROADCAST_FRAME; /* RFC 1122 3.3.6 */
    if (be32_equal(destination, netif->ip.address) || ip_is_local(destination))
        return IP_LOCAL;
    /* RFC 2131 4.1: an answer to the address we are about to be given. */
    if (be32_get(netif->ip.address) == 0 &&
        udp_destination_port(packet) == DHCP_CLIENT_PORT)
        return IP_LOCAL;
    return IP_FORWARD;
}

static COLD enum drop_reason check_options(const struct packet *packet,
                                           const struct ipv4_header *header,
                                           uint64_t now_ns)
{
    struct ipv4_options options;

    if (!ipv4_check_options(header, ipv4_header_length(header), &options)) {
        ip_counters.in_header_errors++;
        icmp_send_parameter_problem(packet, (uint8_t)options.error_offset,
                                    now_ns);
        return DROP_IP_OPTION;
    }
    if (options.has_source_route)
        return DROP_IP_OPTION;
    return DROP_NONE;
}

static NOINLINE void deliver_any(struct packet *packet, uint64_t now_ns)
{
    const struct ip_receive_info info = ip_receive_info_of(packet);
    bool is_heard = ip_watcher != NULL && ip_watcher->receive(packet, &info);
    const struct ip_transport *transport = ip_transport_find(packet->protocol);

    if (packet->protocol == IP_PROTOCOL_ICMP) {
        icmp_receive(packet, &info, now_ns);
    } else if (packet->protocol == IP_PROTOCOL_IGMP && ip_multicast != NULL) {
        ip_multicast->receive(packet, &info, now_ns);
    } else if (transport != NULL) {
        transport->receive(packet, now_ns);
    } else if (is_heard) {
        packet_free(packet);
    } else {
        ip_counters.in_unknown_protocols++;
        ip_reject(packet, ICMP_PROTOCOL_UNREACHABLE, now_ns);
        packet_drop(packet, DROP_IP_PROTOCOL);
    }
}

static inline void deliver(struct packet *packet, uint64_t now_ns)
{
    if (ip_watcher == NULL)
        for (size_t i = 0; i < transport_count; i++)
            if (transports[i].protocol == packet->protocol) {
                transports[i].receive(packet, now_ns);
                return;
            }
    deliver_any(packet, now_ns);
}

/* A hook did not accept it. */
static COLD void refuse(struct packet *packet, enum filter_verdict verdict,
                        uint64_t now_ns)
{
    if (filter_is_reject(verdict) && ip_router != NULL)
        ip_router->refuse(packet, verdict, now_ns);
    packet_drop(packet, DROP_FILTER);
}

/* The INPUT hook sees the packet from its IP header on. */
static enum filter_verdict filter_local(struct packet *packet, uint64_t now_ns)
{
    size_t header_length =
        (size_t)(packet->transport_offset - packet->network_offset);
    enum filter_verdict verdict;

    if (!filter_is_used(FILTER_INPUT))
        return FILTER_ACCEPT;
    packet_push(packet, header_length);
    verdict = filter_run(FILTER_INPUT, packet, NULL, now_ns);
    packet_pull(packet, header_length);
    return verdict;
}

/* The packet is ours, data at its transport header. */
static inline void pass_up(struct packet *packet, uint64_t now_ns)
{
    ip_counters.in_delivers++;
    deliver(packet, now_ns);
}

/* The packet is ours: data moves to the transport header. */
static void receive_local(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = packet_network_header(packet);
    size_t header_length = ipv4_header_length(header);
    enum filter_verdict verdict;

    packet->data += header_length;
    packet->length -= (uint32_t)header_length;
    packet->protocol = header->protocol;
    if (ipv4_is_fragment(header)) {
        packet = reassembly_receive(packet, now_ns);
        if (packet == NULL)
            return;
    }
    packet->transport_offset = (uint16_t)packet_headroom(packet);
    verdict = filter_local(packet, now_ns);
    if (verdict == FILTER_ACCEPT && packet->segment_size != 0)
        ip_router->cut(packet, pass_up, now_ns);
    else if (verdict == FILTER_ACCEPT)
        pass_up(packet, now_ns);
    else
        refuse(packet, verdict, now_ns);
}

/* What the hooks are owed: the whole datagram, from its IP header on. NULL: it
 * was a piece, and is kept. */
static COLD struct packet *make_whole(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;

    if (!ipv4_is_fragment(header))
        return packet;
    (void)packet_pull(packet, ipv4_header_length(header));
    packet = reassembly_receive(packet, now_ns);
    if (packet != NULL)
        (void)packet_push(packet,
                          packet_headroom(packet) - packet->network_offset);
    return packet;
}

static COLD void refuse_source(struct packet *packet)
{
    ip_counters.in_address_errors++;
    packet_drop(packet, DROP_IP_SOURCE);
}

/* Behind PREROUTING: local, for others, or for nobody. */
static COLD void route_input(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    enum drop_reason reason = DROP_IP_DESTINATION;

    if (ip_router != NULL && !ip_router->is_source_valid(packet)) {
        refuse_source(packet);
        return;
    }
    switch (classify(packet, header)) {
    case IP_LOCAL:
        receive_local(packet, now_ns);
        return;
    case IP_LOCAL_BROADCAST:
        ip_counters.in_broadcasts++;
        packet->is_broadcast = true;
        receive_local(packet, now_ns);
        return;
    case IP_FORWARD:
        if (ip_router != NULL) {
            ip_router->forward(packet, now_ns);
            return;
        }
        ip_counters.in_no_routes++;
        reason = DROP_IP_NOT_FORWARDED;
        break;
    case IP_REFUSE_ADDRESS:
        ip_counters.in_address_errors++;
        break;
    case IP_REFUSE_BROADCAST_FRAME:
        reason = DROP_IP_BROADCAST_FRAME;
        break;
    }
    packet_drop(packet, reason);
}

COLD void ip_route_received(struct packet *packet, uint64_t now_ns)
{
    if (has_honest_source(packet, (const void *)packet->data))
        route_input(packet, now_ns);
    else
        refuse_source(packet);
}

/* The header is sound, and so is the source. */
static COLD void receive_checked(struct packet *packet, uint64_t now_ns)
{
    enum filter_verdict verdict;

    if (filter_is_used(FILTER_PREROUTING)) {
        packet = make_whole(packet, now_ns);
        if (packet == NULL)
            return;
        verdict = filter_run(FILTER_PREROUTING, packet, NULL, now_ns);
        if (verdict != FILTER_ACCEPT) {
            refuse(packet, verdict, now_ns);
            return;
        }
    }
    route_input(packet, now_ns);
}

static COLD NOINLINE void receive_any(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    enum drop_reason reason = check_header(packet);

    if (reason == DROP_NONE && !has_honest_source(packet, header)) {
        ip_counters.in_address_errors++;
        reason = DROP_IP_SOURCE;
    }
    if (reason == DROP_NONE && header->version_ihl != 0x45)
        reason = check_options(packet, header, now_ns);
    if (reason != DROP_NONE)
        packet_drop(packet, reason);
    else
        receive_checked(packet, now_ns);
}

/* Whole, intact and without options, as nearly all are. */
static inline bool has_plain_header(const struct packet *packet,
                                    const struct ipv4_header *header)
{
    uint32_t length;

    if (packet->length < IPV4_HEADER_LENGTH || header->version_ihl != 0x45)
        return false;
    length = be16_get(header->total_length);
    return length >= IPV4_HEADER_LENGTH && length <= packet->length &&
           checksum_native_20(header) == 0xffff;
}

/* From some host to the address of the interface it came in by, in one piece,
 * and no hook wants to see it. */
static inline bool is_plain_unicast(const struct packet *packet,
                                    const struct ipv4_header *header)
{
    const struct netif *netif = packet->netif;

    return be32_equal(header->destination, netif->ip.address) &&
           ipv4_is_unicast(header->source) &&
           !be32_equal(header->source, netif->ip.broadcast) &&
           !ip_is_own_address(header->source) && !ipv4_is_fragment(header) &&
           !filter_is_used(FILTER_PREROUTING) && !filter_is_used(FILTER_INPUT);
}

static NOINLINE void receive_plain(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;

    packet->length = be16_get(header->total_length) - IPV4_HEADER_LENGTH;
    packet->data += IPV4_HEADER_LENGTH;
    packet->protocol = header->protocol;
    packet->transport_offset =
        (uint16_t)(packet->network_offset + IPV4_HEADER_LENGTH);
    pass_up(packet, now_ns);
}

static NOINLINE void receive_filtered(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    enum filter_verdict verdict;

    if (ipv4_is_fragment(header)) {
        receive_any(packet, now_ns);
        return;
    }
    verdict = filter_run(FILTER_PREROUTING, packet, NULL, now_ns);
    if (verdict != FILTER_ACCEPT)
        refuse(packet, verdict, now_ns);
    else
        ip_router->transit(packet, now_ns);
}

/* A router's usual case, a plain header, through PREROUTING. */
static NOINLINE void receive_hooked(struct packet *packet, uint64_t now_ns)
{
    if (filter_express != NULL && filter_express->enter(packet, now_ns))
        ip_router->transit(packet, now_ns);
    else
        receive_filtered(packet, now_ns);
}

/* The usual ways of a router and of a host; for all others receive_any looks
 * at everything anew. */
void ip_receive(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;

    ip_counters.in_receives++;
    packet->network_offset = (uint16_t)packet_headroom(packet);
    if (!has_plain_header(packet, header) || packet->is_looped ||
        packet->is_broadcast) {
        receive_any(packet, now_ns);
    } else if (ip_router != NULL) {
        packet->length = be16_get(header->total_length);
        if (filter_is_used(FILTER_PREROUTING))
            receive_hooked(packet, now_ns);
        else
            ip_router->transit(packet, now_ns);
    } else if (is_plain_unicast(packet, header)) {
        receive_plain(packet, now_ns);
    } else {
        receive_any(packet, now_ns);
    }
}
