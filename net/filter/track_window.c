/* SPDX-License-Identifier: MIT */
/*
 * Is a TCP segment within what both ends announced? After "Real Stateful TCP
 * Packet Filtering in IP Filter" (G. van Rooij, 2001), with window scaling
 * (RFC 7323 2), SACK (the highest edge counts as acknowledged) and Linux's
 * choices for connections met in their middle.
 */
#include "net/filter/track.h"

#include "net/wire/sequence.h"
#include "net/wire/tcp.h"

static bool is_before(uint32_t a, uint32_t b)
{
    return seq_before(seq_from(a), seq_from(b));
}

static bool is_after(uint32_t a, uint32_t b)
{
    return seq_after(seq_from(a), seq_from(b));
}

static uint32_t at_least_one(uint32_t window)
{
    return window == 0 ? 1 : window;
}

static const struct tcp_header *header_of(const struct track_segment *segment)
{
    return (const void *)segment->transport;
}

uint32_t track_tcp_end(const struct track_segment *segment)
{
    const struct tcp_header *header = header_of(segment);
    uint32_t end = be32_get(header->sequence) + segment->length -
                   (uint32_t)tcp_header_length(header);

    if ((header->flags & TCP_SYN) != 0)
        end++;
    if ((header->flags & TCP_FIN) != 0)
        end++;
    return end;
}

/* The option fields of a SYN that matter here. */
void track_tcp_options(const struct track_segment *segment,
                       struct flow_tcp_side *side)
{
    const struct tcp_header *header = header_of(segment);
    struct tcp_header_options options;

    side->scale = 0;
    side->flags = 0;
    tcp_options_parse((const uint8_t *)(header + 1),
                      tcp_header_length(header) - sizeof(*header), true,
                      &options);
    if (options.has_sack_permitted)
        side->flags |= FLOW_TCP_SACKS;
    if (options.has_window_scale) {
        side->flags |= FLOW_TCP_SCALES;
        side->scale = options.window_scale > TCP_WINDOW_SCALE_MAX
                          ? TCP_WINDOW_SCALE_MAX
                          : options.window_scale;
    }
}

/* What is acknowledged at most, here or there: the highest edge of a SACK
 * block. */
static uint32_t highest_sack(const struct tcp_header *header, uint32_t ack)
{
    size_t length = tcp_header_length(header) - sizeof(*header);
    struct tcp_header_options options;

    if (length <= TCP_TIMESTAMP_SPACE)
        return ack;
    tcp_options_parse((const uint8_t *)(header + 1), length, false, &options);
    for (unsigned i = 0; i < options.sack_count; i++)
        if (is_after(options.sack[i].right.value, ack))
            ack = options.sack[i].right.value;
    return ack;
}

void track_tcp_window_begin(struct flow *flow,
                            const struct track_segment *segment)
{
    const struct tcp_header *header = header_of(segment);
    struct flow_tcp_side *opener = &flow->tcp.side[FLOW_ORIGINAL];

    opener->end = track_tcp_end(segment);
    opener->window_max = at_least_one(be16_get(header->window));
    opener->end_max = opener->end;
    if ((header->flags & TCP_SYN) != 0) {
        track_tcp_options(segment, opener);
        return;
    }
    /* Met in its middle: scales are not known, so windows say little. */
    opener->end_max = opener->end + opener->window_max;
    opener->flags = FLOW_TCP_SACKS | FLOW_TCP_LIBERAL;
    flow->tcp.side[FLOW_REPLY].flags = opener->flags;
}

struct view {
    struct flow_tcp_side *sender;
    struct flow_tcp_side *receiver;
    uint32_t sequence;
    uint32_t end;
    uint32_t ack;
    uint32_t sack;
    uint32_t window; /* not scaled */
    uint8_t flags;
};

/* The sender's own SYN: everything is known from it. */
static void begin_sender(const struct track_segment *segment,
                         const struct view *v)
{
    v->sender->end = v->end;
    v->sender->end_max = v->end;
    v->sender->window_max = at_least_one(v->window);
    track_tcp_options(segment, v->sender);
    /* RFC 7323 2.2: both or neither. */
    if ((v->sender->flags & v->receiver->flags & FLOW_TCP_SCALES) == 0) {
        v->sender->scale = 0;
        v->receiver->scale = 0;
    }
}

/* First seen in its middle: what the packet shows is taken as right. */
static void adopt_sender(const struct view *v)
{
    v->sender->end = v->end;
    v->sender->window_max = at_least_one(v->window << v->sender->scale);
    v->sender->end_max = v->end + v->sender->window_max;
    if (v->receiver->window_max == 0) {
        v->receiver->end = v->sack;
        v->receiver->end_max = v->sack;
    } else if (v->sack == v->receiver->end + 1) {
        v->receiver->end++; /* answers a keepalive */
    }
}

/* RFC 9293 3.4.3: a SYN again, from a new initial number on. */
static bool is_second_opening(const struct flow *flow, const struct view *v)
{
    return (v->flags & TCP_SYN) != 0 && is_after(v->end, v->sender->end) &&
           (flow->tcp.state == FLOW_TCP_SYN_SENT ||
            flow->tcp.state == FLOW_TCP_SYN_RECV);
}

/* True when there is nothing left to check: a SYN that crosses another. */
static bool initialise(const struct flow *flow,
                       const struct track_segment *segment,
                       const struct view *v)
{
    bool has_ack = (v->flags & TCP_ACK) != 0;

    if (v->sender->window_max == 0) {
        if ((v->flags & TCP_SYN) == 0) {
            adopt_sender(v);
            return false;
        }
        begin_sender(segment, v);
        return !has_ack;
    }
    if (is_second_opening(flow, v)) {
        begin_sender(segment, v);
        return segment->direction == FLOW_REPLY && !has_ack;
    }
    return false;
}

