/* SPDX-License-Identifier: MIT */
/*
 * Spans from inside: for the files of the scoreboard only. Every walk over
 * them is bounded by TCP_SPANS_MAX.
 */
#pragma once

#include "net/limits.h"
#include "net/tcp/scoreboard.h"
#include "net/tcp/turn.h"

enum span_state {
    SPAN_SENT,
    SPAN_LOST,
    SPAN_SACKED,
};

struct tcp_span {
    struct seq32 start;
    struct seq32 end;
    uint32_t sent_us; /* the last time */
    uint32_t next;    /* by sequence; of free ones, the next free */
    uint32_t before;
    uint32_t later; /* by time; only SPAN_SENT */
    uint32_t earlier;
    uint8_t state;
    bool is_again; /* sent more than once */
};

_Static_assert(sizeof(struct tcp_span) == 32, "thousands of them");

struct tcp_span_pool {
    struct tcp_span *spans; /* number 0 is not used */
    uint32_t total;
    uint32_t used;
    uint32_t free;  /* the first of those that were given back; 0: none */
    uint32_t fresh; /* numbers beyond were never taken */
};

extern struct tcp_span_pool span_pool;

static inline struct tcp_span *span_at(uint32_t number)
{
    return &span_pool.spans[number];
}

static inline uint32_t span_length(const struct tcp_span *span)
{
    return (uint32_t)seq_diff(span->end, span->start);
}

/* Numbers that were never taken follow those that were: the memory of the
 * pool is not touched before it is needed. */
static inline uint32_t span_take(const struct tcp_scoreboard *board)
{
    uint32_t number = span_pool.free;

    if (board->count >= TCP_SPANS_MAX)
        return 0;
    if (number != 0) {
        span_pool.free = span_at(number)->next;
    } else if (span_pool.fresh < span_pool.total) {
        number = ++span_pool.fresh;
    } else {
        return 0;
    }
    span_pool.used++;
    return number;
}

static inline void span_give(uint32_t number)
{
    span_at(number)->next = span_pool.free;
    span_pool.free = number;
    span_pool.used--;
}

/* --- the chain by time ---------------------------------------------------- */

static inline void span_chain(struct tcp_scoreboard *board, uint32_t earlier,
                              uint32_t number)
{
    struct tcp_span *span = span_at(number);

    span->earlier = earlier;
    span->later = earlier != 0 ? span_at(earlier)->later : board->oldest;
    if (earlier != 0)
        span_at(earlier)->later = number;
    else
        board->oldest = number;
    if (span->later != 0)
        span_at(span->later)->earlier = number;
    else
        board->newest = number;
    board->in_flight += span_length(span);
}

static inline void span_unchain(struct tcp_scoreboard *board, uint32_t number)
{
    struct tcp_span *span = span_at(number);

    if (span->earlier != 0)
        span_at(span->earlier)->later = span->later;
    else
        board->oldest = span->later;
    if (span->later != 0)
        span_at(span->later)->earlier = span->earlier;
    else
        board->newest = span->earlier;
    board->in_flight -= span_length(span);
}

/* --- states --------------------------------------------------------------- */

/* Out of the count of its state. */
static inline void span_leave_state(struct tcp_scoreboard *board,
                                    uint32_t number)
{
    struct tcp_span *span = span_at(number);

    if (span->state == SPAN_SENT)
        span_unchain(board, number);
    else if (span->state == SPAN_LOST)
        board->lost -= span_length(span);
    else
        board->sacked -= span_length(span);
}

static inline void span_lose(struct tcp_scoreboard *board, uint32_t number)
{
    struct tcp_span *span = span_at(number);

    turn_spend(1);
    span_leave_state(board, number);
    span->state = SPAN_LOST;
    board->lost += span_length(span);
    if (board->lost_hint == 0 ||
        seq_before(span->start, span_at(board->lost_hint)->start))
        board->lost_hint = number;
}

static inline void span_note_again(struct tcp_scoreboard *board,
                                   struct seq32 end)
{
    if (!board->has_again || seq_after(end, board->again_end))
        board->again_end = end;
    board->has_again = true;
}

static inline bool span_is_after(uint32_t us, struct seq32 end,
                                 uint32_t other_us, struct seq32 other_end)
{
    if (us != other_us)
        return (int32_t)(us - other_us) > 0;
    return seq_after(end, other_end);
}

/* `number` is cut at `at`; what lies behind becomes a span behind it. False:
 * there is none to be had. */
bool span_split(struct tcp_scoreboard *board, uint32_t number, struct seq32 at);

/* The span that holds `seq`; 0: none does. */
uint32_t span_find(const struct tcp_scoreboard *board, struct seq32 seq);
