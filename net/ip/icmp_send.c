/* SPDX-License-Identifier: MIT */
/*
 * ICMP errors of our own (RFC 1122 3.2.2, RFC 1812 4.3.2). About what they may
 * be is checked first; then each peer has a budget, and all share one that is
 * spent in random steps, so that counting what is left of it tells an
 * attacker nothing about other peers (CVE-2020-25705).
 */
#include "net/filter/filter.h"
#include "net/hash.h"
#include "net/ip/icmp.h"
#include "net/ip/input.h"
#include "net/ip/route.h"
#include "net/platform.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"

#include <string.h>

struct icmp_counters icmp_counters;

/* A budget kept as one time: when it will be full again. */
struct budget {
    uint64_t full_ns;
};

static struct {
    struct hash_key key;
    struct budget all;
    struct budget peers[ICMP_PEER_BUCKETS];
    uint64_t random;
    unsigned random_left;
} limits;

void icmp_init(void)
{
    memset(&icmp_counters, 0, sizeof(icmp_counters));
    memset(&limits, 0, sizeof(limits));
    hash_key_generate(&limits.key);
    icmp_set_echo_ignored(false);
}

static bool has_budget(const struct budget *budget, uint64_t interval_ns,
                       unsigned burst, uint64_t now_ns)
{
    return budget->full_ns <= now_ns ||
           budget->full_ns - now_ns <= (burst - 1) * interval_ns;
}

static void spend(struct budget *budget, uint64_t cost_ns, uint64_t now_ns)
{
    if (budget->full_ns < now_ns)
        budget->full_ns = now_ns;
    budget->full_ns += cost_ns;
}

/* 0, 1 or 2; one on average. */
static unsigned random_cost(void)
{
    unsigned bits;

    if (limits.random_left == 0) {
        platform_random(&limits.random, sizeof(limits.random));
        limits.random_left = 32;
    }
    bits = (unsigned)limits.random & 3;
    limits.random >>= 2;
    limits.random_left--;
    return bits == 3 ? 1 : bits;
}

static bool is_within_limits(struct be32 peer, uint64_t now_ns)
{
    uint64_t word = be32_get(peer);
    struct budget *own =
        &limits.peers[hash_words(&limits.key, &word, 1) % ICMP_PEER_BUCKETS];
    uint64_t own_interval_ns = NS_PER_S / ICMP_PEER_RATE;
    uint64_t all_interval_ns = NS_PER_S / ICMP_GLOBAL_RATE;

    if (!has_budget(own, own_interval_ns, ICMP_PEER_BURST, now_ns) ||
        !has_budget(&limits.all, all_interval_ns, ICMP_GLOBAL_BURST, now_ns)) {
        icmp_counters.out_limited++;
        return false;
    }
    spend(own, own_interval_ns, now_ns);
    spend(&limits.all, random_cost() * all_interval_ns, now_ns);
    return true;
}

/* RFC 1122 3.2.2: never about an error, a group address, a later fragment,
 * or to somebody who is not one host. */
static bool may_be_told(const uint8_t *datagram, size_t length,
                        bool is_broadcast)
{
    const struct ipv4_header *header = (const void *)datagram;
    size_t header_length = ipv4_header_length(header);
    uint8_t type;

    if (is_broadcast || ipv4_is_multicast(header->destination) ||
        ipv4_is_class_e(header->destination) ||
        (be16_get(header->fragment) & IPV4_FRAGMENT_OFFSET) != 0)
        return false;
    if (!ipv4_is_unicast(header->source) && !ipv4_is_loopback(header->source))
        return false;
    if (header->protocol != IP_PROTOCOL_ICMP)
        return true;
    if (length <= header_length)
        return false;
    type = datagram[header_length];
    return type == ICMP_ECHO_REQUEST || type == ICMP_ECHO_REPLY;
}

static void count(uint8_t type)
{
    icmp_counters.out_messages++;
    if (type == ICMP_DESTINATION_UNREACHABLE)
        icmp_counters.out_unreachables++;
    else if (type == ICMP_TIME_EXCEEDED)
        icmp_counters.out_time_exceeded++;
    else
        icmp_counters.out_parameter_problems++;
}

/* What an error is about. */
struct subject {
    const uint8_t *datagram;
    size_t length; /* of its beginning, at `datagram` */
    bool is_broadcast;
    const struct packet *packet; /* NULL: there is none any more */
};

static void send_error(const struct subject *subject, struct icmp_header error,
                       uint64_t now_ns)
{
    const struct ipv4_header *about = (const void *)subject->datagram;
    struct ip_send_options options = {
        .source = ip_address_from_ipv4(about->destination),
        .destination = ip_address_from_ipv4(about->source),
        .protocol = IP_PROTOCOL_ICMP,
        .tos = 0xc0, /* RFC 1812 4.3.2.5: internetwork control */
    };
    size_t quote =
        ICMP_ERROR_TOTAL_MAX - IPV4_HEADER_LENGTH - ICMP_HEADER_LENGTH;
    struct ip_route route;
    struct packet *packet;
    struct icmp_header *header;

    if (!ip_is_local(about->destination)) {
        if (ip_router == NULL)
            return; /* not our business */
        options.source = ip_address_from_ipv4(be32_from(0));
    }
    if (!may_be_told(subject->datagram, subject->length,
                     subject->is_broadcast) ||
        ip_route_lookup(&options.destination, &options.source, &route) != 0 ||
        route.is_broadcast || !is_within_limits(about->source, now_ns))
        return;
    options.source = route.source;
    packet = packet_alloc(PACKET_HEADROOM);
    if (packet == NULL)
        return; /* counted by the pool */
    if (quote > subject->length)
        quote = subject->length;
    header = packet_append(packet, sizeof(*header) + quote);
    *header = error;
    memcpy(header + 1, subject->datagram, quote);
    header->checksum =
        checksum_finish(checksum_add(0, header, sizeof(*header) + quote));
    count(error.type);
    if (subject->packet != NULL)
        filter_attach(packet, subject->packet);
    ip_send(packet, &options, &route, now_ns);
}

void icmp_send_error(const struct packet *packet, struct icmp_header error,
                     uint64_t now_ns)
{
    const uint8_t *datagram = packet_network_header(packet);
    const uint8_t *end = packet->data + packet->length;

    send_error(&(struct subject){datagram, (size_t)(end - datagram),
                                 packet->is_broadcast, packet},
               error, now_ns);
}

void icmp_send_parameter_problem(const struct packet *packet, uint8_t octet,
                                 uint64_t now_ns)
{
    struct icmp_header error = {.type = ICMP_PARAMETER_PROBLEM,
                                .rest = {octet, 0, 0, 0}};

    icmp_send_error(packet, error, now_ns);
}

void icmp_send_time_exceeded(const uint8_t *quote, size_t length,
                             bool is_broadcast, uint64_t now_ns)
{
    struct icmp_header error = {.type = ICMP_TIME_EXCEEDED,
                                .code = ICMP_REASSEMBLY_EXCEEDED};

    send_error(&(struct subject){quote, length, is_broadcast, NULL}, error,
               now_ns);
}

void ip_reject(const struct packet *packet, uint8_t code, uint64_t now_ns)
{
    struct icmp_header error = {.type = ICMP_DESTINATION_UNREACHABLE,
                                .code = code};

    icmp_send_error(packet, error, now_ns);
}
