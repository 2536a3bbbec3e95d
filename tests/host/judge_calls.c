/* SPDX-License-Identifier: MIT */
/*
 * Two stacks, a few connections, and apps that write, read, peek, discard and
 * set options in pieces and at times of the seed's choosing. How much each end
 * sends follows from the seed alone, so every variant must deliver just that.
 */
#include "tests/host/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "net/limits.h"
#include "tests/host/invariants.h"
#include "tests/host/pair.h"

enum {
    CONNECTIONS = 3,
    ATTEMPTS = 3, /* to connect */
    PORT = 7000,
    PIECE_MAX = 20000,
    MEMORY = 8 << 20,
};

struct end {
    struct world_stack *stack;
    struct tcp_connection *connection;
    uint32_t send_key;
    uint32_t receive_key;
    uint32_t to_send;
    uint32_t to_receive;
    uint32_t sent;
    uint32_t received;
    bool did_shut;
    bool saw_end;
};

static const struct world_path weather = {
    .rate_bits_s = 50000000,
    .delay_ns = 2 * NS_PER_MS,
    .queue_bytes = 50000,
    .loss_ppm = 10000,
    .burst_enter_ppm = 2000,
    .burst_leave_ppm = 400000,
    .burst_loss_ppm = 900000,
    .duplicate_ppm = 10000,
    .corrupt_ppm = 5000,
    .reorder_ppm = 20000,
    .reorder_ns = 3 * NS_PER_MS,
};

/* Frames of so long come up together, as cards deliver them. */
#define MODERATION_NS NS_PER_MS

static uint64_t choice;
static uint8_t bytes[PIECE_MAX];
static struct end ends[2 * CONNECTIONS];

static uint32_t choose(uint32_t below)
{
    return (uint32_t)(judge_random(&choice) % below);
}

static void end_write(struct end *e, struct judge_result *result)
{
    const struct stack_functions *call = e->stack->call;
    uint32_t length = 1 + choose(PIECE_MAX);
    uint32_t left = e->to_send - e->sent;

    if (left == 0) {
        if (!e->did_shut && call->tcp_shutdown(e->connection, false, true) != 0)
            judge_fault(result, "shutdown failed");
        e->did_shut = true;
        return;
    }
    length = length < left ? length : left;
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = judge_byte(e->send_key, e->sent + i);
    int done =
        call->tcp_write(e->connection, bytes, length,
                        choose(8) == 0 ? TCP_WRITE_MORE : 0, world_now());
    if (done > 0)
        e->sent += (uint32_t)done;
    else if (done != -EAGAIN)
        judge_fault(result, "write says %d", done);
}

static void end_read(struct end *e, struct judge_result *result)
{
    static const uint32_t kinds[] = {0, 0, 0, TCP_READ_PEEK, TCP_READ_DISCARD};
    const struct stack_functions *call = e->stack->call;
    uint32_t flags = kinds[choose(5)];
    uint32_t most = 1 + choose(PIECE_MAX);
    int length = call->tcp_read(e->connection, bytes, most, flags, world_now());

    if (length == -EAGAIN || e->saw_end)
        return;
    if (length < 0) {
        judge_fault(result, "read says %d", length);
        return;
    }
    for (int i = 0; i < length && flags != TCP_READ_DISCARD; i++) {
        if (bytes[i] == judge_byte(e->receive_key, e->received + (uint32_t)i))
            continue;
        judge_fault(result, "byte %u is not what was sent",
                    e->received + (uint32_t)i);
        return;
    }
    if (flags == TCP_READ_PEEK)
        return;
    e->received += (uint32_t)length;
    e->saw_end = length == 0;
    if (e->received > e->to_receive ||
        (e->saw_end && e->received != e->to_receive))
        judge_fault(result, "%u bytes of %u, and %s", e->received,
                    e->to_receive, e->saw_end ? "the end" : "more");
}

static void end_option(struct end *e)
{
    static const enum tcp_option options[] = {
        TCP_OPTION_NO_DELAY, TCP_OPTION_QUICK_ACK, TCP_OPTION_CORK,
        TCP_OPTION_KEEP_ALIVE};
    enum tcp_option option = options[choose(4)];

    if (e->stack->call->tcp_set_option(e->connection, option, choose(4) == 0,
                                       world_now()) != 0)
        world_fail("an option is refused");
}

