/* SPDX-License-Identifier: MIT */
/*
 * One stack and a peer made of frames, which sends what should come, what
 * should not, and what never should: in order, again, early, overlapping, with
 * wrong numbers, flags, options and checksums; while the app makes calls. All
 * is drawn before it is known what the stack does, so that every variant gets
 * the same script.
 */
#include "tests/host/judge.h"

#include <string.h>

#include "net/tcp/connection.h"
#include "tests/host/invariants.h"
#include "tests/host/scene.h"

enum {
    DIALOGUES = 24,
    ALIVE = 4, /* of them, at one time */
    STEPS = 400,
    DRAWS = 12,
    TEXT_MAX = 1460,
    MEMORY = 8 << 20,
};

struct talk {
    struct dialogue peer;
    struct tcp_connection *connection;
    uint32_t start; /* the peer's number of its first byte */
    uint32_t top;   /* the highest it has sent */
    uint32_t read;  /* bytes the app has read */
    uint32_t written;
};

static struct bench bench;
static struct tcp_listener *listener;
static struct talk talks[DIALOGUES];
static size_t talk_count;
static struct judge_result *verdict;
static bool contradicts;

/* ---- the peer -------------------------------------------------------------
 */

static void heed(const struct segment *got)
{
    for (size_t i = 0; i < talk_count; i++) {
        struct talk *t = &talks[i];
        if (t->peer.port != got->destination_port)
            continue;
        uint32_t space = (uint32_t)got->payload_length +
                         ((got->flags & S) != 0) + ((got->flags & F) != 0);
        if ((int32_t)(got->seq + space - t->peer.ack) > 0)
            t->peer.ack = got->seq + space;
        if (got->has_timestamp)
            t->peer.tsecr = got->tsval;
        uint32_t from = got->seq - t->peer.iss - 1;
        for (size_t j = 0; j < got->payload_length; j++) {
            uint32_t at = from + (uint32_t)j;
            if (at < t->written && got->payload[j] == judge_byte(i, at))
                continue;
            judge_fault(verdict, "dialogue %zu: byte %u was never written", i,
                        at);
            return;
        }
    }
}

static void listen_to_all(void)
{
    struct segment got;

    while (remote_take(bench.remote, &got))
        heed(&got);
}

static void open_dialogue(const uint64_t draw[DRAWS])
{
    struct talk *t = &talks[talk_count];
    struct dialogue *peer = &t->peer;

    if (talk_count == DIALOGUES)
        return;
    listen_to_all();
    *t = (struct talk){.connection = NULL};
    *peer = (struct dialogue){
        .bench = &bench,
        .remote = bench.remote,
        .port = (uint16_t)(40000 + talk_count),
        .local_port = SCENE_PORT,
        .seq =
            draw[0] % 4 == 0 ? 0xffffff00 + draw[1] % 256 : (uint32_t)draw[1],
        .window = (uint16_t)(draw[2] % 4 == 0 ? draw[3] % 4000 : 65535),
        .tsval = (uint32_t)draw[4],
        .has_timestamps = draw[5] % 2 == 0,
    };
    static const uint8_t options[12] = {2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 2};
    memcpy(peer->syn_options, options, 12);
    peer->syn_options_length = draw[6] % 4 * 4;
    if (!dialogue_open(peer))
        judge_fault(verdict, "no handshake");
    t->start = peer->seq;
    t->top = peer->seq;
    talk_count++;
}

static uint16_t draw_flags(uint64_t draw)
{
    static const uint16_t usual[] = {A, A, A, A | P, A | P, A | P, A, A};

    if (draw % 64 == 0)
        return (uint16_t)(draw >> 8 & 0xff); /* anything */
    if (draw % 64 == 1)
        return A | F;
    if (draw % 256 == 2)
        return R;
    if (draw % 64 == 3)
        return S;
    return usual[draw >> 8 & 7];
}

/* Where it begins, against what should come next. */
static uint32_t draw_seq(const struct talk *t, const uint64_t draw[2])
{
    switch (draw[0] % 16) {
    case 0:
    case 1:
        return t->top + (uint32_t)(draw[1] % 4000); /* early */
    case 2:
    case 3:
    case 4:
        return t->top - (uint32_t)(draw[1] % 4000); /* again, overlapping */
    case 5:
        return t->top + (uint32_t)(draw[1] % 400000) - 200000;
    default:
        return t->top;
    }
}

