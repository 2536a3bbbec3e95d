/* SPDX-License-Identifier: MIT */
/*
 * Connection tracking, packet by packet, with Linux's meaning of new,
 * established, related and invalid. There are no helpers: FTP and the like
 * are not looked into.
 */
#include "net/filter/track.h"

#include "net/attributes.h"
#include "net/wire/checksum.h"
#include "net/wire/icmp.h"
#include "net/wire/tcp.h"
#include "net/wire/udp.h"

#include <string.h>

struct flow track_fresh;

bool track_tuple(const struct ipv4_header *ip, const uint8_t *transport,
                 size_t linear, struct flow_tuple *tuple)
{
    *tuple = (struct flow_tuple){.source = be32_get(ip->source),
                                 .destination = be32_get(ip->destination)};
    switch (ip->protocol) {
    case FLOW_TCP:
    case FLOW_UDP: {
        const struct udp_header *ports = (const void *)transport;

        if (linear < sizeof(*ports))
            return false;
        tuple->source_port = be16_get(ports->source_port);
        tuple->destination_port = be16_get(ports->destination_port);
        return true;
    }
    case FLOW_ICMP: {
        const struct icmp_header *icmp = (const void *)transport;

        if (linear < sizeof(*icmp))
            return false;
        tuple->source_port = (uint16_t)(icmp->rest[0] << 8 | icmp->rest[1]);
        tuple->destination_port = (uint16_t)(icmp->type << 8 | icmp->code);
        return true;
    }
    default:
        return true;
    }
}

/* The transport's checksum over packet, pseudo-header included or not. */
bool track_is_intact(const struct packet *packet, bool has_pseudo)
{
    const struct ipv4_header *ip = (const void *)packet->data;
    size_t header = ipv4_header_length(ip);
    uint32_t sum = packet_sum(packet, header);

    if (has_pseudo) {
        sum = checksum_add_32(sum, be32_get(ip->source));
        sum = checksum_add_32(sum, be32_get(ip->destination));
        sum = checksum_add_32(sum,
                              (uint32_t)(packet_total_length(packet) - header) +
                                  ip->protocol);
    }
    return checksum_is_valid(sum);
}

static bool is_sane_udp(const struct packet *packet,
                        const struct track_segment *segment)
{
    const struct udp_header *udp = (const void *)segment->transport;
    size_t length;

    if (segment->linear < sizeof(*udp))
        return false;
    length = be16_get(udp->length);
    if (length > segment->length || length < sizeof(*udp))
        return false;
    return be16_get(udp->checksum) == 0 || !track_needs_checksum(packet) ||
           track_is_intact(packet, true);
}

static bool is_sane_icmp(const struct packet *packet,
                         const struct track_segment *segment)
{
    const struct icmp_header *icmp = (const void *)segment->transport;

    return segment->linear >= sizeof(*icmp) &&
           icmp->type <= ICMP_ADDRESS_MASK_REPLY &&
           (!track_needs_checksum(packet) || track_is_intact(packet, false));
}

/* Lengths, checksums and flags: what fails is invalid whatever flow there
 * is. */
static bool is_sane(const struct packet *packet,
                    const struct track_segment *segment)
{
    switch (segment->ip->protocol) {
    case FLOW_TCP:
        return track_tcp_is_sane(segment) &&
               (!track_needs_checksum(packet) || track_is_intact(packet, true));
    case FLOW_UDP:
        return is_sane_udp(packet, segment);
    case FLOW_ICMP:
        return is_sane_icmp(packet, segment);
    default:
        return true;
    }
}

static bool begins_icmp(const struct flow_tuple *tuple)
{
    switch (tuple->destination_port >> 8) {
    case ICMP_ECHO_REQUEST:
    case ICMP_TIMESTAMP:
    case ICMP_INFORMATION:
    case ICMP_ADDRESS_MASK:
        return true;
    default:
        return false;
    }
}

static struct flow *begin(const struct flow_tuple *tuple,
                          const struct track_segment *segment)
{
    uint8_t protocol = segment->ip->protocol;

    memset(&track_fresh, 0, sizeof(track_fresh));
    track_fresh.protocol = protocol;
    track_fresh.tuple[FLOW_ORIGINAL] = *tuple;
    if (protocol == FLOW_ICMP && !begins_icmp(tuple))
        return NULL;
    track_fresh.tuple[FLOW_REPLY] = flow_inverse(tuple, protocol);
    if (protocol == FLOW_TCP && !track_tcp_begin(&track_fresh, segment))
        return NULL;
    return &track_fresh;
}

