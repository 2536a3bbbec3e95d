/* SPDX-License-Identifier: MIT */
/*
 * The states of a TCP connection as they are seen from the middle (RFC 9293
 * 3.3.2), by Linux's rules: what a segment does in each state, when a SYN may
 * begin anew, and which resets are believed (RFC 5961 3).
 */
#include "net/filter/track.h"

#include "net/wire/sequence.h"
#include "net/wire/tcp.h"

enum {
    /* Besides states: what else a segment may do. */
    IGNORE = FLOW_TCP_STATE_COUNT,
    REFUSE,
};

static bool is_before(uint32_t a, uint32_t b)
{
    return seq_before(seq_from(a), seq_from(b));
}

static const struct tcp_header *header_of(const struct track_segment *segment)
{
    return (const void *)segment->transport;
}

/* Without PSH, ECE and CWR; one bit for each combination that is sent. */
bool track_tcp_is_sane(const struct track_segment *segment)
{
    static const uint64_t sent =
        UINT64_C(1) << TCP_SYN | UINT64_C(1) << (TCP_SYN | TCP_URG) |
        UINT64_C(1) << (TCP_SYN | TCP_ACK) | UINT64_C(1) << TCP_RST |
        UINT64_C(1) << (TCP_RST | TCP_ACK) |
        UINT64_C(1) << (TCP_FIN | TCP_ACK) |
        UINT64_C(1) << (TCP_FIN | TCP_ACK | TCP_URG) | UINT64_C(1) << TCP_ACK |
        UINT64_C(1) << (TCP_ACK | TCP_URG);
    const struct tcp_header *tcp = header_of(segment);
    size_t length;

    if (segment->linear < sizeof(*tcp))
        return false;
    length = tcp_header_length(tcp);
    if (length < sizeof(*tcp) || length > segment->linear)
        return false;
    return (sent >> (tcp->flags &
                     (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) &
            1) != 0;
}

static enum track_kind kind_of(uint8_t flags)
{
    if ((flags & TCP_RST) != 0)
        return TRACK_RST;
    if ((flags & TCP_SYN) != 0)
        return (flags & TCP_ACK) != 0 ? TRACK_SYN_ACK : TRACK_SYN;
    if ((flags & TCP_FIN) != 0)
        return TRACK_FIN;
    return (flags & TCP_ACK) != 0 ? TRACK_ACK : TRACK_BARE;
}

/* Short names for one page of table. */
enum {
    SS = FLOW_TCP_SYN_SENT,
    SR = FLOW_TCP_SYN_RECV,
    ES = FLOW_TCP_ESTABLISHED,
    FW = FLOW_TCP_FIN_WAIT,
    CW = FLOW_TCP_CLOSE_WAIT,
    LA = FLOW_TCP_LAST_ACK,
    TW = FLOW_TCP_TIME_WAIT,
    CL = FLOW_TCP_CLOSE,
    S2 = FLOW_TCP_SYN_SENT2,
    IG = IGNORE,
    NO = REFUSE,
};

/* By state, direction, and kind: SYN, SYN-ACK, FIN, ACK, RST, none. */
static const uint8_t next_states[FLOW_TCP_STATE_COUNT][2][TRACK_KIND_COUNT] = {
    [FLOW_TCP_NONE] = {{SS, NO, NO, ES, NO, NO}, {NO, NO, NO, NO, NO, NO}},
    [FLOW_TCP_SYN_SENT] = {{SS, NO, NO, NO, CL, NO}, {S2, SR, NO, IG, CL, NO}},
    [FLOW_TCP_SYN_RECV] = {{IG, SR, FW, ES, CL, NO}, {NO, IG, FW, SR, CL, NO}},
    [FLOW_TCP_ESTABLISHED] = {{IG, NO, FW, ES, CL, NO},
                              {NO, IG, FW, ES, CL, NO}},
    [FLOW_TCP_FIN_WAIT] = {{IG, NO, LA, CW, CL, NO}, {NO, IG, LA, CW, CL, NO}},
    [FLOW_TCP_CLOSE_WAIT] = {{IG, NO, LA, CW, CL, NO},
                             {NO, IG, LA, CW, CL, NO}},
    [FLOW_TCP_LAST_ACK] = {{IG, NO, LA, TW, CL, NO}, {NO, IG, LA, TW, CL, NO}},
    [FLOW_TCP_TIME_WAIT] = {{SS, NO, TW, TW, CL, NO}, {SS, IG, TW, TW, CL, NO}},
    [FLOW_TCP_CLOSE] = {{SS, NO, CL, CL, CL, NO}, {NO, IG, CL, CL, CL, NO}},
    [FLOW_TCP_SYN_SENT2] = {{S2, SR, NO, NO, CL, NO}, {S2, SR, NO, IG, CL, NO}},
};

bool track_tcp_begin(struct flow *flow, const struct track_segment *segment)
{
    enum track_kind kind = kind_of(header_of(segment)->flags);

    switch (next_states[FLOW_TCP_NONE][FLOW_ORIGINAL][kind]) {
    case FLOW_TCP_SYN_SENT:
        break;
    case FLOW_TCP_ESTABLISHED:
        if (!track_settings.tcp_loose)
            return false;
        break;
    default:
        return false;
    }
    track_tcp_window_begin(flow, segment);
    flow->tcp.last_kind = TRACK_BARE;
    return true;
}

/* A SYN in TIME-WAIT or after a reset begins a new connection if the old one
 * was really closed. */
static bool may_reopen(const struct flow *flow, enum flow_direction direction)
{
    const struct flow_tcp *tcp = &flow->tcp;

    return ((tcp->side[0].flags | tcp->side[1].flags) & FLOW_TCP_CLOSED) != 0 ||
           (tcp->last_direction == direction && tcp->last_kind == TRACK_RST);
}

/* A SYN where none is due, or what answers it: the two ends may be right and
 * our view wrong. It passes, and is remembered. True when the answer proves
 * the SYN right: the state is then SYN-RECEIVED. */
static bool ignore(struct flow *flow, const struct track_segment *segment,
                   enum track_kind kind)
{
    const struct tcp_header *header = header_of(segment);
    enum flow_direction direction = segment->direction;
    struct flow_tcp *tcp = &flow->tcp;

    if (kind == TRACK_SYN_ACK && tcp->last_kind == TRACK_SYN &&
        direction != tcp->last_direction &&
        be32_get(header->acknowledgement) == tcp->last_end) {
        struct flow_tcp_side *opener = &tcp->side[!direction];

        tcp->state = FLOW_TCP_SYN_SENT;
        opener->end = tcp->last_end;
        opener->end_max = tcp->last_end;
        opener->window_max = tcp->last_window == 0 ? 1 : tcp->last_window;
        opener->scale = 0;
        opener->flags = 0;
        if ((tcp->last_flags & FLOW_TCP_LAST_SCALES) != 0) {
            opener->scale = tcp->last_scale;
            opener->flags |= FLOW_TCP_SCALES;
        }
        if ((tcp->last_flags & FLOW_TCP_LAST_SACKS) != 0)
            opener->flags |= FLOW_TCP_SACKS;
        tcp->side[direction] = (struct flow_tcp_side){0};
        return true;
    }
    tcp->last_kind = (uint8_t)kind;
    tcp->last_direction = (uint8_t)direction;
    tcp->last_sequence = be32_get(header->sequence);
    tcp->last_ack = be32_get(header->acknowledgement);
    tcp->last_end = track_tcp_end(segment);
    tcp->last_window = be16_get(header->window);
    if (kind == TRACK_SYN && direction == FLOW_ORIGINAL) {
        struct flow_tcp_side seen = {0};

        track_tcp_options(segment, &seen);
        tcp->last_scale = seen.scale;
        tcp->last_flags = 0;
        if ((seen.flags & FLOW_TCP_SCALES) != 0)
            tcp->last_flags |= FLOW_TCP_LAST_SCALES;
        if ((seen.flags & FLOW_TCP_SACKS) != 0)
            tcp->last_flags |= FLOW_TCP_LAST_SACKS;
        if (tcp->state == FLOW_TCP_LAST_ACK)
            tcp->last_flags |= FLOW_TCP_CHALLENGE;
    }
    return false;
}

enum reset {
    RESET_BELIEVED,
    RESET_TO_BE_PROVEN, /* passes, but the state stays */
    RESET_LATE,         /* the connection is ending anyway */
    RESET_ASIDE,        /* after a SYN that was let pass: who knows */
    RESET_INVALID,
    RESET_ANSWER, /* to what we let pass, or one more: the window says nothing
                   */
};

/* It answers what we let pass as no business of ours: a SYN or an ACK that
 * proved to be old, or (RFC 5961 4.2) the challenge that met a SYN. */
static bool is_answer(const struct flow *flow,
                      const struct track_segment *segment)
{
    const struct tcp_header *header = header_of(segment);
    const struct flow_tcp *tcp = &flow->tcp;
    bool has_reply = (flow->status & FLOW_SEEN_REPLY) != 0;
    bool is_assured = (flow->status & FLOW_ASSURED) != 0;

    if (tcp->last_direction == segment->direction)
        return false;
    if (tcp->last_kind == TRACK_ACK && tcp->state == FLOW_TCP_SYN_SENT &&
        be32_get(header->sequence) == tcp->last_ack)
        return true;
    return ((has_reply && tcp->last_kind == TRACK_SYN) ||
            (!is_assured && tcp->last_kind == TRACK_ACK)) &&
           be32_get(header->acknowledgement) == tcp->last_end;
}

static enum reset judge_reset(const struct flow *flow,
                              const struct track_segment *segment)
{
    const struct flow_tcp *tcp = &flow->tcp;
    const struct flow_tcp_side *receiver = &tcp->side[!segment->direction];
    uint32_t sequence = be32_get(header_of(segment)->sequence);
    bool is_other_way = tcp->last_direction != segment->direction;
    bool has_acked = (receiver->flags & FLOW_TCP_HAS_ACKED) != 0;

    if (tcp->state == FLOW_TCP_CLOSE)
        return RESET_ANSWER;
    if (tcp->state >= FLOW_TCP_FIN_WAIT && tcp->state < FLOW_TCP_CLOSE)
        return RESET_LATE;
    if ((!has_acked || tcp->state == FLOW_TCP_ESTABLISHED) &&
        is_answer(flow, segment))
        return RESET_ANSWER;
    if (!has_acked)
        return RESET_BELIEVED;
    if (is_before(sequence, receiver->ack_max) &&
        !track_settings.tcp_ignore_invalid_rst)
        return tcp->state == FLOW_TCP_ESTABLISHED && is_other_way &&
                       tcp->last_kind == TRACK_SYN
                   ? RESET_ASIDE
                   : RESET_INVALID;
    if (tcp->state != FLOW_TCP_ESTABLISHED || sequence == receiver->ack_max ||
        (tcp->last_kind == TRACK_ACK && !is_other_way &&
         sequence == tcp->last_end))
        return RESET_BELIEVED;
    return RESET_TO_BE_PROVEN;
}

uint32_t track_tcp_timeout(const struct flow *flow)
{
    const struct flow_tcp *tcp = &flow->tcp;
    uint32_t timeout = track_timeouts[TRACK_TCP_TIMEOUTS + tcp->state];
    uint32_t cut = timeout;

    if (tcp->repeats >= track_settings.tcp_max_retrans)
        cut = track_timeouts[TRACK_TCP_MAX_RETRANS_TIMEOUT];
    else if (((tcp->side[0].flags | tcp->side[1].flags) & FLOW_TCP_UNACKED) !=
             0)
        cut = track_timeouts[TRACK_TCP_UNACKNOWLEDGED_TIMEOUT];
    else if (tcp->last_window == 0)
        cut = track_timeouts[TRACK_TCP_MAX_RETRANS_TIMEOUT];
    if ((flow->status & FLOW_SEEN_REPLY) == 0 &&
        tcp->state == FLOW_TCP_ESTABLISHED)
        cut = track_timeouts[TRACK_TCP_UNACKNOWLEDGED_TIMEOUT];
    return cut < timeout ? cut : timeout;
}

static enum track_verdict enter(struct flow *flow,
                                const struct track_segment *segment,
                                enum track_kind kind, unsigned next)
{
    struct flow_tcp *tcp = &flow->tcp;
    unsigned before = tcp->state;

    tcp->last_kind = (uint8_t)kind;
    tcp->last_direction = (uint8_t)segment->direction;
    tcp->state = (uint8_t)next;
    if (next == FLOW_TCP_FIN_WAIT && before != next)
        tcp->side[segment->direction].flags |= FLOW_TCP_CLOSED;
    if (next == FLOW_TCP_ESTABLISHED && before >= FLOW_TCP_SYN_RECV &&
        before <= FLOW_TCP_ESTABLISHED && (flow->status & FLOW_SEEN_REPLY) != 0)
        flow->status |= FLOW_ASSURED;
    flow->expires = segment->now + track_tcp_timeout(flow);
    /* Nothing but a refusal ever came back: nothing to remember. */
    if (kind == TRACK_RST &&
        (flow->status & (FLOW_SEEN_REPLY | FLOW_CONFIRMED)) == FLOW_CONFIRMED)
        flow_remove(flow);
    return TRACK_IN_FLOW;
}

/* While a connection ends its numbers tell little: what lies outside passes,
 * and changes nothing; what lies inside ends it, and is not learned from. */
static enum track_verdict late_reset(struct flow *flow,
                                     const struct track_segment *segment,
                                     unsigned next)
{
    struct flow_tcp before = flow->tcp;
    enum track_window window = track_tcp_window(flow, segment, TRACK_RST);

    flow->tcp = before;
    return window == TRACK_WINDOW_OK ? enter(flow, segment, TRACK_RST, next)
                                     : TRACK_IN_FLOW;
}

static enum track_verdict
reset(struct flow *flow, const struct track_segment *segment, unsigned next)
{
    switch (judge_reset(flow, segment)) {
    case RESET_INVALID:
        return TRACK_NOT_OF_IT;
    case RESET_ASIDE:
        return TRACK_IN_FLOW;
    case RESET_ANSWER:
        return enter(flow, segment, TRACK_RST, next);
    case RESET_LATE:
        return late_reset(flow, segment, next);
    case RESET_TO_BE_PROVEN:
        next = flow->tcp.state;
        break;
    case RESET_BELIEVED:
        break;
    }
    switch (track_tcp_window(flow, segment, TRACK_RST)) {
    case TRACK_WINDOW_OUTSIDE:
        return TRACK_NOT_OF_IT;
    case TRACK_WINDOW_ASIDE:
        return TRACK_IN_FLOW;
    case TRACK_WINDOW_OK:
        break;
    }
    return enter(flow, segment, TRACK_RST, next);
}

void track_tcp_refused(const struct packet *packet, uint64_t now_ns)
{
    const struct ipv4_header *ip = (const void *)packet->data;
    const struct tcp_header *tcp =
        (const void *)(packet->data + ipv4_header_length(ip));
    struct flow *flow = packet->flow;

    if (flow == NULL || flow == &track_fresh || flow->protocol != FLOW_TCP ||
        (tcp->flags & TCP_RST) != 0 || flow->tcp.state == FLOW_TCP_CLOSE)
        return;
    flow->tcp.state = FLOW_TCP_CLOSE;
    flow->expires = flow_ticks(now_ns) +
                    track_timeouts[TRACK_TCP_TIMEOUTS + FLOW_TCP_CLOSE];
}

/* An ACK that may answer a SYN in LAST-ACK, rather than the FIN. */
static bool is_challenge(struct flow_tcp *tcp, enum flow_direction direction)
{
    if (tcp->state != FLOW_TCP_LAST_ACK || tcp->last_direction == direction ||
        tcp->last_kind != TRACK_SYN ||
        (tcp->last_flags & FLOW_TCP_CHALLENGE) == 0)
        return false;
    tcp->last_flags &= (uint8_t)~FLOW_TCP_CHALLENGE;
    return true;
}

enum track_verdict track_tcp_continue(struct flow *flow,
                                      const struct track_segment *segment)
{
    struct flow_tcp *tcp = &flow->tcp;
    enum track_kind kind = kind_of(header_of(segment)->flags);
    unsigned next = next_states[tcp->state][segment->direction][kind];

    if (next == REFUSE)
        return TRACK_NOT_OF_IT;
    if (next == FLOW_TCP_SYN_SENT && tcp->state >= FLOW_TCP_TIME_WAIT) {
        if (may_reopen(flow, segment->direction))
            return TRACK_ANEW;
        next = IGNORE;
    }
    if (next == IGNORE) {
        if (!ignore(flow, segment, kind))
            return TRACK_IN_FLOW;
        next = FLOW_TCP_SYN_RECV;
    }
    if (kind == TRACK_RST)
        return reset(flow, segment, next);
    if (next == FLOW_TCP_TIME_WAIT && kind == TRACK_ACK &&
        is_challenge(tcp, segment->direction))
        return TRACK_IN_FLOW;
    if (next == FLOW_TCP_SYN_SENT2)
        tcp->last_flags |= FLOW_TCP_BOTH_OPEN;
    if (next == FLOW_TCP_SYN_RECV && kind == TRACK_ACK &&
        segment->direction == FLOW_REPLY &&
        (tcp->last_flags & FLOW_TCP_BOTH_OPEN) != 0)
        next = FLOW_TCP_ESTABLISHED;
    switch (track_tcp_window(flow, segment, kind)) {
    case TRACK_WINDOW_OUTSIDE:
        return TRACK_NOT_OF_IT;
    case TRACK_WINDOW_ASIDE:
        return TRACK_IN_FLOW;
    case TRACK_WINDOW_OK:
        break;
    }
    return enter(flow, segment, kind, next);
}

const char *track_tcp_state_name(unsigned state)
{
    static const char *const names[FLOW_TCP_STATE_COUNT] = {
        "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
        "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2",
    };

    return state < FLOW_TCP_STATE_COUNT ? names[state] : "?";
}
