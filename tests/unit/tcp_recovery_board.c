/* SPDX-License-Identifier: MIT */
/*
 * The scoreboard by itself: against a model that keeps a state for every byte,
 * and with a peer that does its worst (CVE-2019-11477).
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "net/limits.h"
#include "net/tcp/scoreboard.h"
#include "net/tcp/turn.h"
#include "tests/host/world.h"

enum {
    BYTES = 4096,
    MEMORY = 8 << 20,
    BASE = 0xfffff800U, /* the numbers wrap on the way */
};

enum byte_state { BYTE_SENT = 1, BYTE_LOST, BYTE_SACKED };

struct model {
    uint8_t state[BYTES];
    uint32_t una;
    uint32_t nxt;
};

static struct tcp_scoreboard board;
static struct model model;

static void start(uint64_t seed)
{
    world_start(seed);
    (void)world_stack_add("a", MEMORY);
    board = (struct tcp_scoreboard){.first = 0};
    model = (struct model){.una = 0};
}

static struct seq32 at(uint32_t offset)
{
    return seq_add(seq_from(BASE), offset);
}

static uint32_t count(enum byte_state state)
{
    uint32_t total = 0;

    for (uint32_t i = model.una; i < model.nxt; i++)
        total += model.state[i] == (uint8_t)state;
    return total;
}

static void agree(const char *after)
{
    cr_assert_eq(board.in_flight, count(BYTE_SENT), "in flight after %s",
                 after);
    cr_assert_eq(board.lost, count(BYTE_LOST), "lost after %s", after);
    cr_assert_eq(board.sacked, count(BYTE_SACKED), "SACKed after %s", after);
    cr_assert_leq(board.count, (uint32_t)TCP_SPANS_MAX);
    cr_assert_eq(board.count, spans_used(), "spans after %s", after);
    struct tcp_piece piece;
    uint32_t first = model.una;
    while (first < model.nxt && model.state[first] != BYTE_LOST)
        first++;
    bool has_lost = scoreboard_next_lost(&board, &piece);
    cr_assert_eq(has_lost, first < model.nxt, "any lost after %s", after);
    if (has_lost)
        cr_assert_eq(piece.start.value, at(first).value, "first lost after %s",
                     after);
}

static uint32_t below(uint32_t limit)
{
    return (uint32_t)(world_random() % limit);
}

static void step(uint32_t now_us)
{
    struct tcp_delivery d = {.bytes = 0};
    struct tcp_piece piece;
    uint32_t span = model.nxt - model.una;

    switch (below(8)) {
    case 0:
    case 1:
    case 2: {
        uint32_t length = 1 + below(100);
        if (model.nxt + length > BYTES)
            return;
        cr_assert(
            scoreboard_append(&board, at(model.nxt), length, now_us, false));
        memset(model.state + model.nxt, BYTE_SENT, length);
        model.nxt += length;
        agree("sending");
        return;
    }
    case 3:
    case 4: {
        if (span == 0)
            return;
        uint32_t left = model.una + below(span);
        uint32_t right = left + 1 + below(model.nxt - left);
        uint32_t fresh = 0;
        for (uint32_t i = left; i < right; i++) {
            fresh += model.state[i] != BYTE_SACKED;
            model.state[i] = BYTE_SACKED;
        }
        scoreboard_sack(&board, at(left), at(right), &d);
        cr_assert_eq(d.bytes, fresh);
        agree("a block");
        return;
    }
    case 5: {
        if (span == 0)
            return;
        uint32_t by = 1 + below(span < 200 ? span : 200);
        uint32_t fresh = 0;
        for (uint32_t i = model.una; i < model.una + by; i++)
            fresh += model.state[i] != BYTE_SACKED;
        model.una += by;
        scoreboard_acknowledge(&board, at(model.una), &d);
        cr_assert_eq(d.bytes, fresh);
        agree("an acknowledgement");
        return;
    }
    case 6:
        if (!scoreboard_next_lost(&board, &piece))
            return;
        piece.length = 1 + below(piece.length);
        memset(model.state + (piece.start.value - BASE), BYTE_SENT,
               piece.length);
        scoreboard_sent_again(&board, piece.start, piece.length, now_us);
        agree("sending again");
        return;
    default:
        if (below(4) == 0) {
            scoreboard_unlose(&board);
            for (uint32_t i = model.una; i < model.nxt; i++)
                if (model.state[i] == BYTE_LOST)
                    model.state[i] = BYTE_SENT;
            agree("undoing");
        } else {
            scoreboard_lose_all(&board);
            for (uint32_t i = model.una; i < model.nxt; i++)
                if (model.state[i] == BYTE_SENT)
                    model.state[i] = BYTE_LOST;
            agree("a timeout");
        }
    }
}

