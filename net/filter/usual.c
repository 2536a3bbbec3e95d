/* SPDX-License-Identifier: MIT */
/*
 * What nearly all packets are to connection tracking and translation, in one
 * go: an ACK in the window of an established connection that goes both ways
 * (track_window.c has the bounds and what is learned), and UDP of a known
 * flow. All else takes the long way (engine.c, track.c, nat.c), and nothing
 * has been done to it here.
 */
#include "net/filter/engine.h"

#include "net/wire/checksum.h"
#include "net/wire/dhcp.h"
#include "net/wire/tcp.h"
#include "net/wire/udp.h"

#include <stddef.h>
#include <string.h>

/* What an ACK says. */
struct ack {
    uint64_t numbers; /* sequence above, acknowledgement below */
    uint32_t sequence;
    uint32_t end;
    uint32_t ack;
    uint32_t window; /* not scaled */
};

static int32_t distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* The packet's bytes turned round, as a flow's tuple and numbers have them. */
static inline uint64_t turned_64(const void *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    return __builtin_bswap64(word);
}

static inline uint32_t turned_32(const void *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof(word));
    return __builtin_bswap32(word);
}

static inline struct flow_found find(const struct ipv4_header *ip,
                                     uint8_t protocol, uint32_t now)
{
    return flow_find_recent(turned_64(&ip->source), turned_32(ip + 1), protocol,
                            now);
}

/* The card vouches for it, or it is right. */
static inline bool is_intact(struct packet *packet)
{
    if (!track_needs_checksum(packet))
        return true;
    if (!track_is_intact(packet, true))
        return false;
    packet->checksum = PACKET_CHECKSUM_VERIFIED;
    return true;
}

/* The packet is one of that flow's: counted, and knows it. */
static inline void join_flow(struct packet *packet, struct flow_found found,
                             unsigned state, uint32_t total)
{
    struct flow *flow = found.flow;

    flow->packets[found.direction]++;
    flow->bytes[found.direction] += total;
    packet->flow = flow;
    packet->flow_state =
        (uint8_t)(state | found.direction * (unsigned)TRACK_IS_REPLY);
}

/* ---- TCP -------------------------------------------------------------------
 */

/* The four bounds. */
static inline bool is_within(const struct flow_tcp_side *sender,
                             const struct flow_tcp_side *receiver,
                             const struct ack *a)
{
    uint32_t lag = sender->window_max > TRACK_ACK_WINDOW_MIN
                       ? sender->window_max
                       : TRACK_ACK_WINDOW_MIN;

    return distance(a->sequence, sender->end_max) <= 0 &&
           distance(a->ack, receiver->end) <= 0 &&
           distance(a->end + receiver->window_max, sender->end) >= 0 &&
           distance(a->ack + lag, receiver->end) >= 0;
}

static inline void learn(struct flow_tcp_side *sender,
                         struct flow_tcp_side *receiver, const struct ack *a)
{
    uint32_t window = a->window << sender->scale;
    unsigned flags = sender->flags;

    if (sender->window_max < window)
        sender->window_max = window;
    if (distance(a->end, sender->end_max) > 0)
        receiver->window_max += a->end - sender->end_max;
    if (distance(a->end, sender->end) > 0) {
        sender->end = a->end;
        flags |= FLOW_TCP_UNACKED;
    }
    if ((flags & FLOW_TCP_HAS_ACKED) == 0 ||
        distance(a->ack, sender->ack_max) > 0)
        sender->ack_max = a->ack;
    sender->flags = (uint8_t)(flags | FLOW_TCP_HAS_ACKED);
    if (distance(a->ack + window, receiver->end_max) >= 0)
        receiver->end_max = a->ack + window + (window == 0);
    if (a->ack == receiver->end)
        receiver->flags &= (uint8_t)~FLOW_TCP_UNACKED;
}

static inline void count_repeats(struct flow_tcp *tcp, const struct ack *a,
                                 enum flow_direction direction)
{
    uint64_t last;

    memcpy(&last, &tcp->last_ack, sizeof(last));
    if (last == a->numbers && tcp->last_end == a->end &&
        tcp->last_direction == direction && tcp->last_window == a->window) {
        if (tcp->repeats < UINT8_MAX)
            tcp->repeats++;
        return;
    }
    memcpy(&tcp->last_ack, &a->numbers, sizeof(a->numbers));
    tcp->last_end = a->end;
    tcp->last_direction = (uint8_t)direction;
    tcp->last_window = (uint16_t)a->window;
    tcp->repeats = 0;
}

/* As track_tcp_timeout, of which it asks what is not usual. */
static inline uint32_t timeout_of(const struct flow *flow)
{
    const struct flow_tcp *tcp = &flow->tcp;
    uint32_t most = track_timeouts[TRACK_TCP_TIMEOUTS + FLOW_TCP_ESTABLISHED];
    uint32_t cut = track_timeouts[TRACK_TCP_UNACKNOWLEDGED_TIMEOUT];

    if (tcp->last_window == 0 || tcp->repeats >= track_settings.tcp_max_retrans)
        return track_tcp_timeout(flow);
    if (((tcp->side[0].flags | tcp->side[1].flags) & FLOW_TCP_UNACKED) == 0)
        return most;
    return cut < most ? cut : most;
}

