/* SPDX-License-Identifier: MIT */
/*
 * The receiving half of IPv4, and what all of ip/ counts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/filter/filter.h"
#include "net/ip/ip.h"
#include "net/packet.h"

/* As RFC 4293 names them, without its prefix ipSystemStats. */
struct ip_counters {
    uint64_t in_receives;
    uint64_t in_header_errors;
    uint64_t in_address_errors;
    uint64_t in_no_routes;
    uint64_t in_unknown_protocols;
    uint64_t in_truncated;
    uint64_t in_delivers;
    uint64_t in_broadcasts;
    uint64_t reassembly_required;
    uint64_t reassembly_done;
    uint64_t reassembly_failed;
    uint64_t out_requests;
    uint64_t out_no_routes;
    uint64_t out_discards;
    uint64_t out_fragments_required;
    uint64_t out_fragments_done;
    uint64_t out_fragments_failed;
    uint64_t out_fragments_created;
    uint64_t out_transmits;
    uint64_t out_forwarded;
};

extern struct ip_counters ip_counters;

/* What makes a router of the host, as net_router.c hangs it in. */
struct ip_router {
    /* A packet for others: data at its IP header, which is sound, behind
     * PREROUTING. */
    void (*forward)(struct packet *packet, uint64_t now_ns);
    /* One with a plain header, in one piece or seen by no hook, in a frame for
     * us alone. Most are passed on at once; ip_route_received gets the others,
     * which may be for anybody. */
    void (*transit)(struct packet *packet, uint64_t now_ns);
    /* RFC 3704: could it have come in this way? Borrows. */
    bool (*is_source_valid)(const struct packet *packet);
    /* A hook rejects it: tells the sender so. Borrows; data at the IP header
     * or at the transport header. */
    void (*refuse)(const struct packet *packet, enum filter_verdict verdict,
                   uint64_t now_ns);
    /* A large packet of GRO's that is for us after all, data at its transport
     * header: `pass` is called with each of its segments, the same way. */
    void (*cut)(struct packet *large,
                void (*pass)(struct packet *packet, uint64_t now_ns),
                uint64_t now_ns);
    /* A forwarded packet whose next hop does not answer. */
    void (*unreachable)(struct packet *packet, uint64_t now_ns);
};

/* NULL: this is a host. */
extern const struct ip_router *ip_router;

/* The transports; the table must live for ever. Boot. */
void ip_init(const struct ip_transport *table, size_t count);

const struct ip_transport *ip_transport_find(uint8_t protocol);

/* ETHERNET_TYPE_IPV4, as net.c registers it. */
void ip_receive(struct packet *packet, uint64_t now_ns);

/* Behind PREROUTING, from a source that may not be honest: where it belongs. */
void ip_route_received(struct packet *packet, uint64_t now_ns);

/* To whom it concerns: false, nobody. */
bool ip_tell_error(const struct ip_error_info *info, uint8_t protocol,
                   uint64_t now_ns);

/* A packet, data at its IP header, whose next hop does not answer. Tells the
 * transport it came from, or the host. */
void ip_unreachable(struct packet *packet, uint64_t now_ns);
