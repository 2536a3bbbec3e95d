/* SPDX-License-Identifier: MIT */
/* test-links: tests/unit/support_tcp_model.c tests/unit/support_tcp_cell.c */
/*
 * The state table: every one of the 64 sets of flags, in every state, at five
 * positions against the receive window, is sent to a real connection, and
 * what comes of it is compared with a model written from RFC 9293 3.10.7.
 * These 3,520 cells are each run with and without text, with four kinds of
 * acknowledgement number, and with timestamps (RFC 7323) off, new, old and
 * missing. SYN-RECEIVED is done twice: after a passive and after a
 * simultaneous open. Each cell has a connection of its own.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support_tcp_cell.h"

enum {
    FLAG_SETS = 64,
    SHOWN_MAX = 40,
    /* After so many cells the world waits until all TIME-WAITs are over. */
    CELLS_PER_WAIT = 512,
    TIME_WAIT_OVER_S = 70,
};

static const char *const position_names[POSITIONS] = {
    "long before", "across left", "at next", "inside", "beyond"};

static const char *const acknowledges_names[ACKNOWLEDGES] = {
    "SND.NXT", "SND.UNA", "SND.NXT+1", "ancient"};

static const char *const stamp_names[STAMPS] = {"off", "new", "old", "missing"};

static unsigned cells_run;
static unsigned differing;

static struct dialogue *const peer = &cell_scene.peer;

/* ---- what came of it ----------------------------------------------------- */

struct observed {
    struct model_outcome outcome;
    unsigned replies;
    bool has_wrong_text;
};

static uint64_t half_open_before;
static uint64_t time_wait_before;

static uint64_t half_open_now(void)
{
    return scene_counter("tcp_connections{state=\"syn-received\"}");
}

static uint64_t time_wait_now(void)
{
    return scene_counter("tcp_connections{state=\"time-wait\"}");
}

static const uint8_t model_state_of[TCP_STATE_COUNT] = {
    [TCP_CLOSED] = MODEL_CLOSED,
    [TCP_LISTEN] = MODEL_LISTEN,
    [TCP_SYN_SENT] = MODEL_SYN_SENT,
    [TCP_SYN_RECEIVED] = MODEL_SYN_RECEIVED,
    [TCP_ESTABLISHED] = MODEL_ESTABLISHED,
    [TCP_FIN_WAIT_1] = MODEL_FIN_WAIT_1,
    [TCP_FIN_WAIT_2] = MODEL_FIN_WAIT_2,
    [TCP_CLOSE_WAIT] = MODEL_CLOSE_WAIT,
    [TCP_CLOSING] = MODEL_CLOSING,
    [TCP_LAST_ACK] = MODEL_LAST_ACK,
    [TCP_TIME_WAIT] = MODEL_TIME_WAIT,
};

static enum model_state state_now(const struct cell *cell)
{
    if (cell->state == MODEL_CLOSED)
        return MODEL_CLOSED;
    if (time_wait_now() > time_wait_before)
        return MODEL_TIME_WAIT;
    if (cell_scene.connection != NULL) {
        enum tcp_state state = scene_state(&cell_scene);
        if (state != TCP_CLOSED)
            return model_state_of[state];
    }
    if (half_open_now() > half_open_before)
        return MODEL_SYN_RECEIVED;
    return cell->state == MODEL_LISTEN || cell->is_passive ? MODEL_LISTEN
                                                           : MODEL_CLOSED;
}

static void observe_text(struct observed *observed, uint32_t skip)
{
    uint8_t bytes[2 * CELL_TEXT];
    int length;

    if (cell_scene.connection == NULL)
        return;
    length = scene_read(&cell_scene, bytes, sizeof(bytes));
    if (length <= 0)
        return;
    observed->outcome.delivered = (uint32_t)length;
    observed->has_wrong_text =
        skip + (uint32_t)length > CELL_TEXT ||
        memcmp(bytes, cell_text + skip, (size_t)length) != 0;
}