static void fill_options(struct talk *t, struct segment *segment,
                         const uint64_t draw[2])
{
    uint8_t *at = segment->options;
    uint32_t tsval = t->peer.tsval;

    if (draw[0] % 32 == 0) {
        segment->options_length = draw[0] >> 8 & 0x1f;
        memset(at, (int)(draw[1] & 0xff), segment->options_length);
        memcpy(at, &draw[1], 8);
        return;
    }
    if (!t->peer.has_timestamps)
        return;
    if (draw[0] % 32 == 1)
        tsval -= (uint32_t)(draw[1] % 1000);
    t->peer.tsval += draw[0] % 32 > 16;
    static const uint8_t head[4] = {1, 1, 8, 10};
    memcpy(at, head, 4);
    for (size_t i = 0; i < 4; i++) {
        at[4 + i] = (uint8_t)(tsval >> (24 - 8 * i));
        at[8 + i] = (uint8_t)(t->peer.tsecr >> (24 - 8 * i));
    }
    segment->options_length = 12;
}

static void say(struct talk *t, const uint64_t draw[DRAWS])
{
    static uint8_t text[TEXT_MAX];
    struct segment segment = {
        .source_port = t->peer.port,
        .destination_port = t->peer.local_port,
        .seq = draw_seq(t, draw),
        .ack = t->peer.ack,
        .flags = draw_flags(draw[2]),
        .window = t->peer.window,
        .payload = text,
        .payload_length = draw[3] % 3 == 0 ? 0 : draw[4] % TEXT_MAX,
        .bad_checksum = draw[5] % 50 == 0,
        .data_offset = draw[5] % 50 == 1 ? (uint8_t)(draw[6] & 15) : 0,
        .urgent = (uint16_t)(draw[5] % 50 == 2 ? draw[6] : 0),
    };

    if (!contradicts && segment.data_offset != 0)
        segment.data_offset = 1 + segment.data_offset % 4; /* none at all */
    if ((segment.flags & S) != 0)
        segment.payload_length = 0; /* its text would have other numbers */
    if (draw[7] % 16 == 0)
        segment.ack += (uint32_t)(draw[8] % 20000) - 10000;
    else if (draw[7] % 8 == 1)
        segment.ack -= (uint32_t)(draw[8] % 3000);
    if (draw[9] % 16 == 0)
        t->peer.window = (uint16_t)draw[10];
    fill_options(t, &segment, draw + 10);
    uint32_t from = segment.seq - t->start;
    uint64_t lie = contradicts && draw[6] % 8 == 0 ? draw[6] >> 8 : 0;
    for (uint32_t i = 0; i < segment.payload_length; i++)
        text[i] = judge_byte(t->peer.port + lie, from + i);
    uint32_t end = segment.seq + (uint32_t)segment.payload_length;
    if ((int32_t)(end - t->top) > 0 && end - t->top < 3000 &&
        !segment.bad_checksum && segment.data_offset == 0)
        t->top = end;
    remote_send(bench.remote, &segment);
}

/* ---- the app --------------------------------------------------------------
 */

static struct talk *talk_of(uint16_t port)
{
    return &talks[(port - 40000) % DIALOGUES];
}

static void accept_all(void)
{
    const struct stack_functions *call = world_enter(bench.stack);
    struct tcp_connection *c;

    while ((c = call->tcp_accept(listener, &listener)) != NULL) {
        struct talk *t = talk_of(c->node.tuple.remote_port);
        if (t->connection != NULL)
            call->tcp_abort(t->connection);
        t->connection = c;
        /* A SYN may have begun it anew, anywhere. */
        t->read =
            c->rcv.nxt.value - c->fin_received - c->receive.length - t->start;
        t->written = 0;
        t->peer.iss = c->snd.una.value - 1;
        judge_mix(&verdict->seen, c->node.tuple.remote_port);
    }
    world_leave(bench.stack);
}

static void app_read(struct talk *t, const uint64_t draw[DRAWS])
{
    static const uint32_t kinds[] = {0, 0, 0, TCP_READ_PEEK, TCP_READ_DISCARD};
    static uint8_t bytes[1 << 16];
    uint32_t flags = kinds[draw[0] % 5];
    size_t most = draw[1] % 3 == 0 ? draw[2] % 100 : draw[2] % sizeof(bytes);
    int length = bench.stack->call->tcp_read(t->connection, bytes, most, flags,
                                             world_now());

    judge_mix(&verdict->seen, (uint64_t)(int64_t)length);
    for (int i = 0; i < length && flags != TCP_READ_DISCARD; i++) {
        judge_mix(&verdict->seen, bytes[i]);
        if (!contradicts &&
            bytes[i] != judge_byte(t->peer.port, t->read + (uint32_t)i))
            judge_fault(verdict, "port %u: byte %u is not what was sent",
                        t->peer.port, t->read + (uint32_t)i);
    }
    if (length > 0 && flags != TCP_READ_PEEK) {
        t->read += (uint32_t)length;
        verdict->bytes += (uint64_t)length;
    }
}

