/* SPDX-License-Identifier: MIT */
/*
 * Putting trains together. Two segments are joined only if nothing above could
 * tell, but by how many there are: the headers are the same but for lengths,
 * identification, checksums, PSH and a sequence number that follows. Left out
 * on purpose: what is tagged, fragmented, or small; pure ACKs.
 */
#include "net/link/gro.h"

#include "net/attributes.h"
#include "net/link/ethernet.h"
#include "net/link/netif.h"
#include "net/wire/checksum.h"
#include "net/wire/ipv4.h"
#include "net/wire/tcp.h"

#include <string.h>

enum {
    PROTOCOL_TCP = 6,
    TRAINS_MAX = 8, /* at a time, of one device */
    /* A first segment shorter than this is no bulk transfer. */
    FIRST_PAYLOAD_MIN = GRO_FRAME_MIN,
    TRAIN_BYTES_MAX = 65535 - TCP_HEADER_MAX - IPV4_HEADER_LENGTH,
    IP_AT = ETHERNET_HEADER_LENGTH,
    TCP_AT = IP_AT + IPV4_HEADER_LENGTH,
    OPTIONS_AT = TCP_AT + TCP_HEADER_LENGTH,
    LENGTH_AT = IP_AT + 2, /* length, identification */
    CHECKSUM_AT = IP_AT + 10,
    FRAGMENT_AT = IP_AT + 6,   /* fragment, TTL, protocol */
    ADDRESSES_AT = IP_AT + 12, /* two addresses, and two ports behind them */
    PORTS_AT = TCP_AT,
    ACKNOWLEDGEMENT_AT = TCP_AT + 8,
    FLAGS_AT = TCP_AT + 12, /* length, flags, window, checksum, urgent */
};

struct flow {
    struct packet *first; /* still with its Ethernet header */
    struct packet **link; /* where the next one hangs: train, then next */
    uint32_t begin_seq;   /* of what hangs on the first */
    uint32_t next_seq;
    uint32_t header_length; /* all three */
    uint32_t payload;       /* of the first */
    uint16_t sum;           /* what its changing_sum() is, all must have */
    bool is_transit;        /* becomes a large packet */
};

struct gro_counters gro_counters;

struct gro_state gro_state;

static struct {
    struct flow flows[TRAINS_MAX];
    const struct gro_transit *transit; /* NULL: nothing is passed on */
    bool is_off;
    bool is_hooked;
} gro;

void gro_init(void)
{
    memset(&gro, 0, sizeof(gro));
    gro_state = (struct gro_state){0};
    memset(&gro_counters, 0, sizeof(gro_counters));
}

static void decide(void)
{
    gro_state.off =
        gro.is_off || (gro.is_hooked && gro.transit == NULL) ? UINT32_MAX : 0;
}

void gro_set_enabled(bool enabled)
{
    gro.is_off = !enabled;
    decide();
}

void gro_set_hooked(bool hooked)
{
    gro.is_hooked = hooked;
    decide();
}

void gro_use_transit(const struct gro_transit *transit)
{
    gro.transit = transit;
    decide();
}

static const struct ipv4_header *ip_of(const struct packet *packet)
{
    return (const void *)(packet->data + IP_AT);
}

static const struct tcp_header *tcp_of(const struct packet *packet)
{
    return (const void *)(packet->data + TCP_AT);
}

/* TCP over a plain IPv4 header, as far as the addresses can be trusted to be
 * where they are. */
static bool is_tcp(const struct packet *packet)
{
    const struct ethernet_header *ethernet = (const void *)packet->data;

    return packet->length >= OPTIONS_AT && !packet->has_vlan_tag &&
           be16_get(ethernet->type) == ETHERNET_TYPE_IPV4 &&
           ip_of(packet)->version_ihl == 0x45 &&
           ip_of(packet)->protocol == PROTOCOL_TCP;
}

/* How much text the segment has; 0: it goes alone. */
static uint32_t payload_of(const struct packet *packet, uint32_t *header_length)
{
    const struct ipv4_header *ip = ip_of(packet);
    uint32_t end = IP_AT + be16_get(ip->total_length);
    uint32_t length = TCP_AT + (uint32_t)tcp_header_length(tcp_of(packet));

    if (ipv4_is_fragment(ip) || length < OPTIONS_AT || end > packet->length ||
        length >= end || (tcp_of(packet)->flags & ~TCP_PSH) != TCP_ACK)
        return 0;
    *header_length = length;
    return end - length;
}