static struct observed observe(const struct cell *cell, uint32_t skip)
{
    struct observed observed = {.replies = 0};
    struct model_reply *reply = &observed.outcome.reply;

    while (dialogue_take(peer)) {
        observed.replies++;
        reply->flags = (uint8_t)peer->got.flags;
        reply->seq = peer->got.seq;
        reply->ack = peer->got.ack;
    }
    if (cell_scene.connection == NULL) {
        const struct stack_functions *call =
            world_enter(cell_scene.bench.stack);
        cell_scene.connection =
            call->tcp_accept(cell_scene.listener, &cell_scene.connection);
        world_leave(cell_scene.bench.stack);
    }
    observe_text(&observed, skip);
    observed.outcome.state = state_now(cell);
    return observed;
}

static bool reply_agrees(const struct model_reply *model,
                         const struct observed *observed)
{
    const struct model_reply *seen = &observed->outcome.reply;

    if (model->flags == 0)
        return observed->replies == 0;
    return observed->replies == 1 && seen->flags == model->flags &&
           (model->is_any_seq || seen->seq == model->seq) &&
           ((model->flags & A) == 0 || seen->ack == model->ack);
}

static const char *flag_text(uint8_t flags)
{
    static char texts[4][8];
    static unsigned turn;
    char *out = texts[turn++ % 4];
    size_t length = 0;

    for (unsigned i = 0; i < 6; i++)
        if ((flags & 1U << i) != 0)
            out[length++] = "FSRPAU"[i];
    if (length == 0)
        out[length++] = '-';
    out[length] = '\0';
    return out;
}

/* Numbers in a report are relative to SND.UNA and RCV.NXT. */
static void print_outcome(const char *who, const struct model_outcome *outcome,
                          const struct model_connection *model,
                          unsigned replies)
{
    const struct model_reply *reply = &outcome->reply;

    fprintf(stderr, "    %-6s %-12s %2u bytes  ", who,
            model_state_name(outcome->state), outcome->delivered);
    if (reply->flags == 0)
        fprintf(stderr, "silence\n");
    else
        fprintf(stderr, "%u reply %s seq UNA%+d ack NXT%+d\n", replies,
                flag_text(reply->flags), (int)(reply->seq - model->snd_una),
                (int)(reply->ack - model->rcv_nxt));
}

static void compare(const struct cell *cell,
                    const struct model_connection *model,
                    const struct model_outcome *expected,
                    const struct observed *seen)
{
    if (expected->state == seen->outcome.state &&
        expected->delivered == seen->outcome.delivered &&
        !seen->has_wrong_text && reply_agrees(&expected->reply, seen))
        return;
    if (differing++ >= SHOWN_MAX)
        return;
    fprintf(stderr, "%s: flags %s, %s%s, ack %s, timestamps %s%s\n",
            model_state_name(cell->state), flag_text(cell->flags),
            position_names[cell->position], cell->has_text ? ", text" : "",
            (cell->flags & A) != 0 ? acknowledges_names[cell->acknowledges]
                                   : "-",
            stamp_names[cell->stamp],
            seen->has_wrong_text ? ": WRONG CELL_TEXT" : "");
    print_outcome("RFC", expected, model, expected->reply.flags != 0);
    print_outcome("stack", &seen->outcome, model, seen->replies);
}

/* ---- one cell after another ---------------------------------------------- */

/* Leaves nothing of the cell behind but TIME-WAITs. */
static void clear(const struct model_connection *model)
{
    if (cell_scene.connection != NULL)
        scene_abort(&cell_scene);
    if (half_open_now() > half_open_before) {
        /* A reset at its RCV.NXT, which the last SYN,ACK told. */
        uint32_t next =
            peer->got.flags == (S | A) ? peer->got.ack : model->rcv_nxt;
        peer->has_timestamps = false;
        dialogue_send(peer, R, next, 0, NULL, 0);
    }
    cr_assert_eq(half_open_now(), half_open_before, "a half-open one is left");
    world_run_for(++cells_run % CELLS_PER_WAIT == 0
                      ? TIME_WAIT_OVER_S * NS_PER_S
                      : NS_PER_MS); /* for the card's ring */
    remote_forget(cell_scene.bench.remote);
}

