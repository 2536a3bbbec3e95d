/* SPDX-License-Identifier: MIT */
/*
 * The checks of invariants.h: sequence numbers in order, sums of queues,
 * totals of the scoreboard, memory accounted for, and a timer for everything
 * that waits. Linked twice, as stack.c is.
 */
#include "tests/host/invariants.h"

#include <stdio.h>

#include "net/buffer.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

static char text[256];

static struct {
    size_t send_buffers;
    size_t receive_packets;
    size_t orphans;
} sum;

#define SEQ(c, s) ((long)seq_diff((s), (c)->snd.una))

static const char *violated(const struct tcp_connection *c, const char *what)
{
    (void)snprintf(text, sizeof(text),
                   "%s: port %u to %u, state %u, owes %x, una 0, nxt %ld, "
                   "max %ld, queued %u, fin %u, window %u",
                   what, c->node.tuple.local_port, c->node.tuple.remote_port,
                   c->state, c->owed, SEQ(c, c->snd.nxt), SEQ(c, c->snd.max),
                   c->send.length, c->fin_queued, c->snd.wnd);
    return text;
}

/* ---- numbers --------------------------------------------------------------
 */

static const char *check_numbers(const struct tcp_connection *c)
{
    struct seq32 end = send_queue_end(&c->send);
    struct seq32 last = seq_add(end, c->fin_queued);

    if (seq_after(c->snd.una, c->snd.nxt) || seq_after(c->snd.nxt, c->snd.max))
        return violated(c, "snd.una, snd.nxt and snd.max are out of order");
    if (!state_is_synchronised(c->state))
        return NULL;
    if (!seq_equal(c->send.start, c->snd.una) &&
        !(c->fin_queued && c->send.length == 0 &&
          seq_equal(c->snd.una, seq_add(end, 1))))
        return violated(c, "the send queue does not begin at snd.una");
    if (seq_after(c->snd.max, last))
        return violated(c, "sent what is not queued");
    if (seq_after(c->rcv.last_ack, c->rcv.nxt))
        return violated(c, "acknowledged what did not come");
    if (seq_before(c->rcv.edge, c->rcv.nxt))
        return violated(c, "received beyond the window");
    if (c->snd.mss < TCP_MSS_FLOOR || c->congestion.cwnd == 0)
        return violated(c, "no segment could ever be sent");
    return NULL;
}

/* ---- queues ---------------------------------------------------------------
 */

static const char *check_send(const struct tcp_connection *c)
{
    uint64_t bytes = 0;
    const struct send_chunk *last = NULL;

    for (const struct send_chunk *chunk = c->send.head; chunk != NULL;
         chunk = chunk->next) {
        if (chunk->length == 0)
            return violated(c, "an empty chunk");
        bytes += chunk->length;
        sum.send_buffers += chunk->buffers;
        last = chunk;
    }
    if (last != c->send.tail)
        return violated(c, "the tail of the send queue is not its last chunk");
    if (last == NULL)
        return c->send.length == 0
                   ? NULL
                   : violated(c, "bytes without a chunk in the send queue");
    if (seq_after(c->send.head_seq, c->send.start) ||
        !seq_equal(seq_add(c->send.head_seq, (uint32_t)bytes),
                   send_queue_end(&c->send)))
        return violated(c, "the chunks are not the send queue's bytes");
    if (!c->is_pending &&
        !seq_after(seq_add(c->send.head_seq, c->send.head->length),
                   c->send.start))
        return violated(c, "a chunk that was acknowledged is kept");
    return NULL;
}

static const char *check_receive(const struct tcp_connection *c)
{
    uint64_t bytes = 0;
    uint32_t count = 0;

    for (const struct packet *packet = c->receive.first; packet != NULL;
         packet = packet->next) {
        bytes += packet->length;
        count++;
    }
    sum.receive_packets += count;
    if (bytes != c->receive.length || count != c->receive.count)
        return violated(c, "the receive queue's sums are wrong");
    return NULL;
}

static const char *check_range(const struct tcp_connection *c,
                               const struct packet *first)
{
    const struct tcp_early_range *range = (const void *)first->scratch;
    uint64_t bytes = 0;
    uint32_t count = 0;
    const struct packet *last = NULL;

    for (const struct packet *packet = first; packet != NULL;
         packet = packet->next) {
        bytes += packet->length;
        count++;
        last = packet;
    }
    sum.receive_packets += count;
    if (count != range->count || last != range->last ||
        bytes != (uint32_t)seq_diff(range->end, range->seq))
        return violated(c, "a range of early segments is not its packets");
    return NULL;
}