Test(tcp_recovery_board, agrees_with_a_map_of_every_byte)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        start(seed);
        for (uint32_t i = 0; i < 600; i++)
            step(i * 7);
        scoreboard_clear(&board);
        cr_assert_eq(spans_used(), 0);
    }
}

Test(tcp_recovery_board, what_is_sent_at_once_is_one_span)
{
    start(1);
    for (uint32_t i = 0; i < 10; i++)
        cr_assert(scoreboard_append(&board, at(i * 100), 100, 5, false));
    cr_assert_eq(board.count, 1);
    cr_assert(scoreboard_append(&board, at(1000), 100, 6, false));
    cr_assert_eq(board.count, 2);
}

/* RFC 8985 6.2 step 5. */
Test(tcp_recovery_board, what_was_sent_before_a_delivered_one_expires)
{
    struct tcp_delivery d = {.bytes = 0};

    start(1);
    for (uint32_t i = 0; i < 4; i++)
        cr_assert(scoreboard_append(&board, at(i * 100), 100, i * 1000, false));
    scoreboard_sack(&board, at(200), at(300), &d);
    /* The first two were sent 2 and 1 ms before it. At 10 ms, one that waits
     * for 9.5 ms: the first is lost, the second will be in half one. */
    cr_assert_eq(scoreboard_expire(&board, d.sent_us, d.end, 9500, 10000), 500);
    cr_assert_eq(board.lost, 100);
    cr_assert_eq(scoreboard_expire(&board, d.sent_us, d.end, 9500, 10500), 0);
    cr_assert_eq(board.lost, 200);
    cr_assert_eq(board.in_flight, 100, "what was sent later is not judged");
}

/* A retransmission can be lost, too. */
Test(tcp_recovery_board, what_was_sent_again_is_judged_by_its_new_time)
{
    struct tcp_delivery d = {.bytes = 0};

    start(1);
    for (uint32_t i = 0; i < 3; i++)
        cr_assert(scoreboard_append(&board, at(i * 100), 100, i * 1000, false));
    scoreboard_sack(&board, at(100), at(200), &d);
    scoreboard_expire(&board, d.sent_us, d.end, 500, 10000);
    cr_assert_eq(board.lost, 100);
    scoreboard_sent_again(&board, at(0), 100, 20000);
    scoreboard_expire(&board, d.sent_us, d.end, 500, 30000);
    cr_assert_eq(board.lost, 0);
    cr_assert(scoreboard_append(&board, at(300), 100, 40000, false));
    d = (struct tcp_delivery){.bytes = 0};
    scoreboard_sack(&board, at(300), at(400), &d);
    scoreboard_expire(&board, d.sent_us, d.end, 500, 50000);
    cr_assert_eq(board.lost, 200);
}