static enum track_verdict advance(struct flow *flow,
                                  const struct track_segment *segment)
{
    switch (flow->protocol) {
    case FLOW_TCP:
        return track_tcp_continue(flow, segment);
    case FLOW_UDP:
        if ((flow->status & FLOW_CONFIRMED) == 0)
            flow->stream_at = segment->now + flow_ticks(2 * NS_PER_S);
        track_udp_continue(flow, segment->now);
        return TRACK_IN_FLOW;
    case FLOW_ICMP:
        flow->expires = segment->now + track_timeouts[TRACK_ICMP_TIMEOUT];
        return TRACK_IN_FLOW;
    default:
        flow->expires = segment->now + track_timeouts[TRACK_GENERIC_TIMEOUT];
        return TRACK_IN_FLOW;
    }
}

static void set(struct packet *packet, struct flow *flow,
                enum flow_direction direction, unsigned state)
{
    packet->flow = flow;
    packet->flow_state =
        (uint8_t)(state | (direction == FLOW_REPLY ? TRACK_IS_REPLY : 0));
}

static void set_invalid(struct packet *packet)
{
    flow_counters.invalid++;
    packet->flow = NULL;
    packet->flow_state = TRACK_INVALID;
}

static void count(struct flow *flow, enum flow_direction direction,
                  const struct track_segment *segment)
{
    flow->packets[direction]++;
    flow->bytes[direction] += be16_get(segment->ip->total_length);
}

/* A looped packet was translated on its way out: it bears what the answer
 * inverts. */
static struct flow *find(const struct packet *packet,
                         const struct flow_tuple *tuple,
                         struct track_segment *segment)
{
    uint8_t protocol = segment->ip->protocol;
    struct flow *flow =
        flow_find(tuple, protocol, segment->now, &segment->direction);

    if (flow == NULL && packet->is_looped) {
        struct flow_tuple inverse = flow_inverse(tuple, protocol);

        flow = flow_find(&inverse, protocol, segment->now, &segment->direction);
        segment->direction =
            segment->direction == FLOW_REPLY ? FLOW_ORIGINAL : FLOW_REPLY;
    }
    return flow;
}

static bool knows_both(const struct flow *flow)
{
    return (flow->status & FLOW_SEEN_REPLY) != 0 &&
           flow->tcp.side[0].window_max != 0 &&
           flow->tcp.side[1].window_max != 0;
}

static void track_known(struct packet *packet, struct flow *flow,
                        const struct track_segment *segment)
{
    unsigned state = TRACK_ESTABLISHED;

    if (segment->direction == FLOW_ORIGINAL &&
        (flow->status & FLOW_SEEN_REPLY) == 0)
        state = TRACK_NEW;
    count(flow, segment->direction, segment);
    if (segment->direction == FLOW_REPLY)
        flow->status |= FLOW_SEEN_REPLY;
    if (flow->protocol == FLOW_TCP && knows_both(flow))
        flow->status |= FLOW_BOTH_KNOWN;
    set(packet, flow, segment->direction, state);
}

static void track_segment(struct packet *packet, struct track_segment *segment)
{
    struct flow_tuple tuple;
    struct flow *flow;
    enum track_verdict verdict;

    if (!track_tuple(segment->ip, segment->transport, segment->linear,
                     &tuple)) {
        set_invalid(packet);
        return;
    }
    segment->direction = FLOW_ORIGINAL;
    flow = find(packet, &tuple, segment);
    if (flow == NULL)
        flow = begin(&tuple, segment);
    verdict = flow == NULL ? TRACK_NOT_OF_IT : advance(flow, segment);
    if (verdict == TRACK_ANEW) {
        flow_remove(flow);
        segment->direction = FLOW_ORIGINAL;
        flow = begin(&tuple, segment);
        verdict = flow == NULL ? TRACK_NOT_OF_IT : advance(flow, segment);
    }
    if (verdict == TRACK_IN_FLOW)
        track_known(packet, flow, segment);
    else
        set_invalid(packet);
}

COLD void track_unusual(struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *ip = (const void *)packet->data;
    uint32_t header = (uint32_t)ipv4_header_length(ip);
    struct track_segment segment = {
        .ip = ip,
        .transport = packet->data + header,
        .linear = packet->length - header,
        .length = (uint32_t)packet_total_length(packet) - header,
        .now = flow_ticks(now_ns),
    };
    enum flow_direction direction;

    flow_reap();
    if (!is_sane(packet, &segment)) {
        set_invalid(packet);
    } else if (track_is_icmp_error(&segment)) {
        struct flow *flow = track_icmp_error(&segment, &direction);

        if (flow == NULL)
            set_invalid(packet);
        else
            set(packet, flow, direction, TRACK_RELATED);
    } else {
        track_segment(packet, &segment);
    }
}

void track_packet(struct packet *packet, uint64_t now_ns)
{
    if (!track_usual(packet, flow_ticks(now_ns)))
        track_unusual(packet, now_ns);
}

enum filter_verdict track_confirm(struct packet *packet, uint64_t now_ns)
{
    struct flow *flow = packet->flow;

    if (!track_is_fresh(packet))
        return FILTER_ACCEPT;
    packet->flow = flow_insert(flow, flow_ticks(now_ns));
    return packet->flow == NULL ? FILTER_DROP : FILTER_ACCEPT;
}