static void app_write(struct talk *t, const uint64_t draw[DRAWS])
{
    static uint8_t bytes[1 << 15];
    size_t length = draw[0] % 3 == 0 ? draw[1] % 100 : draw[1] % sizeof(bytes);

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = judge_byte((uint64_t)(t - talks), t->written + i);
    int done = bench.stack->call->tcp_write(t->connection, bytes, length,
                                            draw[2] % 4 == 0, world_now());
    judge_mix(&verdict->seen, (uint64_t)(int64_t)done);
    if (done > 0)
        t->written += (uint32_t)done;
}

static void app_call(struct talk *t, const uint64_t draw[DRAWS])
{
    const struct stack_functions *call = bench.stack->call;
    uint64_t now = world_now();
    int status = 0;

    if (t->connection == NULL)
        return;
    (void)world_enter(bench.stack);
    switch (draw[11] % 64) {
    case 0:
        call->tcp_close(t->connection, now);
        t->connection = NULL;
        break;
    case 1:
        call->tcp_abort(t->connection);
        t->connection = NULL;
        break;
    case 2:
        status = call->tcp_shutdown(t->connection, draw[0] % 4 == 0,
                                    draw[1] % 2 == 0);
        break;
    case 3:
    case 4:
        status = call->tcp_set_option(
            t->connection, (enum tcp_option)(draw[0] % TCP_OPTION_TTL),
            (int)(draw[1] % 3), now);
        break;
    case 5:
        status = call->tcp_take_error(t->connection);
        break;
    default:
        if (draw[11] % 2 == 0)
            app_read(t, draw);
        else
            app_write(t, draw);
    }
    judge_mix(&verdict->seen, (uint64_t)(int64_t)status);
    if (t->connection != NULL)
        judge_mix(&verdict->seen, call->tcp_ready(t->connection));
    world_leave(bench.stack);
}

static void hear(void *owner, uint32_t ready)
{
    judge_mix(&verdict->seen, ready | (owner == &listener));
}

/* ---- a run -----------------------------------------------------------------
 */

static void step(uint64_t *choice)
{
    uint64_t draw[DRAWS];

    for (size_t i = 0; i < DRAWS; i++)
        draw[i] = judge_random(choice);
    uint64_t what = judge_random(choice) % 100;
    uint64_t which = judge_random(choice);
    size_t alive = talk_count < ALIVE ? talk_count : ALIVE;
    struct talk *t = &talks[talk_count - 1 - which % alive];
    if (what < 3)
        open_dialogue(draw);
    else if (what < 60)
        say(t, draw);
    else if (what < 95)
        app_call(t, draw);
    else
        world_run_for(draw[0] % (draw[1] % 8 == 0 ? 3000 : 50) * NS_PER_MS);
    world_run_for(NS_PER_US);
    listen_to_all();
    accept_all();
    const char *broken = tcp_check_invariants();
    if (broken != NULL)
        judge_fault(verdict, "%s", broken);
}

static void finish(void)
{
    const struct stack_functions *call = world_enter(bench.stack);

    for (size_t i = 0; i < talk_count; i++) {
        if (talks[i].connection != NULL)
            call->tcp_abort(talks[i].connection);
    }
    call->tcp_listener_close(listener);
    world_leave(bench.stack);
    world_run_for(2000 * NS_PER_S);
    remote_forget(bench.remote);
}

static bool apply(const struct judge_variant *variant)
{
    const struct stack_functions *call = world_enter(bench.stack);
    bool is_known = true;

    for (size_t i = 0; variant != NULL && i < JUDGE_SETTINGS; i++) {
        const char *const *setting = variant->settings[i];
        if (setting[0] != NULL && call->net_set(setting[0], setting[1]) != 0)
            is_known = false;
    }
    world_leave(bench.stack);
    return is_known;
}

void judge_segments(struct judge_case *run, struct judge_result *result,
                    bool is_exact)
{
    const struct tcp_endpoint local = {.port = SCENE_PORT};
    uint64_t choice = run->seed;
    uint64_t draw[DRAWS] = {1, (uint32_t)run->seed, 1};

    bench = bench_start(run->seed, MEMORY);
    verdict = result;
    bench.stack->call->tcp_set_notify(hear);
    contradicts = is_exact;
    const struct stack_functions *call = world_enter(bench.stack);
    if (call->tcp_listen(&local, 16, false, &listener, &listener) != 0)
        world_fail("tcp_listen failed");
    world_leave(bench.stack);
    if (!apply(run->variant))
        judge_fault(result, "the stack has no such setting");
    size_t packets = call->packet_count_free();
    size_t buffers = call->buffer_count_free();
    world_trace(true);
    if (run->variant != NULL && run->variant->is_tampered)
        bench.remote->port.path.swap_ppm = 50000;
    open_dialogue(draw);
    accept_all();
    for (int i = 0; i < STEPS && result->fault[0] == '\0'; i++)
        step(&choice);
    finish();
    result->wire = world_trace_hash();
    if (call->packet_count_free() != packets ||
        call->buffer_count_free() != buffers)
        judge_fault(result, "the pools are not whole");
}
