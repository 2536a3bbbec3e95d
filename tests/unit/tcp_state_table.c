/* SPDX-License-Identifier: MIT */
/* test-links: tests/unit/support_tcp_model.c */
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

#include "tests/host/scene.h"
#include "tests/unit/support_tcp_model.h"

enum {
    FLAG_SETS = 64,
    POSITIONS = 5,
    TEXT = 10,
    OUTSTANDING = 10, /* bytes we sent that are not acknowledged */
    PEER_WINDOW = 65535,
    FIRST_PORT = 1024,
    LAST_PORT = 65000,
    SHOWN_MAX = 40,
    /* After so many cells the world waits until all TIME-WAITs are over. */
    CELLS_PER_WAIT = 512,
    TIME_WAIT_OVER_S = 70,
};

/* Where SEG.SEQ stands, of a window that begins at RCV.NXT. */
enum position {
    LONG_BEFORE,     /* 1000 before it: nothing of the segment is new */
    ACROSS_THE_LEFT, /* text: begins 5 before it, 5 are new; else 1 before */
    AT_NEXT,
    INSIDE, /* 100 after it: a gap before the segment */
    BEYOND, /* 1000 after its right edge */
};

static const char *const position_names[POSITIONS] = {
    "long before", "across left", "at next", "inside", "beyond"};

enum acknowledges {
    ALL,     /* SND.NXT */
    NOTHING, /* SND.UNA */
    FUTURE,  /* SND.NXT + 1 */
    ANCIENT, /* before SND.UNA - MAX.SND.WND */
    ACKNOWLEDGES,
};

static const char *const acknowledges_names[ACKNOWLEDGES] = {
    "SND.NXT", "SND.UNA", "SND.NXT+1", "ancient"};

enum stamp { OFF, NEW, OLD, MISSING, STAMPS };

static const char *const stamp_names[STAMPS] = {"off", "new", "old", "missing"};

struct cell {
    enum model_state state;
    bool is_passive;
    uint8_t flags;
    enum position position;
    bool has_text;
    enum acknowledges acknowledges;
    enum stamp stamp;
};

static struct scene scene;
static uint16_t next_port = FIRST_PORT;
static unsigned cells_run;
static unsigned differing;

static const uint8_t text[TEXT] = "0123456789";

static struct dialogue *const peer = &scene.peer;

/* ---- a connection in the state ------------------------------------------- */

static void start(void)
{
    scene_listen(&scene, 0);
    tcp_listener_options(scene.listener)->quick_ack = true;
}

/* The next peer: another port, so another connection. */
static void new_peer(bool has_timestamps)
{
    const struct dialogue fresh = {
        .bench = &scene.bench,
        .remote = scene.bench.remote,
        .port = next_port++,
        .local_port = SCENE_PORT,
        .seq = 1000000,
        .window = PEER_WINDOW,
        .tsval = 5000,
        .has_timestamps = has_timestamps,
        .syn_options = {2, 4, SCENE_MSS >> 8, SCENE_MSS & 0xff},
        .syn_options_length = 4,
    };

    if (next_port > LAST_PORT)
        next_port = FIRST_PORT;
    scene.peer = fresh;
    scene.connection = NULL;
}

static void take_segment(void)
{
    cr_assert(dialogue_take(peer), "the stack says nothing");
}

static void open_passively(void)
{
    cr_assert(dialogue_open(peer));
    const struct stack_functions *call = world_enter(scene.bench.stack);
    scene.connection = call->tcp_accept(scene.listener, &scene.connection);
    world_leave(scene.bench.stack);
    cr_assert_not_null(scene.connection);
}

