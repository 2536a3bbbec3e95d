/* SPDX-License-Identifier: MIT */
/*
 * What did not arrive: what is called lost, taken back, and sent again.
 */
#include "net/tcp/scoreboard.h"

#include "net/attributes.h"
#include "net/platform.h"
#include "net/tcp/span.h"
#include "net/tcp/turn.h"

static void mark_sent(struct tcp_scoreboard *board, uint32_t number,
                      uint32_t now_us)
{
    struct tcp_span *span = span_at(number);

    span_leave_state(board, number);
    span->state = SPAN_SENT;
    span->sent_us = now_us;
    span->is_again = true;
    span_note_again(board, span->end);
    span_chain(board, board->newest, number);
}

uint32_t scoreboard_expire(struct tcp_scoreboard *board, uint32_t sent_us,
                           struct seq32 end, uint32_t wait_us, uint32_t now_us)
{
    uint32_t number = board->oldest;

    while (number != 0) {
        struct tcp_span *span = span_at(number);
        uint32_t later = span->later;
        if (!span_is_after(sent_us, end, span->sent_us, span->end)) {
            /* Those of one instant are not in order among themselves. */
            if (span->sent_us != sent_us)
                return 0;
            number = later;
            continue;
        }
        int32_t left = (int32_t)(span->sent_us + wait_us - now_us);
        if (left > 0)
            return (uint32_t)left;
        if (turn_is_over())
            return 0;
        span_lose(board, number);
        number = later;
    }
    return 0;
}

COLD void scoreboard_lose_below(struct tcp_scoreboard *board,
                                uint32_t sacked_above)
{
    uint32_t sacked = 0;

    if (board->sacked <= sacked_above)
        return;
    for (uint32_t number = board->last; number != 0;
         number = span_at(number)->before) {
        const struct tcp_span *span = span_at(number);
        if (turn_is_over())
            return;
        if (span->state == SPAN_SACKED)
            sacked += span_length(span);
        else if (sacked > sacked_above && span->state == SPAN_SENT &&
                 !span->is_again)
            span_lose(board, number);
    }
}

COLD void scoreboard_lose_all(struct tcp_scoreboard *board)
{
    while (board->oldest != 0)
        span_lose(board, board->oldest);
}

COLD void scoreboard_unlose(struct tcp_scoreboard *board)
{
    uint32_t place = 0; /* in the chain: the last one not later */
    uint32_t next = board->oldest;

    for (uint32_t number = board->lost_hint; number != 0;
         number = span_at(number)->next) {
        struct tcp_span *span = span_at(number);
        if (span->state != SPAN_LOST)
            continue;
        turn_spend(1);
        while (next != 0 &&
               (int32_t)(span_at(next)->sent_us - span->sent_us) <= 0) {
            place = next;
            next = span_at(next)->later;
        }
        /* Sent before the one that came before it: it counts as sent with
         * that one, which keeps this one walk. */
        if (place != 0 &&
            (int32_t)(span_at(place)->sent_us - span->sent_us) > 0)
            span->sent_us = span_at(place)->sent_us;
        board->lost -= span_length(span);
        span->state = SPAN_SENT;
        span_note_again(board, span->end);
        span_chain(board, place, number);
        place = number;
    }
    board->lost_hint = 0;
}

bool scoreboard_next_lost(struct tcp_scoreboard *board, struct tcp_piece *piece)
{
    if (board->lost == 0) {
        board->lost_hint = 0;
        return false;
    }
    ASSERT(board->lost_hint != 0);
    while (span_at(board->lost_hint)->state != SPAN_LOST) {
        board->lost_hint = span_at(board->lost_hint)->next;
        ASSERT(board->lost_hint != 0);
    }
    const struct tcp_span *span = span_at(board->lost_hint);
    *piece = (struct tcp_piece){span->start, span_length(span)};
    return true;
}

COLD void scoreboard_sent_again(struct tcp_scoreboard *board,
                                struct seq32 start, uint32_t length,
                                uint32_t now_us)
{
    struct seq32 end = seq_add(start, length);
    uint32_t number = board->lost_hint;

    if (number == 0 || !seq_equal(span_at(number)->start, start) ||
        span_at(number)->state != SPAN_LOST) {
        number = span_find(board, start);
        if (number == 0)
            return;
        if (seq_before(span_at(number)->start, start) &&
            span_split(board, number, start))
            number = span_at(number)->next;
    }
    if (span_at(number)->state == SPAN_SACKED)
        return;
    if (seq_before(end, span_at(number)->end))
        (void)span_split(board, number, end);
    mark_sent(board, number, now_us);
}

COLD bool scoreboard_tail(const struct tcp_scoreboard *board,
                          struct tcp_piece *piece)
{
    uint32_t number = board->last;

    while (number != 0 && span_at(number)->state != SPAN_SENT)
        number = span_at(number)->before;
    if (number == 0)
        return false;
    *piece = (struct tcp_piece){span_at(number)->start,
                                span_length(span_at(number))};
    return true;
}

COLD uint32_t scoreboard_again(const struct tcp_scoreboard *board)
{
    uint32_t bytes = 0;

    for (uint32_t number = board->oldest; number != 0;
         number = span_at(number)->later)
        if (span_at(number)->is_again)
            bytes += span_length(span_at(number));
    return bytes;
}
