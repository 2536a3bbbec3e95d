/* SPDX-License-Identifier: MIT */
/*
 * The internet layer as the transports see it: where would a packet to this
 * address go, send it there, and what came back. The rest of ip/ is private.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/address.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

enum ip_protocol {
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_IGMP = 2,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
};

/* The way to one destination. Transports cache it; it is stale when
 * `generation` differs from ip_route_generation(). */
struct ip_route {
    struct netif *netif;
    struct ip_address source;  /* ours, for packets that leave this way */
    struct ip_address gateway; /* next hop: the destination itself on-link */
    uint32_t mtu;              /* bytes of an IP packet on this path */
    uint32_t generation;
    bool is_local; /* one of our own addresses: loops back */
    bool is_broadcast;
    /* To a group: our own members hear it; nobody else does. */
    bool has_echo;
    bool stays_here;
};

/* The same in twelve bytes, for who keeps many; the destination is known. */
struct ip_hop {
    struct be32 gateway;
    uint32_t generation;
    uint16_t mtu;
    uint8_t netif; /* its index */
    bool is_local : 1;
    bool is_plain : 1; /* to one neighbour */
};

struct ip_hop ip_hop_of(const struct ip_route *route);

/* ip_route_lookup() for who wants no more than that. */
int ip_hop_lookup(const struct ip_address *destination,
                  const struct ip_address *source,
                  struct ip_hop *hop) MUST_CHECK;

/* And back, while the generation is that of today. */
struct ip_route ip_hop_route(const struct ip_hop *hop,
                             const struct ip_address *source);

/* Finds the way to `destination`. `source` may be any. -ENETUNREACH when
 * there is none. */
int ip_route_lookup(const struct ip_address *destination,
                    const struct ip_address *source,
                    struct ip_route *route) MUST_CHECK;

extern uint32_t ip_route_current; /* route.c's: changes with every route */
static inline uint32_t ip_route_generation(void)
{
    return ip_route_current;
}

struct ip_send_options {
    struct ip_address source;
    struct ip_address destination;
    uint8_t protocol;
    uint8_t ttl; /* 0: the default, 64 */
    uint8_t tos;
    bool dont_fragment;
};

/* Prepends an IP header to the packet (transport header and payload) and sends
 * it along `route`. PACKET_CHECKSUM_PARTIAL is honoured further down. */
void ip_send(struct packet *packet, const struct ip_send_options *options,
             const struct ip_route *route, uint64_t now_ns);

/* The same for a packet that nobody may cut, whose header is made already
 * (ip_push_whole), along `hop`. */
void ip_send_whole(struct packet *packet, const struct ip_hop *hop,
                   uint64_t now_ns);

extern uint8_t ip_default_ttl; /* output.c's */

/* What the IP headers of a connection's packets have in common; `sum` is that
 * of the pseudo-header, but for the length. */
struct ip_flow {
    const struct ip_address *source;
    const struct ip_address *destination;
    uint16_t sum;
    uint8_t protocol;
    uint8_t ttl; /* 0: the default */
    uint8_t tos;
};

/* That sum. */
static inline uint16_t ip_flow_sum(const struct ip_address *source,
                                   const struct ip_address *destination,
                                   uint8_t protocol)
{
    uint64_t sum = (uint64_t)be32_get(ip_address_ipv4(source)) +
                   be32_get(ip_address_ipv4(destination)) + protocol;

    return checksum_native_fold(sum);
}

/* Such a header: protocol and addresses are summed up already. */
static inline void ip_push_whole(struct packet *packet,
                                 const struct ip_flow *flow)
{
    size_t total = packet_total_length(packet) + IPV4_HEADER_LENGTH;
    uint32_t ttl = flow->ttl != 0 ? flow->ttl : ip_default_ttl;
    uint32_t sum = 0x4500U + flow->tos + (uint32_t)total + IPV4_DONT_FRAGMENT +
                   (ttl << 8) + flow->sum;

    ASSERT(packet_headroom(packet) >= IPV4_HEADER_LENGTH);
    packet->data -= IPV4_HEADER_LENGTH;
    packet->length += IPV4_HEADER_LENGTH;
    packet->network_offset = (uint16_t)packet_headroom(packet);
    packet->protocol = flow->protocol;
    struct be32 *words = (void *)packet->data; /* of struct ipv4_header */
    words[0] =
        be32_from(0x45000000U | (uint32_t)flow->tos << 16 | (uint16_t)total);
    words[3] = ip_address_ipv4(flow->source);
    words[1] = be32_from(IPV4_DONT_FRAGMENT);
    words[4] = ip_address_ipv4(flow->destination);
    words[2] = be32_from(ttl << 24 | (uint32_t)flow->protocol << 16 |
                         (uint16_t)~checksum_fold(sum));
}

/* Now others may cut it. */
void ip_make_divisible(struct packet *packet);

/* IP_MTU_DISCOVER, with Linux's numbers. */
enum ip_mtu_discover {
    IP_MTU_DISCOVER_DONT,  /* others may cut it */
    IP_MTU_DISCOVER_WANT,  /* nobody need cut it: what is too big, we do */
    IP_MTU_DISCOVER_DO,    /* what is too big is refused */
    IP_MTU_DISCOVER_PROBE, /* the same, whatever is known of the path */
    IP_MTU_DISCOVER_COUNT,
};

/* For a packet of `length` bytes, IP header included: sets dont_fragment and
 * the route's MTU. -EMSGSIZE. */
int ip_discover_mtu(enum ip_mtu_discover how, size_t length,
                    struct ip_send_options *options, struct ip_route *route,
                    uint64_t now_ns) MUST_CHECK;