/* Fields that mean nothing get the values that pass. */
static void complete(const struct flow *flow, struct view *v)
{
    bool is_reset = (v->flags & TCP_RST) != 0;

    if ((v->flags & TCP_ACK) == 0 || (is_reset && v->ack == 0)) {
        v->ack = v->receiver->end;
        v->sack = v->ack;
    }
    if (is_reset && v->sequence == 0 && flow->tcp.state == FLOW_TCP_SYN_SENT) {
        v->sequence = v->sender->end;
        v->end = v->sequence;
    }
}

static inline void learn(const struct view *v)
{
    struct flow_tcp_side *sender = v->sender;
    struct flow_tcp_side *receiver = v->receiver;
    uint32_t window = v->window;

    if ((v->flags & TCP_SYN) == 0)
        window <<= sender->scale;
    if (sender->window_max < window + (v->sack - v->ack))
        sender->window_max = window + (v->sack - v->ack);
    if (is_after(v->end, sender->end)) {
        sender->end = v->end;
        sender->flags |= FLOW_TCP_UNACKED;
    }
    if ((v->flags & TCP_ACK) != 0) {
        if ((sender->flags & FLOW_TCP_HAS_ACKED) == 0 ||
            is_after(v->ack, sender->ack_max))
            sender->ack_max = v->ack;
        sender->flags |= FLOW_TCP_HAS_ACKED;
    }
    if (receiver->window_max != 0 && is_after(v->end, sender->end_max))
        receiver->window_max += v->end - sender->end_max;
    if (is_after(v->sack + window, receiver->end_max - 1)) {
        receiver->end_max = v->sack + window;
        if (window == 0)
            receiver->end_max++;
    }
    if (v->ack == receiver->end)
        receiver->flags &= (uint8_t)~FLOW_TCP_UNACKED;
}

static inline void count_repeats(struct flow_tcp *tcp, const struct view *v,
                                 enum flow_direction direction)
{
    if (tcp->last_direction == direction && tcp->last_sequence == v->sequence &&
        tcp->last_ack == v->ack && tcp->last_end == v->end &&
        tcp->last_window == v->window) {
        if (tcp->repeats < UINT8_MAX)
            tcp->repeats++;
        return;
    }
    tcp->last_direction = (uint8_t)direction;
    tcp->last_sequence = v->sequence;
    tcp->last_ack = v->ack;
    tcp->last_end = v->end;
    tcp->last_window = (uint16_t)v->window;
    tcp->repeats = 0;
}

/* The paper's four bounds. */
static enum track_window check(const struct view *v)
{
    const struct flow_tcp_side *sender = v->sender;
    const struct flow_tcp_side *receiver = v->receiver;
    uint32_t lag = sender->window_max > TRACK_ACK_WINDOW_MIN
                       ? sender->window_max
                       : TRACK_ACK_WINDOW_MIN;
    bool is_recent = receiver->window_max == 0 ||
                     is_after(v->end, sender->end - receiver->window_max - 1);
    bool is_ack_recent = is_after(v->sack, receiver->end - lag - 1);
    bool is_ack_seen = is_before(v->sack, receiver->end + 1);

    if (!is_before(v->sequence, sender->end_max + 1)) {
        /* More than was allowed, by less than a window: the other end may
         * take it, and then its ACK must not seem to come too early. */
        if (!is_recent || !is_ack_recent || !is_ack_seen ||
            v->end - sender->end_max + 1 > receiver->window_max)
            return TRACK_WINDOW_OUTSIDE;
        v->sender->end = v->end;
        v->sender->flags |= FLOW_TCP_UNACKED;
        return TRACK_WINDOW_ASIDE;
    }
    if (!is_ack_seen)
        return TRACK_WINDOW_OUTSIDE;
    return is_recent && is_ack_recent ? TRACK_WINDOW_OK : TRACK_WINDOW_ASIDE;
}

enum track_window track_tcp_window(struct flow *flow,
                                   const struct track_segment *segment,
                                   unsigned kind)
{
    const struct tcp_header *header = header_of(segment);
    struct view v = {
        .sender = &flow->tcp.side[segment->direction],
        .receiver = &flow->tcp.side[!segment->direction],
        .sequence = be32_get(header->sequence),
        .end = track_tcp_end(segment),
        .ack = be32_get(header->acknowledgement),
        .window = be16_get(header->window),
        .flags = header->flags,
    };
    bool is_liberal = (v.sender->flags & FLOW_TCP_LIBERAL) != 0;
    enum track_window result;

    v.sack = v.ack;
    if ((v.receiver->flags & FLOW_TCP_SACKS) != 0)
        v.sack = highest_sack(header, v.ack);
    if (initialise(flow, segment, &v))
        return TRACK_WINDOW_OK;
    complete(flow, &v);
    result = check(&v);
    if (result == TRACK_WINDOW_OK) {
        learn(&v);
        if (kind == TRACK_ACK)
            count_repeats(&flow->tcp, &v, segment->direction);
    } else if (kind != TRACK_RST &&
               (is_liberal || track_settings.tcp_be_liberal)) {
        return TRACK_WINDOW_OK;
    } else if (is_liberal) {
        return (flow->status & FLOW_SEEN_REPLY) != 0 ? TRACK_WINDOW_ASIDE
                                                     : TRACK_WINDOW_OK;
    }
    return result;
}