static bool end_act(struct end *e, struct judge_result *result)
{
    uint32_t what = choose(20);

    (void)world_enter(e->stack);
    if (what < 9)
        end_write(e, result);
    else if (what < 19)
        end_read(e, result);
    else
        end_option(e);
    world_leave(e->stack);
    return e->did_shut && e->saw_end;
}

static void check(struct judge_result *result)
{
    const char *what = tcp_check_invariants();

    if (what == NULL)
        what = peer_tcp_check_invariants();
    if (what != NULL)
        judge_fault(result, "%s", what);
}

/* Both stacks get the setting: what one offers, the other must take up. */
static bool apply(struct pair *pair, const struct judge_variant *variant)
{
    bool is_known = true;

    for (size_t i = 0; variant != NULL && i < 2; i++) {
        const struct stack_functions *call = world_enter(pair->stack[i]);
        for (size_t j = 0; j < JUDGE_SETTINGS; j++) {
            const char *const *setting = variant->settings[j];
            if (setting[0] != NULL && call->net_set(setting[0], setting[1]))
                is_known = false;
        }
        world_leave(pair->stack[i]);
    }
    return is_known;
}

/* A path that loses each answer of ARP ends an attempt: there is another. */
static bool connect_both(struct pair *pair, struct tcp_connection *both[2])
{
    both[0] = NULL;
    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (pair_connect(pair, PORT, NULL, both))
            return true;
        if (both[0] == NULL)
            return false;
        const struct stack_functions *call = world_enter(pair->stack[0]);
        call->tcp_close(both[0], world_now());
        world_leave(pair->stack[0]);
    }
    return false;
}

static void start(struct pair *pair, struct judge_result *result)
{
    struct tcp_connection *both[2];

    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        uint32_t amounts[2] = {choose(60000), choose(60000)};
        if (!connect_both(pair, both)) {
            judge_fault(result, "no connection");
            return;
        }
        for (uint32_t j = 0; j < 2; j++)
            ends[2 * i + j] = (struct end){
                .stack = pair->stack[j],
                .connection = both[j],
                .send_key = 2 * i + j,
                .receive_key = 2 * i + 1 - j,
                .to_send = amounts[j],
                .to_receive = amounts[1 - j],
            };
    }
}

static void play(struct judge_result *result)
{
    uint64_t limit = world_now() + 600 * NS_PER_S;
    bool is_over = false;

    while (!is_over && result->fault[0] == '\0') {
        is_over = true;
        for (size_t i = 0; i < 2 * CONNECTIONS; i++)
            is_over = end_act(&ends[i], result) && is_over;
        check(result);
        world_run_for((1 + choose(4000)) * NS_PER_US);
        check(result);
        if (world_now() > limit)
            judge_fault(result, "not over after ten minutes");
    }
}

static void count_joined(void *context, const char *name, uint64_t value,
                         const char *help)
{
    struct judge_result *result = context;

    (void)help;
    if (strcmp(name, "gro_segments_total") == 0)
        result->joined += value;
}

void judge_calls(struct judge_case *run, struct judge_result *result)
{
    struct pair pair = pair_start(run->seed, MEMORY);
    struct world_path path = weather;

    choice = run->seed ^ UINT64_C(0xca115);
    if (!apply(&pair, run->variant)) {
        judge_fault(result, "the stack has no such setting");
        return;
    }
    if (run->variant != NULL && run->variant->is_tampered)
        path.swap_ppm = 50000;
    pair_set_path(&pair, &path);
    for (size_t i = 0; i < 2 && run->seed % 4 != 0; i++)
        pair.device[i]->moderation_ns = MODERATION_NS;
    start(&pair, result);
    if (result->fault[0] == '\0')
        play(result);
    for (size_t i = 0; i < 2 * CONNECTIONS; i++) {
        struct end *e = &ends[i];
        if (e->connection == NULL)
            continue;
        judge_mix(&result->seen, e->received);
        result->bytes += e->received;
        (void)world_enter(e->stack);
        e->stack->call->tcp_close(e->connection, world_now());
        world_leave(e->stack);
    }
    for (size_t i = 0; i < 2; i++)
        pair.stack[i]->call->net_visit_counters(count_joined, result);
    if (!pair_is_clean(&pair))
        judge_fault(result, "the pools are not whole");
}