static inline bool is_text_intact(const struct packet *packet, uint32_t length)
{
    const struct ipv4_header *ip = ip_of(packet);
    uint32_t tcp_length = length - TCP_AT;

    if (packet->checksum != PACKET_CHECKSUM_NONE)
        return true;
    const uint8_t rest[4] = {0, PROTOCOL_TCP, (uint8_t)(tcp_length >> 8),
                             (uint8_t)tcp_length};
    return checksum_native_is_valid(
        checksum_native_32(&ip->source) + checksum_native_32(&ip->destination) +
        checksum_native_32(rest) + checksum_native(tcp_of(packet), tcp_length));
}

/* Length, identification and checksum of an IP header, all of it that differs
 * between segments: where their sum is the same, the checksum is as right. */
static inline uint16_t changing_sum(const uint8_t *frame)
{
    uint32_t words;
    uint16_t checksum;

    memcpy(&words, frame + LENGTH_AT, sizeof(words));
    memcpy(&checksum, frame + CHECKSUM_AT, sizeof(checksum));
    return checksum_native_fold((uint64_t)words + checksum);
}

/* The bits by which two frames differ there. */
static inline uint64_t difference_64(const uint8_t *a, const uint8_t *b,
                                     size_t at)
{
    uint64_t left;
    uint64_t right;

    memcpy(&left, a + at, sizeof(left));
    memcpy(&right, b + at, sizeof(right));
    return left ^ right;
}

static inline uint32_t difference_32(const uint8_t *a, const uint8_t *b,
                                     size_t at)
{
    uint32_t left;
    uint32_t right;

    memcpy(&left, a + at, sizeof(left));
    memcpy(&right, b + at, sizeof(right));
    return left ^ right;
}

static inline bool has_equal_ends(const uint8_t *a, const uint8_t *b)
{
    return (difference_64(a, b, ADDRESSES_AT) |
            difference_32(a, b, PORTS_AT)) == 0;
}

/* Everything else a receiver looks at is the same, but for the lengths and
 * where in the stream it is. */
static inline bool has_equal_headers(const uint8_t *a, const uint8_t *b,
                                     uint32_t length)
{
    /* From FLAGS_AT on: PSH, and behind the window the checksum. */
    static const uint8_t free[8] = {0, TCP_PSH, 0, 0, 0xff, 0xff, 0, 0};
    uint64_t all = difference_64(a, b, 0);
    uint64_t mask;

    memcpy(&mask, free, sizeof(mask));

    all |= difference_64(a, b, 8); /* the rest of Ethernet's, version, TOS */
    all |= difference_32(a, b, FRAGMENT_AT);
    all |= difference_32(a, b, ACKNOWLEDGEMENT_AT);
    all |= difference_64(a, b, FLAGS_AT) & ~mask;
    for (uint32_t at = OPTIONS_AT; at < length; at += 4)
        all |= difference_32(a, b, at);
    return all == 0;
}

static inline bool is_of(const struct flow *flow, const struct packet *packet)
{
    const struct packet *first = flow->first;

    return first->netif == packet->netif &&
           has_equal_ends(first->data, packet->data);
}

static void release(struct flow *flow)
{
    struct packet *first = flow->first;
    struct packet **link = flow->link;
    uint32_t length = flow->next_seq - flow->begin_seq;

    *flow = gro.flows[--gro_state.held];
    if (first->segment_count > 1) {
        gro_counters.trains++;
        gro_counters.segments += first->segment_count - 1U;
    }
    if (first->segment_size != 0)
        gro.transit->finish(first);
    if (first->train != NULL) {
        packet_set_train_last(first, container_of(link, struct packet, next));
        first->train_length = length;
    }
    ethernet_receive(first->netif, first);
}

static inline void count_in(struct flow *flow, uint32_t payload, bool is_end)
{
    flow->first->segment_count++;
    flow->next_seq += payload;
    if (is_end || payload < flow->payload)
        release(flow);
}

static NOINLINE void join(struct flow *flow, struct packet *packet,
                          uint32_t payload)
{
    bool is_end = (tcp_of(packet)->flags & TCP_PSH) != 0;

    packet->data += flow->header_length;
    packet->length = payload;
    *flow->link = packet;
    flow->link = &packet->next;
    count_in(flow, payload, is_end);
}

/* Is it for others, as far as can be told here? */
static bool is_transit(const struct netif *netif, const struct packet *packet)
{
    return gro.is_hooked ||
           !be32_equal(ip_of(packet)->destination, netif->ip.address);
}