static void open_actively(void)
{
    const struct tcp_endpoint any = {.port = 0};
    const struct tcp_endpoint remote = {
        ip_address_from_ipv4(be32_from(scene.bench.remote->address)),
        peer->port};
    struct tcp_options options;

    tcp_options_init(&options);
    options.quick_ack = true;
    const struct stack_functions *call = world_enter(scene.bench.stack);
    cr_assert_eq(call->tcp_connect(&any, &remote, &options, &scene.connection,
                                   world_now(), &scene.connection),
                 0);
    world_leave(scene.bench.stack);
    take_segment();
    cr_assert_eq(peer->got.flags, S);
    peer->local_port = peer->got.source_port;
    peer->iss = peer->got.seq;
    peer->ack = peer->got.seq + 1;
}

static void app_shuts_down(void)
{
    const struct stack_functions *call = world_enter(scene.bench.stack);

    cr_assert_eq(call->tcp_shutdown(scene.connection, false, true, world_now()),
                 0);
    world_leave(scene.bench.stack);
    take_segment();
    cr_assert(peer->got.flags & F);
}

static void peer_says_fin(uint32_t ack)
{
    dialogue_send(peer, F | A, peer->seq, ack, NULL, 0);
    peer->seq++;
    take_segment();
}

static void app_writes(void)
{
    cr_assert_eq(scene_write(&scene, text, OUTSTANDING, 0), OUTSTANDING);
    take_segment();
}

/* From ESTABLISHED on; SND.UNA and SND.NXT go into the model. */
static void go_on_to(enum model_state state, struct model_connection *model)
{
    uint32_t first = peer->ack; /* our first number after the SYN */

    model->snd_una = first;
    model->snd_nxt = first;
    if (state == MODEL_CLOSE_WAIT || state == MODEL_LAST_ACK)
        peer_says_fin(first);
    if (state == MODEL_ESTABLISHED || state == MODEL_CLOSE_WAIT) {
        app_writes();
        model->snd_nxt += OUTSTANDING;
        return;
    }
    app_shuts_down();
    model->snd_nxt++;
    if (state == MODEL_CLOSING)
        peer_says_fin(first);
    if (state == MODEL_FIN_WAIT_2 || state == MODEL_TIME_WAIT) {
        dialogue_send(peer, A, peer->seq, model->snd_nxt, NULL, 0);
        model->snd_una = model->snd_nxt;
    }
    if (state == MODEL_TIME_WAIT)
        peer_says_fin(model->snd_nxt);
}

static void open_to(const struct cell *cell, struct model_connection *model)
{
    if (cell->state == MODEL_CLOSED) {
        peer->local_port = SCENE_PORT + 1;
    } else if (cell->state == MODEL_SYN_RECEIVED && cell->is_passive) {
        dialogue_send(peer, S, peer->seq, 0, NULL, 0);
        take_segment();
        peer->iss = peer->got.seq;
        model->irs = peer->seq++;
    } else if (cell->state == MODEL_SYN_SENT) {
        open_actively();
    } else if (cell->state == MODEL_SYN_RECEIVED) {
        open_actively();
        dialogue_send(peer, S, peer->seq, 0, NULL, 0);
        take_segment();
        model->irs = peer->seq++;
    } else if (cell->state != MODEL_LISTEN) {
        open_passively();
        go_on_to(cell->state, model);
    }
}

static struct model_connection prepare(const struct cell *cell)
{
    struct model_connection model = {.state = cell->state,
                                     .is_passive = cell->is_passive,
                                     .max_snd_wnd = PEER_WINDOW};

    new_peer(cell->stamp != OFF);
    open_to(cell, &model);
    if (cell->state == MODEL_SYN_SENT || cell->state == MODEL_SYN_RECEIVED) {
        model.iss = peer->iss;
        model.snd_una = peer->iss;
        model.snd_nxt = peer->iss + 1;
    } else if (cell->state < MODEL_SYN_SENT) {
        model.snd_una = 5000; /* no connection: any number */
        model.snd_nxt = 5001;
    }
    model.rcv_nxt = peer->seq;
    model.rcv_wnd =
        cell->state < MODEL_SYN_SENT ? PEER_WINDOW : peer->got.window;
    model.has_timestamps = cell->stamp != OFF;
    model.ts_recent = peer->tsval;
    return model;
}

