/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.10.7 with RFC 5961 (blind attacks), RFC 1337 (TIME-WAIT) and
 * RFC 7323 5 (PAWS), step by step. Where the RFCs leave a choice, or where
 * they are departed from, the place says "choice:" and why.
 */
#include "tests/unit/support_tcp_model.h"

#define SEG(flag) ((segment->flags & MODEL_##flag) != 0)

/* Modular order, RFC 9293 3.4. */
static int32_t distance(uint32_t from, uint32_t to)
{
    return (int32_t)(to - from);
}

/* SEG.LEN counts SYN and FIN. */
static uint32_t seg_len(const struct model_segment *segment)
{
    return segment->length + SEG(SYN) + SEG(FIN);
}

const char *model_state_name(enum model_state state)
{
    static const char *const names[MODEL_STATES] = {
        "CLOSED",      "LISTEN",     "SYN-SENT",   "SYN-RECEIVED",
        "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT",
        "CLOSING",     "LAST-ACK",   "TIME-WAIT",
    };

    return names[state];
}

/* What one arrival works on. */
struct work {
    struct model_connection tcb;
    struct model_outcome outcome;
};

static void reply(struct work *work, uint8_t flags, uint32_t seq, uint32_t ack)
{
    work->outcome.reply =
        (struct model_reply){.flags = flags, .seq = seq, .ack = ack};
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
static void reply_ack(struct work *work)
{
    reply(work, MODEL_ACK, work->tcb.snd_nxt, work->tcb.rcv_nxt);
}

/* 3.5.2: how a reset is formed when there is no connection to speak for. */
static void reply_reset(struct work *work, const struct model_segment *segment)
{
    if (SEG(RST))
        return;
    if (SEG(ACK))
        reply(work, MODEL_RST, segment->ack, 0);
    else
        reply(work, MODEL_RST | MODEL_ACK, 0, segment->seq + seg_len(segment));
}

/* 3.10.7.2 */
static void in_listen(struct work *work, const struct model_segment *segment)
{
    if (SEG(RST)) /* first */
        return;
    if (SEG(ACK)) { /* second */
        reply_reset(work, segment);
        return;
    }
    if (!SEG(SYN)) /* fourth: should not get here, drop */
        return;
    /* choice: a FIN with the SYN would count in SYN-RECEIVED. No TCP sends
     * that, scanners do; it is dropped, as Linux does. */
    if (SEG(FIN))
        return;
    /* choice: text with the SYN may be kept for later (3.4); it is not
     * acknowledged instead, so it comes again. */
    work->tcb.state = MODEL_SYN_RECEIVED;
    reply(work, MODEL_SYN | MODEL_ACK, 0, segment->seq + 1);
    work->outcome.reply.is_any_seq = true;
}

/* Seventh and eighth, of a segment that begins at or before RCV.NXT or lies
 * ahead of it, already known to be acceptable. */
static void text_and_fin(struct work *work, const struct model_segment *segment)
{
    struct model_connection *tcb = &work->tcb;
    uint32_t seq = segment->seq + SEG(SYN);
    uint32_t length = segment->length;
    bool has_fin = SEG(FIN);

    if (length == 0 && !has_fin)
        return;
    if (tcb->state != MODEL_ESTABLISHED && tcb->state != MODEL_FIN_WAIT_1 &&
        tcb->state != MODEL_FIN_WAIT_2) {
        /* "should not occur since a FIN has been received": ignored.
         * choice: the sender is told where we are, as for any segment that
         * is not acceptable: nothing lies beyond a FIN. */
        reply_ack(work);
        return;
    }
    /* 3.10.7.4 first: trim to the window. */
    int32_t before = distance(seq, tcb->rcv_nxt);
    if (before > 0) {
        uint32_t cut = (uint32_t)before < length ? (uint32_t)before : length;
        work->outcome.delivered_skip = cut;
        length -= cut;
        seq += cut;
    }
    if (seq != tcb->rcv_nxt) {
        /* Held for later processing (SHLD-31), and a duplicate ACK (RFC 5681
         * 3.2); a FIN held likewise. */
        reply_ack(work);
        return;
    }
    work->outcome.delivered = length;
    tcb->rcv_nxt += length;
    if (has_fin) {
        tcb->rcv_nxt++;
        if (tcb->state == MODEL_ESTABLISHED)
            tcb->state = MODEL_CLOSE_WAIT;
        else if (tcb->state == MODEL_FIN_WAIT_1)
            tcb->state = MODEL_CLOSING; /* our FIN was not acknowledged */
        else
            tcb->state = MODEL_TIME_WAIT;
    }
    reply_ack(work);
}

/* 3.10.7.3 */
static void in_syn_sent(struct work *work, const struct model_segment *segment)
{
    struct model_connection *tcb = &work->tcb;

    if (SEG(ACK)) { /* first */
        if (distance(tcb->iss, segment->ack) <= 0 ||
            distance(tcb->snd_nxt, segment->ack) > 0) {
            reply_reset(work, segment);
            return;
        }
    }
    if (SEG(RST)) { /* second; RFC 5961 3.2: only with that ACK */
        if (SEG(ACK))
            tcb->state = MODEL_CLOSED;
        return;
    }
    if (!SEG(SYN)) /* fifth */
        return;
    tcb->rcv_nxt = segment->seq + 1; /* fourth */
    tcb->irs = segment->seq;
    if (!SEG(ACK)) {
        tcb->state = MODEL_SYN_RECEIVED;
        /* choice: other controls and text are not queued, as in LISTEN. */
        reply(work, MODEL_SYN | MODEL_ACK, tcb->iss, tcb->rcv_nxt);
        return;
    }
    tcb->snd_una = segment->ack;
    tcb->state = MODEL_ESTABLISHED;
    reply_ack(work);
    text_and_fin(work, segment);
}

/* 3.10.7.4 first, table 6. */
static bool is_acceptable(const struct model_connection *tcb,
                          const struct model_segment *segment)
{
    /* choice: in TIME-WAIT no number lies beyond the peer's FIN, so there is
     * no window, whatever the last ACK said. */
    uint32_t window = tcb->state == MODEL_TIME_WAIT ? 0 : tcb->rcv_wnd;
    uint32_t length = seg_len(segment);
    uint32_t first = segment->seq - tcb->rcv_nxt;
    uint32_t last = segment->seq + length - 1 - tcb->rcv_nxt;

    if (length == 0 && window == 0)
        return first == 0;
    if (length == 0)
        return first < window;
    if (window == 0)
        return false;
    return first < window || last < window;
}

/* Before the first; RFC 7323 3.2 and 5.3 R1. False: done. */
static bool passes_timestamps(struct work *work,
                              const struct model_segment *segment)
{
    const struct model_connection *tcb = &work->tcb;

    if (!tcb->has_timestamps || SEG(RST))
        return true;
    /* choice: a SYN is answered with a challenge whatever it carries: its
     * sender may have restarted (RFC 5961 4.2 "irrespective"). */
    if (SEG(SYN))
        return true;
    /* choice: TIME-WAIT has nothing left to protect from old text; it answers
     * what asks for an answer. */
    if (tcb->state == MODEL_TIME_WAIT)
        return true;
    if (!segment->has_timestamp)
        return false; /* "SHOULD silently drop" */
    if (distance(tcb->ts_recent, segment->timestamp) < 0) {
        reply_ack(work);
        return false;
    }
    return true;
}

/* RFC 9293 3.6.1 (MAY-2) and RFC 6191: a SYN that cannot be an old one. */
static bool may_reuse(const struct model_connection *tcb,
                      const struct model_segment *segment)
{
    /* choice: not with a FIN, which would not open anything. */
    if (!SEG(SYN) || SEG(ACK) || SEG(RST) || SEG(FIN))
        return false;
    if (tcb->has_timestamps && segment->has_timestamp &&
        segment->timestamp != tcb->ts_recent)
        return distance(tcb->ts_recent, segment->timestamp) > 0;
    /* choice: RCV.NXT itself would do as well; beyond is surer. */
    return distance(tcb->rcv_nxt, segment->seq) > 0;
}

/* Second. */
static void reset_arrives(struct work *work,
                          const struct model_segment *segment)
{
    struct model_connection *tcb = &work->tcb;

    if (tcb->state == MODEL_TIME_WAIT) /* RFC 1337 3: ignored */
        return;
    if (segment->seq - tcb->rcv_nxt >= tcb->rcv_wnd)
        return;
    if (segment->seq != tcb->rcv_nxt) {
        reply_ack(work); /* RFC 5961 3.2 */
        return;
    }
    tcb->state = tcb->state == MODEL_SYN_RECEIVED && tcb->is_passive
                     ? MODEL_LISTEN
                     : MODEL_CLOSED;
}

/* Fourth. True: goes on to the fifth. */
static bool syn_arrives(struct work *work, struct model_segment *segment)
{
    struct model_connection *tcb = &work->tcb;
    bool is_the_same =
        tcb->state == MODEL_SYN_RECEIVED && segment->seq == tcb->irs;

    if (tcb->state == MODEL_TIME_WAIT && may_reuse(tcb, segment)) {
        tcb->state = MODEL_SYN_RECEIVED;
        reply(work, MODEL_SYN | MODEL_ACK, 0, segment->seq + 1);
        work->outcome.reply.is_any_seq = true;
        return false;
    }
    /* Figure 8: at a simultaneous open the peer's SYN,ACK has the number of
     * the SYN that came before, and completes the handshake. */
    if (is_the_same && !tcb->is_passive && SEG(ACK) &&
        segment->ack == tcb->snd_nxt) {
        segment->flags &= (uint8_t)~MODEL_SYN;
        segment->seq++;
        return true;
    }
    /* choice: the peer's SYN again means that our SYN,ACK was lost: it is
     * sent again rather than a bare ACK. */
    if (is_the_same && (!SEG(ACK) || !tcb->is_passive)) {
        reply(work, MODEL_SYN | MODEL_ACK, tcb->iss, tcb->rcv_nxt);
        return false;
    }
    /* RFC 5961 4.2, any sequence number. choice: also in SYN-RECEIVED after a
     * passive open, where 3.10.7.4 would return to LISTEN and let a blind SYN
     * end an opening. A peer that restarted answers with a reset. */
    reply_ack(work);
    return false;
}

/* Fifth. True: goes on to the sixth. */
static bool ack_arrives(struct work *work, const struct model_segment *segment)
{
    struct model_connection *tcb = &work->tcb;
    bool acks_fin;

    if (!SEG(ACK))
        return false;
    if (tcb->state == MODEL_SYN_RECEIVED) {
        if (distance(tcb->snd_una, segment->ack) <= 0 ||
            distance(tcb->snd_nxt, segment->ack) > 0) {
            reply_reset(work, segment);
            return false;
        }
        tcb->snd_una = segment->ack;
        tcb->state = MODEL_ESTABLISHED;
        return true;
    }
    /* choice: TIME-WAIT has no limiter for challenges, and two confused ends
     * in it would answer each other for ever: it says nothing. */
    bool is_bad =
        distance(tcb->snd_nxt, segment->ack) > 0 ||
        distance(segment->ack, tcb->snd_una) > (int32_t)tcb->max_snd_wnd;
    if (is_bad && tcb->state != MODEL_TIME_WAIT) {
        reply_ack(work); /* RFC 5961 5.2 */
        return false;
    }
    if (distance(tcb->snd_una, segment->ack) > 0)
        tcb->snd_una = segment->ack;
    acks_fin = segment->ack == tcb->snd_nxt;
    if (tcb->state == MODEL_FIN_WAIT_1 && acks_fin)
        tcb->state = MODEL_FIN_WAIT_2;
    if (tcb->state == MODEL_CLOSING && acks_fin) {
        tcb->state = MODEL_TIME_WAIT; /* which ignores text */
        return false;
    }
    if (tcb->state == MODEL_LAST_ACK && acks_fin) {
        tcb->state = MODEL_CLOSED;
        return false;
    }
    return true;
}

static void in_others(struct work *work, struct model_segment *segment)
{
    if (!passes_timestamps(work, segment))
        return;
    if (!SEG(SYN) && !is_acceptable(&work->tcb, segment)) {
        /* choice: where nothing is left to lose, what has no ACK, which is
         * dropped anyway (fifth), is not answered either. */
        if (!SEG(RST) && (SEG(ACK) || work->tcb.state != MODEL_TIME_WAIT))
            reply_ack(work);
        return;
    }
    if (SEG(RST)) {
        reset_arrives(work, segment);
        return;
    }
    if (SEG(SYN) && !syn_arrives(work, segment))
        return;
    if (ack_arrives(work, segment))
        text_and_fin(work, segment);
}

struct model_outcome model_arrives(const struct model_connection *connection,
                                   const struct model_segment *segment)
{
    struct work work = {.tcb = *connection};
    struct model_segment copy = *segment;

    switch (connection->state) {
    case MODEL_CLOSED: /* 3.10.7.1 */
        reply_reset(&work, segment);
        break;
    case MODEL_LISTEN:
        in_listen(&work, segment);
        break;
    case MODEL_SYN_SENT:
        in_syn_sent(&work, segment);
        break;
    case MODEL_SYN_RECEIVED:
    case MODEL_ESTABLISHED:
    case MODEL_FIN_WAIT_1:
    case MODEL_FIN_WAIT_2:
    case MODEL_CLOSE_WAIT:
    case MODEL_CLOSING:
    case MODEL_LAST_ACK:
    case MODEL_TIME_WAIT:
    case MODEL_STATES:
        in_others(&work, &copy);
        break;
    }
    work.outcome.state = work.tcb.state;
    return work.outcome;
}