/* The transport knows that packets reach the next hop (RFC 1122 2.3.2.1): it
 * need not be asked. */
void ip_confirm(const struct ip_hop *hop, uint64_t now_ns);

/* The sum of the pseudo-header, not complemented (RFC 9293 3.1, RFC 768). */
uint32_t ip_pseudo_header_sum(const struct ip_address *source,
                              const struct ip_address *destination,
                              uint8_t protocol, size_t length);

/* What IP tells of a received packet. */
struct ip_receive_info {
    struct ip_address source;
    struct ip_address destination;
    struct netif *netif;
    uint8_t ttl;
    uint8_t tos;
    bool is_broadcast; /* IP or link-layer broadcast or multicast */
};

/* It is all in the packet, for who needs all of it. */
static inline struct ip_receive_info
ip_receive_info_of(const struct packet *packet)
{
    const struct ipv4_header *header = packet_network_header(packet);

    return (struct ip_receive_info){
        .source = ip_address_from_ipv4(header->source),
        .destination = ip_address_from_ipv4(header->destination),
        .netif = packet->netif,
        .ttl = header->ttl,
        .tos = header->tos,
        .is_broadcast = packet->is_broadcast,
    };
}

/* Is it from there to here? */
static inline bool ip_is_between(const struct packet *packet,
                                 const struct ip_address *remote,
                                 const struct ip_address *local)
{
    const struct ipv4_header *header = packet_network_header(packet);

    return be32_equal(header->source, ip_address_ipv4(remote)) &&
           be32_equal(header->destination, ip_address_ipv4(local));
}

/* Whether a received packet, data at its transport header and nothing behind
 * the transport's own length, is intact, pseudo-header included. */
bool ip_checksum_is_valid(const struct packet *packet);

/* What an ICMP error says of a packet we sent (RFC 1122 3.2.2). */
enum ip_error {
    IP_ERROR_NET_UNREACHABLE,
    IP_ERROR_HOST_UNREACHABLE,
    IP_ERROR_PROTOCOL_UNREACHABLE,
    IP_ERROR_PORT_UNREACHABLE,
    IP_ERROR_PACKET_TOO_BIG,
    IP_ERROR_SOURCE_ROUTE_FAILED,
    IP_ERROR_ADMIN_PROHIBITED,
    IP_ERROR_TIME_EXCEEDED,
    IP_ERROR_PARAMETER_PROBLEM,
};

struct ip_error_info {
    struct ip_address local;  /* source of the packet we sent */
    struct ip_address remote; /* its destination */
    const uint8_t *transport; /* the quoted transport header... */
    size_t transport_length;  /* ...at least 8 bytes of it */
    uint32_t mtu;             /* PACKET_TOO_BIG: as claimed, unchecked */
    enum ip_error error;
    bool is_local; /* not from the network: our own ARP gave up */
};

/* A transport protocol, as net.c registers it. */
struct ip_transport {
    uint8_t protocol;
    /* A packet for us, data at the transport header, trimmed to the IP total
     * length; ip_receive_info_of() tells the rest. */
    void (*receive)(struct packet *packet, uint64_t now_ns);
    void (*error)(const struct ip_error_info *info, uint64_t now_ns);
};

/* Groups, as who knows of them hangs itself in (igmp.c). */
struct ip_multicast {
    bool (*is_member)(const struct netif *netif, struct be32 group);
    /* A packet to a group is about to leave, data at its IP header: our own
     * members are given a copy. Borrows. */
    void (*echo)(const struct packet *packet, const struct netif *netif);
    /* Its link is back: groups are told to whoever is there now. */
    void (*link_up)(const struct netif *netif, uint64_t now_ns);
    /* An IGMP message, data behind the IP header. */
    void (*receive)(struct packet *packet, const struct ip_receive_info *info,
                    uint64_t now_ns);
    /* `owner` (a socket) hears the group on that interface. -EINVAL: not a
     * group; -EADDRINUSE: it does already; -ENOBUFS. */
    int (*join)(const void *owner, struct netif *netif,
                const struct ip_address *group, uint64_t now_ns);
    int (*leave)(const void *owner, struct netif *netif,
                 const struct ip_address *group, uint64_t now_ns);
    void (*leave_all)(const void *owner, uint64_t now_ns);
    /* The same as struct ip_mreq or ip_mreqn asks for it; also -ENODEV. */
    int (*set_membership)(const void *owner, bool is_join, const void *value,
                          size_t length, uint64_t now_ns);
    /* What IP_MULTICAST_IF is given: an address, struct ip_mreq or ip_mreqn.
     * NULL: none in particular. -EADDRNOTAVAIL, -EINVAL. */
    int (*read_interface)(const void *value, size_t length,
                          struct netif **netif);
};

/* Who looks on beside the transports, as it hangs itself in (net/raw). */
struct ip_watcher {
    /* A packet for us, data at its transport header. Borrows. Was it of use to
     * anybody? */
    bool (*receive)(const struct packet *packet,
                    const struct ip_receive_info *info);
    /* What a transport's `error` is told. */
    void (*error)(const struct ip_error_info *info, uint8_t protocol,
                  uint64_t now_ns);
};

/* NULL: nobody. */
extern const struct ip_watcher *ip_watcher;

/* NULL: no groups, not even that of all hosts. */
extern const struct ip_multicast *ip_multicast;

/* Sends "port unreachable" and the like (`code` of net/wire/icmp.h) about a
 * packet we received, if RFC 1122 3.2.2 and the rate limits allow. Only borrows
 * the packet, whose IP header must still stand in front of its data. */
void ip_reject(const struct packet *packet, uint8_t code, uint64_t now_ns);
