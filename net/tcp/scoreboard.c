/* SPDX-License-Identifier: MIT */
/*
 * The spans of a sender. Every walk is bounded by TCP_SPANS_MAX; usual ones
 * begin where the last one ended. When no span can be had, what would need
 * one is joined with its neighbour: times become later than they were, never
 * earlier, so that nothing is called lost too soon.
 */
#include "net/tcp/scoreboard.h"

#include <errno.h>

#include "net/limits.h"
#include "net/platform.h"

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

static struct {
    struct tcp_span *spans; /* number 0 is not used */
    uint32_t total;
    uint32_t used;
    uint32_t free;
} pool;

int spans_init(size_t count)
{
    pool.spans = platform_memory((count + 1) * sizeof(struct tcp_span),
                                 _Alignof(struct tcp_span));
    if (pool.spans == NULL)
        return -ENOMEM;
    pool.total = (uint32_t)count;
    pool.used = 0;
    pool.free = 0;
    return 0;
}

size_t spans_used(void)
{
    return pool.used;
}

size_t spans_total(void)
{
    return pool.total;
}

static struct tcp_span *span_at(uint32_t number)
{
    return &pool.spans[number];
}

static uint32_t length_of(const struct tcp_span *span)
{
    return (uint32_t)seq_diff(span->end, span->start);
}

/* Numbers that were never taken follow those that were: the memory of the
 * pool is not touched before it is needed. */
static inline uint32_t take(const struct tcp_scoreboard *board)
{
    static uint32_t fresh;
    uint32_t number = pool.free;

    if (board->count >= TCP_SPANS_MAX)
        return 0;
    if (pool.used == 0 && pool.free == 0)
        fresh = 0;
    if (number != 0) {
        pool.free = span_at(number)->next;
    } else if (fresh < pool.total) {
        number = ++fresh;
    } else {
        return 0;
    }
    pool.used++;
    return number;
}

static inline void give(uint32_t number)
{
    span_at(number)->next = pool.free;
    pool.free = number;
    pool.used--;
}

/* --- the chain by time ---------------------------------------------------- */

static inline void chain_after(struct tcp_scoreboard *board, uint32_t earlier,
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
    board->in_flight += length_of(span);
}

static inline void unchain(struct tcp_scoreboard *board, uint32_t number)
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
    board->in_flight -= length_of(span);
}

/* --- states --------------------------------------------------------------- */

/* Out of the count of its state. */
static inline void leave_state(struct tcp_scoreboard *board, uint32_t number)
{
    struct tcp_span *span = span_at(number);

    if (span->state == SPAN_SENT)
        unchain(board, number);
    else if (span->state == SPAN_LOST)
        board->lost -= length_of(span);
    else
        board->sacked -= length_of(span);
}

static inline void mark_lost(struct tcp_scoreboard *board, uint32_t number)
{
    struct tcp_span *span = span_at(number);

    leave_state(board, number);
    span->state = SPAN_LOST;
    board->lost += length_of(span);
    if (board->lost_hint == 0 ||
        seq_before(span->start, span_at(board->lost_hint)->start))
        board->lost_hint = number;
}

static void note_again(struct tcp_scoreboard *board, struct seq32 end)
{
    if (!board->has_again || seq_after(end, board->again_end))
        board->again_end = end;
    board->has_again = true;
}

static void mark_sent(struct tcp_scoreboard *board, uint32_t number,
                      uint32_t now_us)
{
    struct tcp_span *span = span_at(number);

    leave_state(board, number);
    span->state = SPAN_SENT;
    span->sent_us = now_us;
    span->is_again = true;
    note_again(board, span->end);
    chain_after(board, board->newest, number);
}

/* `number` is cut at `at`; what lies behind becomes a span behind it. False:
 * there is none to be had. */