Test(tcp_recovery_board, one_byte_blocks_split_no_more_than_the_limit)
{
    struct tcp_delivery d = {.bytes = 0};

    start(1);
    cr_assert(scoreboard_append(&board, at(0), 4 * TCP_SPANS_MAX, 1, false));
    for (uint32_t i = 1; i < 4 * TCP_SPANS_MAX; i += 2)
        scoreboard_sack(&board, at(i), at(i + 1), &d);
    cr_assert_leq(board.count, (uint32_t)TCP_SPANS_MAX);
    cr_assert_eq(board.in_flight + board.sacked, 4 * TCP_SPANS_MAX);
    cr_assert_geq(board.sacked, TCP_SPANS_MAX / 2 - 1);
    /* The connection goes on. */
    cr_assert(scoreboard_append(&board, at(4 * TCP_SPANS_MAX), 1000, 2, false));
    scoreboard_lose_all(&board);
    struct tcp_piece piece;
    while (scoreboard_next_lost(&board, &piece))
        scoreboard_sent_again(&board, piece.start,
                              piece.length > 7 ? 7 : piece.length, 3);
    scoreboard_acknowledge(&board, at(4 * TCP_SPANS_MAX + 1000), &d);
    cr_assert_eq(board.count, 0);
    cr_assert_eq(spans_used(), 0);
}

Test(tcp_recovery_board, what_was_sent_nearly_together_shares_a_span)
{
    struct tcp_delivery d = {.bytes = 0};

    start(1);
    for (uint32_t i = 0; i < 20000; i++) {
        cr_assert(scoreboard_append(&board, at(i * 10), 10, 10 * i, false));
        if (i >= 10000)
            scoreboard_acknowledge(&board, at((i - 9999) * 10), &d);
    }
    d.bytes = 0;
    /* With room for as many pieces of lost and SACKed ones. */
    cr_assert_leq(board.count, (uint32_t)TCP_SPANS_MAX - TCP_SPANS_EXACT);
    cr_assert_eq(board.in_flight, 100000);
    /* The latest is the latest still, and nothing is older than it was. */
    scoreboard_sack(&board, at(199990), at(200000), &d);
    cr_assert_eq(d.sent_us, 199990);
    turn_steps = 0;
    (void)scoreboard_expire(&board, d.sent_us, d.end, 1, 150001);
    cr_assert_gt(board.lost, 40000); /* a sixteenth less, and a bit */
    cr_assert_leq(board.lost, 50000);
    scoreboard_clear(&board);
    cr_assert_eq(spans_used(), 0);
}

Test(tcp_recovery_board, a_turn_that_is_over_leaves_losses_to_the_next)
{
    enum { SENT = TCP_SPANS_EXACT, LEFT = 10 };
    struct tcp_delivery d = {.bytes = 0};

    start(SENT);
    for (uint32_t i = 0; i < SENT; i++)
        cr_assert(scoreboard_append(&board, at(i), 1, 10 * i, false));
    scoreboard_sack(&board, at(SENT - 1), at(SENT), &d);
    turn_steps = TCP_TURN_STEPS - LEFT;
    cr_assert_eq(scoreboard_expire(&board, d.sent_us, d.end, 1, 10000), 0);
    cr_assert(turn_is_over());
    cr_assert_eq(board.lost, LEFT);
    turn_steps = 0;
    cr_assert_eq(scoreboard_expire(&board, d.sent_us, d.end, 1, 10000), 0);
    cr_assert(!turn_is_over());
    cr_assert_eq(board.lost, SENT - 1);
    scoreboard_clear(&board);
}

Test(tcp_recovery_board, an_empty_pool_refuses_the_first_span_only)
{
    struct tcp_scoreboard other = {.first = 0};
    struct tcp_scoreboard *many = calloc(512, sizeof(*many));

    start(1);
    cr_assert_not_null(many);
    for (uint32_t i = 0; spans_used() < spans_total(); i++)
        cr_assert(scoreboard_append(&many[i / TCP_SPANS_MAX], at(i * 10), 10, i,
                                    i % 2 != 0));
    cr_assert_not(scoreboard_append(&other, at(0), 10, 1, false));
    uint32_t last = (uint32_t)spans_total() - 1;
    struct tcp_scoreboard *full = &many[last / TCP_SPANS_MAX];
    uint32_t before = full->in_flight;
    cr_assert(
        scoreboard_append(full, at((last + 1) * 10), 10, last + 1, false));
    cr_assert_eq(full->in_flight, before + 10);
    free(many);
}
