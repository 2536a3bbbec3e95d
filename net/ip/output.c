/* SPDX-License-Identifier: MIT */
/*
 * IPv4 output (RFC 791, RFC 1122 3.2.1, RFC 6864): the header, the hooks, and
 * the frame to the next hop.
 */
#include "net/ip/output.h"

#include "net/filter/filter.h"
#include "net/hash.h"
#include "net/ip/input.h"
#include "net/ip/path_mtu.h"
#include "net/link/ethernet.h"
#include "net/link/neighbour.h"
#include "net/platform.h"
#include "net/wire/checksum.h"

#include <errno.h>
#include <string.h>

static struct {
    struct hash_key key;
    uint16_t identifications[IP_IDENTIFICATIONS];
} output;

uint8_t ip_default_ttl;

void ip_output_init(void)
{
    memset(&output, 0, sizeof(output));
    hash_key_generate(&output.key);
    ip_fragment_init();
    platform_random(output.identifications, sizeof(output.identifications));
    ip_default_ttl = IP_DEFAULT_TTL;
}

int ip_set_default_ttl(unsigned ttl)
{
    if (ttl < 1 || ttl > 255)
        return -EINVAL;
    ip_default_ttl = (uint8_t)ttl;
    return 0;
}

/* RFC 6864: only what may be fragmented needs one. RFC 7739 5.3: counted per
 * group of destinations from a secret start, so that nobody can learn from
 * his packets how many others get. */
static struct be16 choose_identification(const struct ipv4_header *header)
{
    uint64_t word = (uint64_t)be32_get(header->source) << 32 |
                    be32_get(header->destination);
    uint64_t hash = hash_words(&output.key, &word, 1) ^ header->protocol;
    uint16_t count = output.identifications[hash % IP_IDENTIFICATIONS]++;

    return be16_from((uint16_t)(count + (hash >> 16)));
}

uint32_t ip_pseudo_header_sum(const struct ip_address *source,
                              const struct ip_address *destination,
                              uint8_t protocol, size_t length)
{
    uint32_t sum = be32_get(ip_address_ipv4(source));

    sum = checksum_add_32(sum, be32_get(ip_address_ipv4(destination)));
    return checksum_add_32(sum, (uint32_t)length + protocol);
}

/* RFC 1112 6.4: the low 23 bits. */
struct ethernet_address ip_multicast_hardware(struct be32 group)
{
    return (struct ethernet_address){{0x01, 0x00, 0x5e, group.octet[1] & 0x7f,
                                      group.octet[2], group.octet[3]}};
}

static void transmit_to_group(struct packet *packet,
                              const struct ip_route *route, struct be32 group)
{
    struct ethernet_address hardware = ip_multicast_hardware(group);

    if (route->has_echo && ip_multicast != NULL)
        ip_multicast->echo(packet, route->netif);
    if (route->stays_here)
        packet_free(packet);
    else
        ethernet_send(route->netif, packet, &hardware, ETHERNET_TYPE_IPV4);
}

void ip_transmit(struct packet *packet, const struct ip_route *route,
                 uint64_t now_ns)
{
    struct be32 next_hop = ip_address_ipv4(&route->gateway);

    ip_counters.out_transmits++;
    if (route->is_local) {
        ethernet_send(route->netif, packet, &route->netif->address,
                      ETHERNET_TYPE_IPV4);
    } else if (route->is_broadcast) {
        ethernet_send(route->netif, packet, &ethernet_broadcast,
                      ETHERNET_TYPE_IPV4);
    } else if (ipv4_is_multicast(next_hop)) {
        transmit_to_group(packet, route, next_hop);
    } else {
        neighbour_send(route->netif, next_hop, packet, now_ns);
    }
}

void ip_confirm(const struct ip_hop *hop, uint64_t now_ns)
{
    if (hop->is_plain)
        neighbour_confirm(netif_by_index(hop->netif), hop->gateway, now_ns);
}

static void discard(struct packet *packet, enum drop_reason reason)
{
    ip_counters.out_discards++;
    packet_drop(packet, reason);
}

void ip_finish_send(struct packet *packet, const struct ip_route *route,
                    uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    bool is_joined = packet->joined_size != 0; /* to be cut as it came */
    size_t size = is_joined ? packet->joined_size : packet_total_length(packet);

    if (filter_run(FILTER_POSTROUTING, packet, route->netif, now_ns) !=
        FILTER_ACCEPT) {
        discard(packet, DROP_FILTER);
    } else if (packet->segment_size != 0 ||
               (size <= route->mtu && !is_joined)) {
        ip_transmit(packet, route, now_ns);
    } else if (size > route->mtu &&
               (be16_get(header->fragment) & IPV4_DONT_FRAGMENT) != 0) {
        ip_counters.out_fragments_failed++;
        packet_drop(packet, DROP_IP_TOO_BIG);
    } else {
        ip_fragment(packet, route, now_ns);
    }
}