static inline bool is_plain_ack(const struct packet *packet,
                                const struct tcp_header *tcp, uint32_t length)
{
    const uint8_t flags = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG;

    return (tcp->flags & flags) == TCP_ACK &&
           length - TCP_HEADER_LENGTH <= TCP_TIMESTAMP_SPACE &&
           length <= packet->length - IPV4_HEADER_LENGTH;
}

static inline bool pass_tcp(struct packet *packet, uint32_t now)
{
    const struct ipv4_header *ip = (const void *)packet->data;
    const struct tcp_header *tcp = (const void *)(ip + 1);
    uint32_t total = (uint32_t)packet_total_length(packet);
    struct flow_found found;
    struct flow_tcp_side *sender, *receiver;
    struct flow *flow;
    uint32_t header;
    struct ack a;

    if (packet->length < sizeof(*ip) + sizeof(*tcp))
        return false;
    header = (uint32_t)tcp_header_length(tcp);
    if (!is_plain_ack(packet, tcp, header) || !is_intact(packet))
        return false;
    found = find(ip, FLOW_TCP, now);
    flow = found.flow;
    if (flow == NULL || flow->tcp.state != FLOW_TCP_ESTABLISHED ||
        (flow->status & FLOW_BOTH_KNOWN) == 0)
        return false;
    a.numbers = turned_64(&tcp->sequence);
    a.sequence = (uint32_t)(a.numbers >> 32);
    a.ack = (uint32_t)a.numbers;
    a.end = a.sequence + total - IPV4_HEADER_LENGTH - header;
    a.window = be16_get(tcp->window);
    sender = &flow->tcp.side[found.direction];
    receiver = &flow->tcp.side[!found.direction];
    if (!is_within(sender, receiver, &a))
        return false;
    learn(sender, receiver, &a);
    count_repeats(&flow->tcp, &a, found.direction);
    flow->tcp.last_kind = TRACK_ACK;
    flow->status |= FLOW_ASSURED;
    flow->expires = now + timeout_of(flow);
    join_flow(packet, found, TRACK_ESTABLISHED, total);
    return true;
}

/* ---- UDP -------------------------------------------------------------------
 */

/* As Linux: a stream is what goes both ways for more than two seconds. */
void track_udp_continue(struct flow *flow, uint32_t now)
{
    unsigned timeout = TRACK_UDP_TIMEOUT;

    if ((flow->status & FLOW_SEEN_REPLY) != 0 &&
        flow_is_due(flow->stream_at, now)) {
        timeout = TRACK_UDP_STREAM_TIMEOUT;
        flow->status |= FLOW_ASSURED;
    }
    flow->expires = now + track_timeouts[timeout];
}

/* Not of DHCP, of which rules may not see all (engine.c). */
static inline bool is_plain_datagram(const struct packet *packet,
                                     const struct udp_header *udp,
                                     uint32_t total)
{
    uint32_t length = be16_get(udp->length);

    return length >= sizeof(*udp) && length <= total - IPV4_HEADER_LENGTH &&
           packet->length >= IPV4_HEADER_LENGTH + sizeof(*udp) &&
           be16_get(udp->destination_port) != DHCP_SERVER_PORT &&
           be16_get(udp->destination_port) != DHCP_CLIENT_PORT;
}

static inline bool pass_udp(struct packet *packet, uint32_t now)
{
    const struct ipv4_header *ip = (const void *)packet->data;
    const struct udp_header *udp = (const void *)(ip + 1);
    uint32_t total = (uint32_t)packet_total_length(packet);
    unsigned state = TRACK_ESTABLISHED;
    struct flow_found found;
    struct flow *flow;

    if (!is_plain_datagram(packet, udp, total) ||
        (be16_raw(udp->checksum) != 0 && !is_intact(packet)))
        return false;
    found = find(ip, FLOW_UDP, now);
    flow = found.flow;
    if (flow == NULL)
        return false;
    track_udp_continue(flow, now);
    if (found.direction == FLOW_REPLY)
        flow->status |= FLOW_SEEN_REPLY;
    else if ((flow->status & FLOW_SEEN_REPLY) == 0)
        state = TRACK_NEW;
    join_flow(packet, found, state, total);
    return true;
}

/* ---- translation ------------------------------------------------------------
 * Sums of words as the machine reads them: for them the order of bytes does
 * not matter (RFC 1071 2), as long as all words are read alike. */

static inline uint32_t raw_32(const struct be32 *field)
{
    uint32_t word;

    memcpy(&word, field, sizeof(word));
    return word;
}

static inline uint32_t raw_16(const struct be16 *field)
{
    uint16_t word;

    memcpy(&word, field, sizeof(word));
    return word;
}

static inline uint32_t fold(uint32_t sum)
{
    return (sum + (sum << 16 | sum >> 16)) >> 16;
}

