/* SPDX-License-Identifier: MIT */
/*
 * The cells of the TCP state table. Each connection has a remote port of its
 * own, so that thousands can follow each other in one world.
 */
#include "tests/unit/support_tcp_cell.h"

#include <criterion/criterion.h>

enum {
    FIRST_PORT = 1024,
    LAST_PORT = 65000,
};

struct scene cell_scene;
const uint8_t cell_text[CELL_TEXT] = "0123456789";

static uint16_t next_port = FIRST_PORT;
static struct dialogue *const peer = &cell_scene.peer;

/* ---- a connection in the state ------------------------------------------- */

void cell_start(void)
{
    scene_listen(&cell_scene, 0);
    tcp_listener_options(cell_scene.listener)->quick_ack = true;
}

/* The next peer: another port, so another connection. */
static void new_peer(bool has_timestamps)
{
    const struct dialogue fresh = {
        .bench = &cell_scene.bench,
        .remote = cell_scene.bench.remote,
        .port = next_port++,
        .local_port = SCENE_PORT,
        .seq = 1000000,
        .window = CELL_PEER_WINDOW,
        .tsval = 5000,
        .has_timestamps = has_timestamps,
        .syn_options = {2, 4, SCENE_MSS >> 8, SCENE_MSS & 0xff},
        .syn_options_length = 4,
    };

    if (next_port > LAST_PORT)
        next_port = FIRST_PORT;
    cell_scene.peer = fresh;
    cell_scene.connection = NULL;
}

static void take_segment(void)
{
    cr_assert(dialogue_take(peer), "the stack says nothing");
}

static void open_passively(void)
{
    cr_assert(dialogue_open(peer));
    const struct stack_functions *call = world_enter(cell_scene.bench.stack);
    cell_scene.connection =
        call->tcp_accept(cell_scene.listener, &cell_scene.connection);
    world_leave(cell_scene.bench.stack);
    cr_assert_not_null(cell_scene.connection);
}

static void open_actively(void)
{
    const struct tcp_endpoint any = {.port = 0};
    const struct tcp_endpoint remote = {
        ip_address_from_ipv4(be32_from(cell_scene.bench.remote->address)),
        peer->port};
    struct tcp_options options;

    tcp_options_init(&options);
    options.quick_ack = true;
    const struct stack_functions *call = world_enter(cell_scene.bench.stack);
    cr_assert_eq(call->tcp_connect(&any, &remote, &options,
                                   &cell_scene.connection, world_now(),
                                   &cell_scene.connection),
                 0);
    world_leave(cell_scene.bench.stack);
    take_segment();
    cr_assert_eq(peer->got.flags, S);
    peer->local_port = peer->got.source_port;
    peer->iss = peer->got.seq;
    peer->ack = peer->got.seq + 1;
}

static void app_shuts_down(void)
{
    const struct stack_functions *call = world_enter(cell_scene.bench.stack);

    cr_assert_eq(call->tcp_shutdown(cell_scene.connection, false, true), 0);
    world_leave(cell_scene.bench.stack);
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
    cr_assert_eq(scene_write(&cell_scene, cell_text, CELL_OUTSTANDING, 0),
                 CELL_OUTSTANDING);
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
        model->snd_nxt += CELL_OUTSTANDING;
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

struct model_connection cell_prepare(const struct cell *cell)
{
    struct model_connection model = {.state = cell->state,
                                     .is_passive = cell->is_passive,
                                     .max_snd_wnd = CELL_PEER_WINDOW};

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
        cell->state < MODEL_SYN_SENT ? CELL_PEER_WINDOW : peer->got.window;
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
        return model->rcv_nxt - (cell->has_text ? CELL_TEXT / 2 : 1);
    case AT_NEXT:
    case POSITIONS:
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

struct model_segment cell_inject(const struct cell *cell,
                                 const struct model_connection *model)
{
    struct model_segment segment = {
        .flags = cell->flags,
        .seq = seq_of(cell, model),
        .ack = (cell->flags & A) != 0 ? ack_of(cell, model) : 0,
        .length = cell->has_text ? CELL_TEXT : 0,
        .has_timestamp = cell->stamp == NEW || cell->stamp == OLD,
    };

    if (cell->stamp == NEW)
        peer->tsval += 10;
    if (cell->stamp == OLD)
        peer->tsval -= 10;
    segment.timestamp = peer->tsval;
    peer->has_timestamps = segment.has_timestamp;
    dialogue_send(peer, cell->flags, segment.seq, segment.ack, cell_text,
                  segment.length);
    return segment;
}