static bool split(struct tcp_scoreboard *board, uint32_t number,
                  struct seq32 at)
{
    uint32_t fresh = take(board);
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
        board->in_flight -= length_of(rest); /* chaining counts it again */
        span->end = at;
        chain_after(board, number, fresh);
    }
    span->end = at;
    return true;
}

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
        note_again(board, seq_add(start, length));
    if (has_last && is_one_with_last(board, now_us, is_again)) {
        last->end = seq_add(last->end, length);
        last->sent_us = now_us;
        board->in_flight += length;
        return true;
    }
    uint32_t number = take(board);
    if (number == 0) {
        if (!has_last || last->state != SPAN_SENT)
            return false;
        unchain(board, board->last);
        last->end = seq_add(last->end, length);
        last->sent_us = now_us;
        last->is_again = last->is_again || is_again;
        if (last->is_again)
            note_again(board, last->end);
        chain_after(board, board->newest, board->last);
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
        span_at(board->last)->next = pool.free;
        pool.free = board->first;
        pool.used -= board->count;
    }
    *board = (struct tcp_scoreboard){.first = 0};
}

/* --- what arrived --------------------------------------------------------- */

static bool was_sent_after(uint32_t us, struct seq32 end, uint32_t other_us,
                           struct seq32 other_end)
{
    if (us != other_us)
        return (int32_t)(us - other_us) > 0;
    return seq_after(end, other_end);
}