/* RFC 1624, eqn. 4: what the words lose the complement of their sum gains. It
 * becomes 0, which UDP must not, only if it was and nothing changed. */
static inline void gain(struct be16 *field, uint32_t loss)
{
    uint16_t word = (uint16_t)fold(raw_16(field) + loss);

    memcpy(field, &word, sizeof(word));
}

/* Sources stand in front of destinations in a packet, and behind them in the
 * tuple of the answer: a side is an index to both. */
_Static_assert(offsetof(struct ipv4_header, source) == 12 &&
                   offsetof(struct ipv4_header, destination) == 16 &&
                   offsetof(struct udp_header, source_port) == 0 &&
                   offsetof(struct udp_header, destination_port) == 2,
               "sides of a packet");
_Static_assert(offsetof(struct flow_tuple, destination) == 0 &&
                   offsetof(struct flow_tuple, source) == 4 &&
                   offsetof(struct flow_tuple, destination_port) == 8 &&
                   offsetof(struct flow_tuple, source_port) == 10 &&
                   NAT_SOURCE == 0 && NAT_DESTINATION == 1,
               "sides of a tuple");

/* An IP header without options and the ports behind it become what inverts
 * `answer` on that side; what the words of both, and then of the ports, lost
 * goes to the checksums. */
static inline void rewrite(struct ipv4_header *ip,
                           const struct flow_tuple *answer, enum nat_side side,
                           struct be16 *checksum)
{
    struct be32 *address =
        (void *)((uint8_t *)&ip->source + side * sizeof(*address));
    struct be16 *port = (void *)((uint8_t *)(ip + 1) + side * sizeof(*port));
    const uint8_t *after = (const uint8_t *)answer;
    struct be32 address_after;
    struct be16 port_after;
    uint32_t host;
    uint16_t number;
    uint64_t wide;
    uint32_t loss;

    memcpy(&host, after + side * sizeof(host), sizeof(host));
    memcpy(&number, after + 8 + side * sizeof(number), sizeof(number));
    address_after = be32_from(host);
    port_after = be16_from(number);
    wide = (uint64_t)raw_32(address) + (uint32_t)~raw_32(&address_after);
    loss = fold((uint32_t)wide + (uint32_t)(wide >> 32));
    *address = address_after;
    gain(&ip->checksum, loss);
    loss += raw_16(port) + (raw_16(&port_after) ^ 0xffff);
    *port = port_after;
    if (checksum != NULL)
        gain(checksum, loss);
}

/* Of a flow that is changed on that side; true. */
static bool translate(struct packet *packet, enum nat_side side)
{
    const struct flow *flow = packet->flow;
    const struct flow_tuple *answer = &flow->tuple[!track_direction(packet)];
    struct ipv4_header *ip = (void *)packet->data;
    struct tcp_header *tcp = (void *)(ip + 1);
    struct udp_header *udp = (void *)(ip + 1);

    struct be16 *checksum = &tcp->checksum;

    if (flow->protocol == FLOW_UDP) {
        checksum = be16_raw(udp->checksum) == 0 ? NULL : &udp->checksum;
    } else if (flow->protocol != FLOW_TCP) {
        (void)nat_change(packet, side);
        return true;
    }
    rewrite(ip, answer, side, checksum);
    return true;
}

/* ---- several hooks at once --------------------------------------------------
 */

/* With a header without options; and what comes from outside is translated. */
static NOINLINE bool track_plain(struct packet *packet, uint32_t now,
                                 bool is_entering)
{
    const struct ipv4_header *ip = (const void *)packet->data;

    if (!(ip->protocol == FLOW_TCP
              ? pass_tcp(packet, now)
              : ip->protocol == FLOW_UDP && pass_udp(packet, now)))
        return false;
    if (is_entering &&
        nat_changes(packet->flow, track_direction(packet), NAT_DESTINATION))
        return translate(packet, NAT_DESTINATION);
    return true;
}

bool track_usual(struct packet *packet, uint32_t now)
{
    const struct ipv4_header *ip = (const void *)packet->data;

    return ip->version_ihl == 0x45 && !packet->is_looped &&
           track_plain(packet, now, false);
}

/* The packet has a plain header and comes from outside. */
static bool enter(struct packet *packet, uint64_t now_ns)
{
    const struct rule_set *set = rules_active();

    return set != NULL && !set->hooks[FILTER_PREROUTING].has_chains &&
           !ipv4_is_fragment((const void *)packet->data) &&
           track_plain(packet, flow_ticks(now_ns), true);
}

static bool cross(struct packet *packet, bool is_forwarded)
{
    const struct rule_set *set = rules_active();

    if (set == NULL || track_is_fresh(packet) ||
        (packet->flow_state &
         (is_forwarded ? set->hooks[FILTER_POSTROUTING].passes
                       : set->passes_across)) == 0)
        return false;
    if (nat_changes(packet->flow, track_direction(packet), NAT_SOURCE))
        return translate(packet, NAT_SOURCE);
    return true;
}

const struct filter_express engine_express = {enter, cross};
