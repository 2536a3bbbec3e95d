/* SPDX-License-Identifier: MIT */
/*
 * The pool of spans, and what takes them apart and finds them.
 */
#include "net/tcp/span.h"

#include <errno.h>

#include "net/attributes.h"
#include "net/platform.h"

struct tcp_span_pool span_pool;

COLD int spans_init(size_t count)
{
    span_pool.spans = platform_memory((count + 1) * sizeof(struct tcp_span),
                                      _Alignof(struct tcp_span));
    if (span_pool.spans == NULL)
        return -ENOMEM;
    span_pool.total = (uint32_t)count;
    span_pool.used = 0;
    span_pool.free = 0;
    span_pool.fresh = 0;
    return 0;
}

size_t spans_used(void)
{
    return span_pool.used;
}

size_t spans_total(void)
{
    return span_pool.total;
}

COLD bool span_split(struct tcp_scoreboard *board, uint32_t number,
                     struct seq32 at)
{
    uint32_t fresh = span_take(board);
    struct tcp_span *span = span_at(number);

    if (fresh == 0)
        return false;
    struct tcp_span *rest = span_at(fresh);
    *rest = *span;
    rest->start = at;
    rest->before = number;
    span->next = fresh;
    if (rest->next != 0)
        span_at(rest->next)->before = fresh;
    else
        board->last = fresh;
    board->count++;
    if (span->state == SPAN_SENT) {
        board->in_flight -= span_length(rest); /* chaining counts it again */
        span_chain(board, number, fresh);
    }
    span->end = at;
    return true;
}

uint32_t span_find(const struct tcp_scoreboard *board, struct seq32 seq)
{
    uint32_t number = board->sack_hint != 0 ? board->sack_hint : board->first;
    uint32_t passed = 0;

    for (; number != 0 && seq_before(seq, span_at(number)->start); passed++)
        number = span_at(number)->before;
    for (; number != 0 && !seq_before(seq, span_at(number)->end); passed++)
        number = span_at(number)->next;
    turn_spend_search(passed);
    return number;
}