static void run_cell(const struct cell *cell)
{
    struct observed seen;

    half_open_before = half_open_now();
    time_wait_before = time_wait_now();
    struct model_connection model = cell_prepare(cell);
    struct model_segment segment = cell_inject(cell, &model);
    struct model_outcome expected = model_arrives(&model, &segment);
    seen = observe(cell, expected.delivered_skip);
    compare(cell, &model, &expected, &seen);
    clear(&model);
}

/* An old or a missing timestamp decides before the ACK is looked at. */
static bool is_worth_it(const struct cell *cell)
{
    bool has_numbers = cell->state >= MODEL_SYN_RECEIVED;

    if (cell->acknowledges != ALL &&
        ((cell->flags & A) == 0 || cell->stamp == OLD ||
         cell->stamp == MISSING))
        return false;
    return has_numbers || cell->stamp == OFF || cell->stamp == NEW;
}

static void run_cells_of(struct cell cell)
{
    for (unsigned set = 0; set < FLAG_SETS * POSITIONS * 2; set++) {
        cell.flags = (uint8_t)(set % FLAG_SETS);
        cell.position = (enum position)(set / FLAG_SETS % POSITIONS);
        cell.has_text = set / FLAG_SETS / POSITIONS != 0;
        for (unsigned i = 0; i < ACKNOWLEDGES * STAMPS; i++) {
            cell.acknowledges = (enum acknowledges)(i % ACKNOWLEDGES);
            cell.stamp = (enum stamp)(i / ACKNOWLEDGES);
            if (is_worth_it(&cell))
                run_cell(&cell);
        }
    }
}

static void run_state(enum model_state state, bool is_passive)
{
    const struct cell cell = {.state = state, .is_passive = is_passive};

    cell_start();
    run_cells_of(cell);
    cr_assert_geq(cells_run, FLAG_SETS * POSITIONS);
    cr_assert_eq(differing, 0, "%u of %u cells differ from RFC 9293 3.10.7",
                 differing, cells_run);
}

Test(tcp_state_table, closed)
{
    run_state(MODEL_CLOSED, false);
}

Test(tcp_state_table, listen)
{
    run_state(MODEL_LISTEN, true);
}

/* covers: RFC5961-3.2.4 */
Test(tcp_state_table, syn_sent)
{
    run_state(MODEL_SYN_SENT, false);
}

/* covers: MUST-11 */
Test(tcp_state_table, syn_received_after_a_passive_open)
{
    run_state(MODEL_SYN_RECEIVED, true);
}

/* covers: MUST-10 MUST-11 */
Test(tcp_state_table, syn_received_after_a_simultaneous_open)
{
    run_state(MODEL_SYN_RECEIVED, false);
}

/* covers: RFC5961-3.2.1 RFC5961-3.2.3 RFC5961-4.2.1 RFC5961-5.2.1
 * RFC7323-5.3.1 RFC7323-3.2.2 */
Test(tcp_state_table, established)
{
    run_state(MODEL_ESTABLISHED, false);
}

Test(tcp_state_table, fin_wait_1)
{
    run_state(MODEL_FIN_WAIT_1, false);
}

Test(tcp_state_table, fin_wait_2)
{
    run_state(MODEL_FIN_WAIT_2, false);
}

/* covers: RFC5961-4.2.1 */
Test(tcp_state_table, close_wait)
{
    run_state(MODEL_CLOSE_WAIT, false);
}

Test(tcp_state_table, closing)
{
    run_state(MODEL_CLOSING, false);
}

Test(tcp_state_table, last_ack)
{
    run_state(MODEL_LAST_ACK, false);
}

Test(tcp_state_table, time_wait)
{
    run_state(MODEL_TIME_WAIT, false);
}