static inline void deliver(const struct tcp_span *span,
                           struct tcp_delivery *delivery)
{
    if (delivery->bytes == 0 ||
        was_sent_after(span->sent_us, span->end, delivery->sent_us,
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
    delivery->bytes += length_of(span);
}

/* The first span has arrived wholly; who is first then has none before it. */
static inline void drop_first(struct tcp_scoreboard *board)
{
    uint32_t number = board->first;
    const struct tcp_span *span = span_at(number);

    leave_state(board, number);
    board->first = span->next;
    if (board->lost_hint == number)
        board->lost_hint = span->next;
    if (board->sack_hint == number)
        board->sack_hint = span->next;
    board->count--;
    give(number);
}

static void cut_first(struct tcp_scoreboard *board, struct seq32 una,
                      struct tcp_delivery *delivery)
{
    struct tcp_span *span = span_at(board->first);
    struct tcp_span part = *span;

    part.end = una;
    if (span->state == SPAN_SENT)
        board->in_flight -= length_of(&part);
    else if (span->state == SPAN_LOST)
        board->lost -= length_of(&part);
    else
        board->sacked -= length_of(&part);
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
        if (span->state != SPAN_SACKED)
            deliver(span, delivery);
        drop_first(board);
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
        leave_state(board, other);
        board->sacked += length_of(next);
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
    give(other);
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
    delivery->sacked += length_of(span);
    leave_state(board, number);
    span->state = SPAN_SACKED;
    board->sacked += length_of(span);
}

/* The span that holds `seq`; 0: none does. */
static uint32_t find(const struct tcp_scoreboard *board, struct seq32 seq)
{
    uint32_t number = board->sack_hint != 0 ? board->sack_hint : board->first;

    while (number != 0 && seq_before(seq, span_at(number)->start))
        number = span_at(number)->before;
    while (number != 0 && !seq_before(seq, span_at(number)->end))
        number = span_at(number)->next;
    return number;
}

void scoreboard_sack(struct tcp_scoreboard *board, struct seq32 left,
                     struct seq32 right, struct tcp_delivery *delivery)
{
    uint32_t number = find(board, left);

    if (number == 0)
        return;
    if (seq_before(span_at(number)->start, left) &&
        span_at(number)->state != SPAN_SACKED) {
        (void)split(board, number, left);
        number = span_at(number)->next;
    }
    if (number == 0 || !seq_before(span_at(number)->start, right))
        return;
    if (span_at(number)->state != SPAN_SACKED) {
        if (seq_after(span_at(number)->end, right) &&
            !split(board, number, right))
            return;
        mark_sacked(board, number, delivery);
    }
    if (is_sacked(span_at(number)->before)) {
        number = span_at(number)->before;
        swallow_next(board, number);
    }
    board->sack_hint = number;
    for (uint32_t next = span_at(number)->next;
         next != 0 && seq_before(span_at(next)->start, right);
         next = span_at(number)->next) {
        const struct tcp_span *span = span_at(next);
        if (span->state != SPAN_SACKED) {
            if (seq_after(span->end, right) && !split(board, next, right))
                return;
            deliver(span, delivery);
            delivery->sacked += length_of(span);
        }
        swallow_next(board, number);
    }
    if (is_sacked(span_at(number)->next))
        swallow_next(board, number);
}

bool scoreboard_is_reneged(const struct tcp_scoreboard *board)
{
    return board->first != 0 && span_at(board->first)->state == SPAN_SACKED;
}

/* --- what did not --------------------------------------------------------- */

uint32_t scoreboard_expire(struct tcp_scoreboard *board, uint32_t sent_us,
                           struct seq32 end, uint32_t wait_us, uint32_t now_us)
{
    uint32_t number = board->oldest;

    while (number != 0) {
        struct tcp_span *span = span_at(number);
        uint32_t later = span->later;
        if (!was_sent_after(sent_us, end, span->sent_us, span->end)) {
            /* Those of one instant are not in order among themselves. */
            if (span->sent_us != sent_us)
                return 0;
            number = later;
            continue;
        }
        int32_t left = (int32_t)(span->sent_us + wait_us - now_us);
        if (left > 0)
            return (uint32_t)left;
        mark_lost(board, number);
        number = later;
    }
    return 0;
}

void scoreboard_lose_below(struct tcp_scoreboard *board, uint32_t sacked_above)
{
    uint32_t sacked = 0;

    if (board->sacked <= sacked_above)
        return;
    for (uint32_t number = board->last; number != 0;
         number = span_at(number)->before) {
        const struct tcp_span *span = span_at(number);
        if (span->state == SPAN_SACKED)
            sacked += length_of(span);
        else if (sacked > sacked_above && span->state == SPAN_SENT &&
                 !span->is_again)
            mark_lost(board, number);
    }
}

void scoreboard_lose_all(struct tcp_scoreboard *board)
{
    while (board->oldest != 0)
        mark_lost(board, board->oldest);
}

void scoreboard_unlose(struct tcp_scoreboard *board)
{
    uint32_t place = 0; /* in the chain: the last one not later */
    uint32_t next = board->oldest;

    for (uint32_t number = board->lost_hint; number != 0;
         number = span_at(number)->next) {
        struct tcp_span *span = span_at(number);
        if (span->state != SPAN_LOST)
            continue;
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
        board->lost -= length_of(span);
        span->state = SPAN_SENT;
        note_again(board, span->end);
        chain_after(board, place, number);
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
    *piece = (struct tcp_piece){span->start, length_of(span)};
    return true;
}

void scoreboard_sent_again(struct tcp_scoreboard *board, struct seq32 start,
                           uint32_t length, uint32_t now_us)
{
    struct seq32 end = seq_add(start, length);
    uint32_t number = board->lost_hint;

    if (number == 0 || !seq_equal(span_at(number)->start, start) ||
        span_at(number)->state != SPAN_LOST) {
        number = find(board, start);
        if (number == 0)
            return;
        if (seq_before(span_at(number)->start, start) &&
            split(board, number, start))
            number = span_at(number)->next;
    }
    if (span_at(number)->state == SPAN_SACKED)
        return;
    if (seq_before(end, span_at(number)->end))
        (void)split(board, number, end);
    mark_sent(board, number, now_us);
}

bool scoreboard_tail(const struct tcp_scoreboard *board,
                     struct tcp_piece *piece)
{
    uint32_t number = board->last;

    while (number != 0 && span_at(number)->state != SPAN_SENT)
        number = span_at(number)->before;
    if (number == 0)
        return false;
    *piece =
        (struct tcp_piece){span_at(number)->start, length_of(span_at(number))};
    return true;
}