/* Worth waiting for others to follow? */
static bool may_begin(const struct netif *netif, const struct packet *packet,
                      uint32_t header_length, uint32_t payload)
{
    const struct ethernet_header *ethernet = (const void *)packet->data;

    return payload >= FIRST_PAYLOAD_MIN &&
           (tcp_of(packet)->flags & TCP_PSH) == 0 &&
           ethernet_address_equal(&ethernet->destination, &netif->address) &&
           (!is_transit(netif, packet) ||
            (gro.transit != NULL && gro.transit->may_begin(packet))) &&
           checksum_native_20(ip_of(packet)) == 0xffff &&
           is_text_intact(packet, header_length + payload);
}

static void begin(const struct netif *netif, struct packet *packet,
                  uint32_t header_length, uint32_t payload)
{
    if (gro_state.held == TRAINS_MAX)
        gro_flush();
    uint32_t next_seq = be32_get(tcp_of(packet)->sequence) + payload;

    packet->checksum = PACKET_CHECKSUM_VERIFIED;
    packet->segment_count = 1;
    gro.flows[gro_state.held++] = (struct flow){
        .first = packet,
        .link = &packet->train,
        .begin_seq = next_seq,
        .next_seq = next_seq,
        .header_length = header_length,
        .payload = payload,
        .sum = changing_sum(packet->data),
        .is_transit = is_transit(netif, packet),
    };
}

static NOINLINE void receive_alone(struct netif *netif, struct packet *packet)
{
    uint32_t header_length = 0;

    if (gro_state.off != 0 || !is_tcp(packet)) {
        ethernet_receive(netif, packet);
        return;
    }
    uint32_t payload = payload_of(packet, &header_length);
    if (payload != 0 && may_begin(netif, packet, header_length, payload))
        begin(netif, packet, header_length, payload);
    else
        ethernet_receive(netif, packet);
}

/* It does not join: what came first goes first. */
static NOINLINE void receive_behind(struct flow *flow, struct packet *packet)
{
    release(flow);
    receive_alone(packet->netif, packet);
}

/* What is to be summed, or passed on. */
static NOINLINE void join_any(struct flow *flow, struct packet *packet,
                              uint32_t payload)
{
    bool is_end = (tcp_of(packet)->flags & TCP_PSH) != 0;
    struct packet *large = NULL;

    if (is_text_intact(packet, flow->header_length + payload)) {
        if (!flow->is_transit) {
            join(flow, packet, payload);
            return;
        }
        large = gro.transit->join(flow->first, packet, flow->header_length,
                                  payload);
    }
    if (large == NULL) {
        receive_behind(flow, packet);
        return;
    }
    flow->first = large;
    is_end |= large->fragment_count == PACKET_FRAGMENTS_MAX;
    count_in(flow, payload, is_end);
}

/* Joins it to the train of its flow, if it is what comes next there; a train
 * begins with what is TCP without doubt. */
static NOINLINE void join_next(struct flow *flow, struct packet *packet)
{
    uint32_t end = IP_AT + be16_get(ip_of(packet)->total_length);
    uint32_t payload = end - flow->header_length;
    uint32_t sequence = be32_get(tcp_of(packet)->sequence);

    /* A length of less than the headers is too much, too. */
    if (payload - 1 >= flow->payload || end > packet->length ||
        sequence != flow->next_seq ||
        sequence + payload - flow->begin_seq >
            TRAIN_BYTES_MAX - flow->payload ||
        !has_equal_headers(flow->first->data, packet->data,
                           flow->header_length) ||
        changing_sum(packet->data) != flow->sum) {
        receive_behind(flow, packet);
        return;
    }
    if (flow->is_transit || packet->checksum == PACKET_CHECKSUM_NONE)
        join_any(flow, packet, payload);
    else
        join(flow, packet, payload);
}

/* Each on this way calls nothing but at its end, and so saves no register. */
void gro_receive(struct netif *netif, struct packet *packet)
{
    size_t held = gro_state.held;

    if (gro_state.off != 0 || packet->length < OPTIONS_AT ||
        packet->has_vlan_tag)
        held = 0;
    for (struct flow *flow = gro.flows; held != 0; flow++, held--)
        if (is_of(flow, packet)) {
            join_next(flow, packet);
            return;
        }
    receive_alone(netif, packet);
}

void gro_flush(void)
{
    while (gro_state.held != 0)
        release(&gro.flows[0]);
}