static const char *check_early(const struct tcp_connection *c)
{
    struct seq32 at = c->rcv.nxt;
    uint64_t bytes = 0;
    uint32_t count = 0;
    uint32_t ranges = 0;
    uint32_t recent = 0;
    const struct packet *before = NULL;

    if (c->seldom == NULL)
        return NULL;
    const struct tcp_reassembly *held = &c->seldom->reassembly;
    for (const struct packet *first = held->first; first != NULL;) {
        const struct tcp_early_range *range = (const void *)first->scratch;
        const char *problem = check_range(c, first);
        if (problem != NULL)
            return problem;
        if (!seq_after(range->seq, at) || range->before != before)
            return violated(c, "early segments touch, or are not early");
        at = range->end;
        bytes += (uint32_t)seq_diff(range->end, range->seq);
        count += range->count;
        ranges++;
        before = first;
        first = range->next;
    }
    for (const struct packet *first = held->recent; first != NULL;) {
        const struct tcp_early_range *range = (const void *)first->scratch;
        recent++;
        first = range->older;
    }
    if (bytes != held->length || count != held->count ||
        ranges != held->ranges || recent != ranges || before != held->last)
        return violated(c, "the early segments' sums are wrong");
    if (count != 0 && seq_after(at, c->rcv.edge))
        return violated(c, "an early segment lies beyond the window");
    return NULL;
}

static const char *check_board(const struct tcp_connection *c)
{
    if (!connection_is_tracking(c))
        return NULL;
    const struct tcp_scoreboard *board = &c->recovery->board;
    uint64_t total = (uint64_t)board->in_flight + board->lost + board->sacked;

    if (total > (uint32_t)seq_diff(c->snd.max, c->snd.una))
        return violated(c, "the scoreboard holds more than was sent");
    if (total < connection_flight(c))
        return violated(c, "the scoreboard does not hold all that was sent");
    if ((board->count == 0) != (board->first == 0) ||
        (board->count == 0 && total != 0))
        return violated(c, "the scoreboard's counts are wrong");
    return NULL;
}

/* ---- timers ---------------------------------------------------------------
 */

static uint64_t earliest(const struct tcp_connection *c)
{
    const uint64_t deadlines[] = {
        c->retransmit_at_ns, c->ack_at_ns, c->keep_at_ns,
        c->recovery != NULL ? c->recovery->deadline_ns : 0};
    uint64_t first = UINT64_MAX;

    for (size_t i = 0; i < 4; i++)
        if (deadlines[i] != 0 && deadlines[i] < first)
            first = deadlines[i];
    return first;
}

static const char *check_timers(const struct tcp_connection *c)
{
    uint64_t first = earliest(c);
    bool is_unacknowledged = !seq_equal(c->snd.una, c->snd.max);
    bool is_unsent =
        seq_before(c->snd.nxt, send_queue_end(&c->send)) ||
        (c->fin_queued && c->snd.max.value == send_queue_end(&c->send).value);

    if (first != UINT64_MAX && !timer_is_set(&c->timer))
        return violated(c, "a deadline without a timer");
    if (first != UINT64_MAX && c->timer.deadline_ns > first)
        return violated(c, "the timer is later than a deadline");
    if (c->is_pending)
        return NULL; /* its next step is coming anyhow */
    if (is_unacknowledged && c->retransmit_at_ns == 0 &&
        !(c->recovery != NULL && c->recovery->deadline_ns != 0))
        return violated(c, "unacknowledged, and no timer");
    if (is_unsent && state_is_synchronised(c->state) &&
        c->retransmit_at_ns == 0 && c->ack_at_ns == 0)
        return violated(c, "unsent, and no timer");
    if ((c->owed & OWES_MEMORY) != 0 && c->ack_at_ns == 0)
        return violated(c, "waits for memory, and no timer");
    if (!seq_equal(c->rcv.last_ack, c->rcv.nxt) && c->ack_at_ns == 0 &&
        state_is_synchronised(c->state))
        return violated(c, "received, and no acknowledgement is due");
    if ((c->owed & OWES_ACK) != 0 && c->ack_at_ns == 0)
        return violated(c, "an acknowledgement is owed, and no timer");
    return NULL;
}

/* ---- all ------------------------------------------------------------------
 */

static const char *check_closed(const struct tcp_connection *c)
{
    if (timer_is_set(&c->timer))
        return violated(c, "closed, and a timer runs");
    if (c->send.head != NULL || c->recovery != NULL ||
        (c->seldom != NULL && !c->has_urgent))
        return violated(c, "closed, and holds memory");
    return check_receive(c);
}

static const char *check_connection(const struct tcp_connection *c)
{
    static const char *(*const checks[])(const struct tcp_connection *c) = {
        check_numbers, check_send,  check_receive,
        check_early,   check_board, check_timers};

    if (c->state == TCP_CLOSED)
        return check_closed(c);
    sum.orphans += c->is_orphan;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        const char *what = checks[i](c);
        if (what != NULL)
            return what;
    }
    return NULL;
}

static const char *check_sums(void)
{
    if (sum.send_buffers != send_buffers_used())
        return "buffers of send queues are not accounted for";
    if (sum.receive_packets != receive_packets_used())
        return "packets of receive queues are not accounted for";
    if (sum.orphans != orphan_count())
        return "orphans are not accounted for";
    if (send_buffers_used() > send_buffers_limit() ||
        receive_packets_used() > receive_packets_limit())
        return "a limit of memory is passed";
    return NULL;
}

const char *tcp_check_invariants(void)
{
    sum.send_buffers = send_buffers_left();
    sum.receive_packets = receive_packets_left();
    sum.orphans = 0;
    for (size_t i = 0; i < connections_total(); i++) {
        const struct tcp_connection *c = connection_at(i);
        const char *what = c == NULL ? NULL : check_connection(c);
        if (what != NULL)
            return what;
    }
    return check_sums();
}