/* OUTPUT may turn the packet elsewhere: then the way is looked for again. */
static void send_filtered(struct packet *packet, const struct ip_route *route,
                          uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    struct be32 destination = header->destination;
    enum filter_verdict verdict =
        filter_run(FILTER_OUTPUT, packet, route->netif, now_ns);
    struct ip_route other;

    if (verdict != FILTER_ACCEPT) {
        if (filter_is_reject(verdict) && ip_router != NULL)
            ip_router->refuse(packet, verdict, now_ns);
        discard(packet, DROP_FILTER);
        return;
    }
    if (!be32_equal(header->destination, destination)) {
        struct ip_address to = ip_address_from_ipv4(header->destination);
        struct ip_address from = ip_address_from_ipv4(header->source);

        if (ip_route_lookup(&to, &from, &other) != 0) {
            discard(packet, DROP_IP_NO_ROUTE);
            return;
        }
        route = &other;
    }
    ip_finish_send(packet, route, now_ns);
}

/* To one neighbour, in one piece, and no hook wants to see it. */
static inline bool is_plain(const struct packet *packet,
                            const struct ip_route *route, size_t total)
{
    return !filter_is_used(FILTER_OUTPUT) &&
           !filter_is_used(FILTER_POSTROUTING) &&
           (total <= route->mtu || packet->segment_size != 0) &&
           !route->is_local && !route->is_broadcast &&
           !ipv4_is_multicast(ip_address_ipv4(&route->gateway));
}

static NOINLINE void send_any(struct packet *packet,
                              const struct ip_route *route, uint64_t now_ns)
{
    if (filter_is_used(FILTER_OUTPUT))
        send_filtered(packet, route, now_ns);
    else
        ip_finish_send(packet, route, now_ns);
}

void ip_send(struct packet *packet, const struct ip_send_options *options,
             const struct ip_route *route, uint64_t now_ns)
{
    size_t total = packet_total_length(packet) + IPV4_HEADER_LENGTH;
    struct ipv4_header *header;

    ASSERT(total <= IPV4_TOTAL_MAX);
    ASSERT(packet_headroom(packet) >= IPV4_HEADER_LENGTH);
    ip_counters.out_requests++;
    packet->data -= IPV4_HEADER_LENGTH;
    packet->length += IPV4_HEADER_LENGTH;
    packet->network_offset = (uint16_t)packet_headroom(packet);
    packet->protocol = options->protocol;
    header = (void *)packet->data;
    header->version_ihl = 0x45;
    header->tos = options->tos;
    header->total_length = be16_from((uint16_t)total);
    header->fragment =
        be16_from(options->dont_fragment ? IPV4_DONT_FRAGMENT : 0);
    header->ttl = options->ttl != 0 ? options->ttl : ip_default_ttl;
    header->protocol = options->protocol;
    header->checksum = be16_from(0);
    header->source = ip_address_ipv4(&options->source);
    header->destination = ip_address_ipv4(&options->destination);
    header->identification =
        options->dont_fragment ? be16_from(0) : choose_identification(header);
    header->checksum = be16_from_raw((uint16_t)~checksum_native_20(header));
    if (is_plain(packet, route, total)) {
        ip_counters.out_transmits++;
        neighbour_send(route->netif, ip_address_ipv4(&route->gateway), packet,
                       now_ns);
    } else {
        send_any(packet, route, now_ns);
    }
}

static COLD NOINLINE void
send_whole_any(struct packet *packet, const struct ip_hop *hop, uint64_t now_ns)
{
    const struct ipv4_header *header = (const void *)packet->data;
    const struct ip_address source = ip_address_from_ipv4(header->source);
    const struct ip_route route = ip_hop_route(hop, &source);

    send_any(packet, &route, now_ns);
}

void ip_send_whole(struct packet *packet, const struct ip_hop *hop,
                   uint64_t now_ns)
{
    ip_counters.out_requests++;
    if (hop->is_plain && !filter_is_used(FILTER_OUTPUT) &&
        !filter_is_used(FILTER_POSTROUTING) &&
        (packet_total_length(packet) <= hop->mtu ||
         packet->segment_size != 0)) {
        ip_counters.out_transmits++;
        neighbour_send(netif_by_index(hop->netif), hop->gateway, packet,
                       now_ns);
    } else {
        send_whole_any(packet, hop, now_ns);
    }
}

COLD void ip_make_divisible(struct packet *packet)
{
    struct ipv4_header *header = (void *)packet->data;

    header->fragment = be16_from(0);
    header->identification = choose_identification(header);
    header->checksum = be16_from(0);
    header->checksum = be16_from_raw((uint16_t)~checksum_native_20(header));
}

void ip_send_made(struct packet *packet, const struct ip_route *route,
                  uint64_t now_ns)
{
    struct ipv4_header *header = (void *)packet->data;

    ip_counters.out_requests++;
    if (be32_get(header->source) == 0)
        header->source = ip_address_ipv4(&route->source);
    if (be16_get(header->identification) == 0)
        header->identification = choose_identification(header);
    header->total_length = be16_from((uint16_t)packet_total_length(packet));
    header->checksum = be16_from(0);
    header->checksum =
        checksum_finish(checksum_add(0, header, ipv4_header_length(header)));
    send_any(packet, route, now_ns);
}

int ip_discover_mtu(enum ip_mtu_discover how, size_t length,
                    struct ip_send_options *options, struct ip_route *route,
                    uint64_t now_ns)
{
    if (how != IP_MTU_DISCOVER_PROBE)
        route->mtu = ip_path_mtu_of(route, &options->destination, now_ns);
    options->dont_fragment =
        how >= IP_MTU_DISCOVER_DO ||
        (how == IP_MTU_DISCOVER_WANT && length <= route->mtu);
    return how >= IP_MTU_DISCOVER_DO && length > route->mtu ? -EMSGSIZE : 0;
}
