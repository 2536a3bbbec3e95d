/* SPDX-License-Identifier: MIT */
/*
 * What was sent, and what arrived of it. Usual walks begin where the last one
 * ended. When no span can be had, what would need one is joined with its
 * neighbour: times become later than they were, never earlier, so that nothing
 * is called lost too soon.
 */
#include "net/tcp/scoreboard.h"

#include "net/platform.h"
#include "net/tcp/span.h"
#include "net/tcp/turn.h"

/* Sent together with the last span, or so nearly that telling them apart is
 * not worth a span. */
static bool is_one_with_last(const struct tcp_scoreboard *board,
                             uint32_t now_us, bool is_again)
{
    const struct tcp_span *last = span_at(board->last);

    if (board->newest != board->last || last->is_again != is_again)
        return false;
    if (last->sent_us == now_us)
        return true;
    if (board->count < TCP_SPANS_EXACT)
        return false;
    uint32_t parts =
        board->count < 2 * TCP_SPANS_EXACT ? TCP_SPANS_FINE : TCP_SPANS_COARSE;
    return now_us - board->last_us <
           (now_us - span_at(board->oldest)->sent_us) / parts;
}

bool scoreboard_append(struct tcp_scoreboard *board, struct seq32 start,
                       uint32_t length, uint32_t now_us, bool is_again)
{
    struct tcp_span *last = span_at(board->last);
    bool has_last = board->last != 0;

    ASSERT(!has_last || seq_equal(last->end, start));
    if (is_again)
        span_note_again(board, seq_add(start, length));
    if (has_last && is_one_with_last(board, now_us, is_again)) {
        last->end = seq_add(last->end, length);
        last->sent_us = now_us;
        board->in_flight += length;
        return true;
    }
    uint32_t number = span_take(board);
    if (number == 0) {
        if (!has_last || last->state != SPAN_SENT)
            return false;
        span_unchain(board, board->last);
        last->end = seq_add(last->end, length);
        last->sent_us = now_us;
        last->is_again = last->is_again || is_again;
        if (last->is_again)
            span_note_again(board, last->end);
        span_chain(board, board->newest, board->last);
        return true;
    }
    struct tcp_span *span = span_at(number);
    span->start = start;
    span->end = seq_add(start, length);
    span->sent_us = now_us;
    span->next = 0;
    span->before = board->last;
    span->later = 0;
    span->earlier = board->newest;
    span->state = SPAN_SENT;
    span->is_again = is_again;
    if (has_last)
        last->next = number;
    else
        board->first = number;
    if (board->newest != 0)
        span_at(board->newest)->later = number;
    else
        board->oldest = number;
    board->last = number;
    board->last_us = now_us;
    board->newest = number;
    board->count++;
    board->in_flight += length;
    return true;
}

/* All at once: the list of spans becomes the head of that of free ones. */
void scoreboard_clear(struct tcp_scoreboard *board)
{
    if (board->first != 0) {
        span_at(board->last)->next = span_pool.free;
        span_pool.free = board->first;
        span_pool.used -= board->count;
    }
    *board = (struct tcp_scoreboard){.first = 0};
}

/* --- what arrived --------------------------------------------------------- */

static NOINLINE void deliver(const struct tcp_span *span,
                             struct tcp_delivery *delivery)
{
    if (delivery->bytes == 0 ||
        span_is_after(span->sent_us, span->end, delivery->sent_us,
                      delivery->end)) {
        delivery->sent_us = span->sent_us;
        delivery->end = span->end;
        delivery->is_again = span->is_again;
    }
    if (!span->is_again) {
        if (!delivery->has_original ||
            (int32_t)(span->sent_us - delivery->original_us) > 0)
            delivery->original_us = span->sent_us;
        if (!delivery->has_original || seq_after(span->end, delivery->highest))
            delivery->highest = span->end;
        if (!delivery->has_original ||
            seq_before(span->start, delivery->lowest))
            delivery->lowest = span->start;
        delivery->has_original = true;
    }
    delivery->bytes += span_length(span);
}

/* The first span has arrived wholly; who is first then has none before it. */
static inline void drop_first(struct tcp_scoreboard *board)
{
    uint32_t number = board->first;
    const struct tcp_span *span = span_at(number);

    span_leave_state(board, number);
    board->first = span->next;
    if (board->lost_hint == number)
        board->lost_hint = span->next;
    if (board->sack_hint == number)
        board->sack_hint = span->next;
    board->count--;
    span_give(number);
}

static void cut_first(struct tcp_scoreboard *board, struct seq32 una,
                      struct tcp_delivery *delivery)
{
    struct tcp_span *span = span_at(board->first);
    struct tcp_span part = *span;

    part.end = una;
    if (span->state == SPAN_SENT)
        board->in_flight -= span_length(&part);
    else if (span->state == SPAN_LOST)
        board->lost -= span_length(&part);
    else
        board->sacked -= span_length(&part);
    if (span->state != SPAN_SACKED)
        deliver(&part, delivery);
    span->start = una;
}