/* ---- the segment --------------------------------------------------------- */

static uint32_t seq_of(const struct cell *cell,
                       const struct model_connection *model)
{
    switch (cell->position) {
    case LONG_BEFORE:
        return model->rcv_nxt - 1000;
    case ACROSS_THE_LEFT:
        return model->rcv_nxt - (cell->has_text ? TEXT / 2 : 1);
    case AT_NEXT:
        break;
    case INSIDE:
        return model->rcv_nxt + 100;
    case BEYOND:
        return model->rcv_nxt + model->rcv_wnd + 1000;
    }
    return model->rcv_nxt;
}

static uint32_t ack_of(const struct cell *cell,
                       const struct model_connection *model)
{
    switch (cell->acknowledges) {
    case ALL:
    case ACKNOWLEDGES:
        break;
    case NOTHING:
        return model->snd_una;
    case FUTURE:
        return model->snd_nxt + 1;
    case ANCIENT:
        return model->snd_una - model->max_snd_wnd - 1;
    }
    return model->snd_nxt;
}

static struct model_segment inject(const struct cell *cell,
                                   const struct model_connection *model)
{
    struct model_segment segment = {
        .flags = cell->flags,
        .seq = seq_of(cell, model),
        .ack = (cell->flags & A) != 0 ? ack_of(cell, model) : 0,
        .length = cell->has_text ? TEXT : 0,
        .has_timestamp = cell->stamp == NEW || cell->stamp == OLD,
    };

    if (cell->stamp == NEW)
        peer->tsval += 10;
    if (cell->stamp == OLD)
        peer->tsval -= 10;
    segment.timestamp = peer->tsval;
    peer->has_timestamps = segment.has_timestamp;
    dialogue_send(peer, cell->flags, segment.seq, segment.ack, text,
                  segment.length);
    return segment;
}

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
    if (scene.connection != NULL) {
        enum tcp_state state = scene_state(&scene);
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
    uint8_t bytes[2 * TEXT];
    int length;

    if (scene.connection == NULL)
        return;
    length = scene_read(&scene, bytes, sizeof(bytes));
    if (length <= 0)
        return;
    observed->outcome.delivered = (uint32_t)length;
    observed->has_wrong_text = skip + (uint32_t)length > TEXT ||
                               memcmp(bytes, text + skip, (size_t)length) != 0;
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
    if (scene.connection == NULL) {
        const struct stack_functions *call = world_enter(scene.bench.stack);
        scene.connection = call->tcp_accept(scene.listener, &scene.connection);
        world_leave(scene.bench.stack);
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
    fprintf(
        stderr, "%s: flags %s, %s%s, ack %s, timestamps %s%s\n",
        model_state_name(cell->state), flag_text(cell->flags),
        position_names[cell->position], cell->has_text ? ", text" : "",
        (cell->flags & A) != 0 ? acknowledges_names[cell->acknowledges] : "-",
        stamp_names[cell->stamp], seen->has_wrong_text ? ": WRONG TEXT" : "");
    print_outcome("RFC", expected, model, expected->reply.flags != 0);
    print_outcome("stack", &seen->outcome, model, seen->replies);
}

/* ---- one cell after another ---------------------------------------------- */

/* Leaves nothing of the cell behind but TIME-WAITs. */
static void clear(const struct model_connection *model)
{
    if (scene.connection != NULL)
        scene_abort(&scene);
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
    remote_forget(scene.bench.remote);
}

static void run_cell(const struct cell *cell)
{
    struct observed seen;

    half_open_before = half_open_now();
    time_wait_before = time_wait_now();
    struct model_connection model = prepare(cell);
    struct model_segment segment = inject(cell, &model);
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

    start();
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