void scoreboard_acknowledge(struct tcp_scoreboard *board, struct seq32 una,
                            struct tcp_delivery *delivery)
{
    if (board->has_again && !seq_before(una, board->again_end))
        board->has_again = false;
    while (board->first != 0) {
        const struct tcp_span *span = span_at(board->first);
        if (!seq_after(una, span->start))
            break;
        if (span->is_again && span->state != SPAN_SACKED)
            delivery->acked_again = true;
        if (seq_before(una, span->end)) {
            cut_first(board, una, delivery);
            break;
        }
        if (span->state != SPAN_SACKED) {
            deliver(span, delivery);
            turn_spend(1);
        }
        drop_first(board);
        turn_spend(1);
    }
    if (board->first != 0)
        span_at(board->first)->before = 0;
    else
        board->last = 0;
}

bool scoreboard_acknowledge_plain(struct tcp_scoreboard *board,
                                  struct seq32 una, uint32_t *sent_us)
{
    struct tcp_span *span = span_at(board->first);

    if ((board->lost | board->sacked) != 0 || board->has_again ||
        board->first == 0 || (int32_t)(span->sent_us - *sent_us) < 0)
        return false;
    if (board->first == board->last && seq_equal(una, span->end)) {
        uint32_t number = board->first;
        *sent_us = span->sent_us;
        *board = (struct tcp_scoreboard){.last_us = board->last_us,
                                         .again_end = board->again_end};
        span_give(number);
        return true;
    }
    for (;;) {
        *sent_us = span->sent_us;
        if (seq_before(una, span->end)) {
            board->in_flight -= (uint32_t)seq_diff(una, span->start);
            span->start = una;
            break;
        }
        drop_first(board);
        if (seq_equal(una, span->end) || board->first == 0)
            break;
        span = span_at(board->first);
    }
    if (board->first != 0)
        span_at(board->first)->before = 0;
    else
        board->last = 0;
    return true;
}

/* SACKed neighbours need no times of their own: the SACKed span swallows the
 * one behind it. */
static inline void swallow_next(struct tcp_scoreboard *board, uint32_t number)
{
    struct tcp_span *span = span_at(number);
    uint32_t other = span->next;
    const struct tcp_span *next = span_at(other);

    if (next->state != SPAN_SACKED) {
        span_leave_state(board, other);
        board->sacked += span_length(next);
    }
    span->end = next->end;
    span->is_again = span->is_again || next->is_again;
    span->next = next->next;
    if (span->next != 0)
        span_at(span->next)->before = number;
    else
        board->last = number;
    if (board->lost_hint == other)
        board->lost_hint = span->next;
    board->count--;
    span_give(other);
    turn_spend(1);
}

static bool is_sacked(uint32_t number)
{
    return number != 0 && span_at(number)->state == SPAN_SACKED;
}

static void mark_sacked(struct tcp_scoreboard *board, uint32_t number,
                        struct tcp_delivery *delivery)
{
    struct tcp_span *span = span_at(number);

    deliver(span, delivery);
    delivery->sacked += span_length(span);
    span_leave_state(board, number);
    span->state = SPAN_SACKED;
    board->sacked += span_length(span);
}

/* All that begins before `right`: links are put right at the end. */
static COLD void swallow_to(struct tcp_scoreboard *board, uint32_t number,
                            struct seq32 right, struct tcp_delivery *delivery)
{
    struct tcp_span *span = span_at(number);
    uint32_t other = span->next;
    uint32_t count = 0;

    while (other != 0 && seq_before(span_at(other)->start, right)) {
        const struct tcp_span *next = span_at(other);
        uint32_t given = other;
        if (next->state != SPAN_SACKED) {
            if (seq_after(next->end, right) && !span_split(board, other, right))
                break;
            deliver(next, delivery);
            delivery->sacked += span_length(next);
            span_leave_state(board, other);
            board->sacked += span_length(next);
        }
        span->end = next->end;
        span->is_again = span->is_again || next->is_again;
        other = next->next;
        if (board->lost_hint == given)
            board->lost_hint = other;
        span_give(given);
        board->count--;
        count++;
    }
    span->next = other;
    if (other != 0)
        span_at(other)->before = number;
    else
        board->last = number;
    turn_spend(count + count / 2);
}

COLD void scoreboard_sack(struct tcp_scoreboard *board, struct seq32 left,
                          struct seq32 right, struct tcp_delivery *delivery)
{
    uint32_t number = span_find(board, left);

    if (number == 0)
        return;
    if (seq_before(span_at(number)->start, left) &&
        span_at(number)->state != SPAN_SACKED) {
        (void)span_split(board, number, left);
        number = span_at(number)->next;
    }
    if (number == 0 || !seq_before(span_at(number)->start, right))
        return;
    if (span_at(number)->state != SPAN_SACKED) {
        if (seq_after(span_at(number)->end, right) &&
            !span_split(board, number, right))
            return;
        mark_sacked(board, number, delivery);
    }
    if (is_sacked(span_at(number)->before)) {
        number = span_at(number)->before;
        swallow_next(board, number);
    }
    board->sack_hint = number;
    swallow_to(board, number, right, delivery);
    if (is_sacked(span_at(number)->next))
        swallow_next(board, number);
}

bool scoreboard_is_reneged(const struct tcp_scoreboard *board)
{
    return board->first != 0 && span_at(board->first)->state == SPAN_SACKED;
}
