/* SPDX-License-Identifier: MIT */
/*
 * TCP while requests for memory fail, of one stack of two: whatever fails, and
 * when, a connection delivers every byte or ends with an error that its app
 * is told, and everything is given back. Apps look at a connection only when
 * they were notified of it, so that a notification that is missing shows as a
 * stall.
 * test-links: tests/unit/support_failure.c net/tcp/recovery.c net/tcp/seldom.c
 * test-flags: -include tests/unit/support_failure_pool.h
 * test-flags: -Wl,--wrap=buffer_alloc,--wrap=packet_alloc
 * test-flags: -Wl,--wrap=connection_is_available
 */
#include "tests/unit/support_failure.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/host/invariants.h"
#include "tests/host/pair.h"

enum {
    PORT = 9000,
    FLOWS_MAX = 8,
    MEMORY = 4 << 20,
    TRIES = 4, /* an app whose connect fails tries again so often */
    PATIENCE_S = 400,
};

/* How a scenario is played. */
struct shape {
    size_t from; /* this stack connects: failures are those of stack 0 */
    size_t flows;
    int backlog;
    uint32_t forth;
    uint32_t back;
    uint32_t loss_ppm;
    bool is_answer; /* the one that accepts sends when it has read all */
};

/* One end, and its app. */
struct end {
    struct mover mover;
    struct end *other; /* end of the same flow, once known */
    uint32_t answer;
    bool is_told;
};

static struct pair pair;
static struct shape shape;
static struct end ends[2][FLOWS_MAX]; /* of who connects, of who accepts */
static struct tcp_listener *listener;
static struct end listening;
static size_t accepted;
static struct failure_report *report;

static void tell(void *owner, uint32_t ready)
{
    (void)ready;
    ((struct end *)owner)->is_told = true;
}

static void prepare(void)
{
    pair = pair_start(11, MEMORY);
}

static void check(void)
{
    const char *what = tcp_check_invariants();

    if (what != NULL)
        failure_fault(report, "%s at %lu ns", what, (unsigned long)world_now());
}

static bool open_listener(void)
{
    const struct tcp_endpoint local = {.port = PORT};
    struct world_stack *stack = pair.stack[1 - shape.from];
    const struct stack_functions *call = world_enter(stack);
    int status =
        call->tcp_listen(&local, shape.backlog, true, &listening, &listener);

    world_leave(stack);
    return status == 0;
}

static bool connect_one(struct end *e)
{
    const struct tcp_endpoint any = {.port = 0};
    const struct tcp_endpoint remote = {
        ip_address_from_ipv4(
            be32_from(shape.from == 0 ? 0x0a000002 : 0x0a000001)),
        PORT};
    struct world_stack *stack = pair.stack[shape.from];
    struct tcp_status status;

    for (int i = 0; i < TRIES; i++) {
        const struct stack_functions *call = world_enter(stack);
        bool is_made = call->tcp_connect(&any, &remote, NULL, e, world_now(),
                                         &e->mover.connection) == 0;
        if (is_made)
            call->tcp_get_status(e->mover.connection, &status);
        world_leave(stack);
        if (is_made) {
            e->mover.send_key = status.local.port;
            e->mover.receive_key = status.local.port + 1U;
            return true;
        }
        world_run_for(NS_PER_S);
    }
    return false;
}

static void accept_all(void)
{
    struct world_stack *stack = pair.stack[1 - shape.from];
    const struct stack_functions *call = world_enter(stack);

    listening.is_told = false;
    while (accepted < shape.flows) {
        struct end *e = &ends[1][accepted];
        struct tcp_status status;
        e->mover.connection = call->tcp_accept(listener, e);
        if (e->mover.connection == NULL)
            break;
        call->tcp_get_status(e->mover.connection, &status);
        e->mover.send_key = status.remote.port + 1U;
        e->mover.receive_key = status.remote.port;
        for (size_t i = 0; i < shape.flows; i++) {
            struct end *other = &ends[0][i];
            if (other->mover.connection != NULL &&
                other->mover.send_key == status.remote.port) {
                e->other = other;
                other->other = e;
            }
        }
        e->is_told = true;
        accepted++;
    }
    world_leave(stack);
}

static void let_go(struct end *e)
{
    if (e->mover.connection == NULL)
        return;
    (void)world_enter(e->mover.stack);
    e->mover.stack->call->tcp_close(e->mover.connection, world_now());
    world_leave(e->mover.stack);
    e->mover.connection = NULL;
}

/* An app looks at its end. What ends with an error is let go. */
static void look(struct end *e)
{
    struct mover *m = &e->mover;

    if (!e->is_told || m->connection == NULL || m->done_ns != 0)
        return;
    e->is_told = false;
    if (!m->did_shut && !m->saw_end && m->received == 0 && m->sent == 0 &&
        m->stack->call->tcp_get_state(m->connection) == TCP_SYN_SENT)
        return;
    if (!mover_run(m))
        return;
    if (e->answer != 0 && m->error == 0) {
        m->to_send = e->answer;
        m->did_shut = false;
        m->done_ns = 0;
        e->answer = 0;
        if (!mover_run(m))
            return;
    }
    if (m->is_wrong)
        failure_fault(report, "a byte is not the one that was sent");
    if (m->error == 0 && m->received != m->to_receive)
        failure_fault(report, "%lu of %lu bytes, and then the end",
                      (unsigned long)m->received, (unsigned long)m->to_receive);
    if (m->error != 0)
        let_go(e);
}

/* Nothing is to be expected of this one any more: it is done, was never
 * made, or its other end gave up. */
static bool is_over(const struct end *e)
{
    return e->mover.done_ns != 0 || e->mover.connection == NULL ||
           (e->other != NULL && e->other->mover.error != 0);
}

static bool all_are_over(void)
{
    for (size_t i = 0; i < shape.flows; i++)
        if (!is_over(&ends[0][i]) || !is_over(&ends[1][i]))
            return false;
    return true;
}

/* Until all is over, or it stands still. */
static void run(void)
{
    uint64_t limit = world_now() + PATIENCE_S * NS_PER_S;
    bool is_stepped = true;

    while (is_stepped && report->fault[0] == '\0') {
        is_stepped = world_step(limit);
        if (listening.is_told)
            accept_all();
        for (size_t i = 0; i < 2 * shape.flows; i++)
            look(&ends[i % 2][i / 2]);
        check();
        if (all_are_over())
            return;
    }
    failure_fault(report, "it stands still");
}

static void set_up(void)
{
    const struct world_path path = {
        .rate_bits_s = 20000000,
        .delay_ns = 5 * NS_PER_MS,
        .queue_bytes = 60000,
        .loss_ppm = shape.loss_ppm,
    };

    pair_set_path(&pair, &path);
    for (size_t i = 0; i < 2; i++) {
        pair.stack[i]->call->tcp_set_notify(tell);
        for (size_t j = 0; j < shape.flows; j++)
            ends[i][j].mover = (struct mover){
                .stack = pair.stack[i == 0 ? shape.from : 1 - shape.from],
                .to_send = i == 0 ? shape.forth : shape.back,
                .to_receive = i == 0 ? shape.back : shape.forth,
            };
    }
    for (size_t j = 0; shape.is_answer && j < shape.flows; j++) {
        ends[1][j].answer = shape.back;
        ends[1][j].mover.did_shut = true; /* not yet, in truth */
        ends[1][j].mover.to_send = 0;
    }
}

static void play(const struct shape *how, struct failure_report *result)
{
    const struct world_path clear = {.delay_ns = NS_PER_MS};
    bool is_whole = true;

    shape = *how;
    report = result;
    set_up();
    for (int i = 0; i < TRIES && !open_listener(); i++)
        world_run_for(NS_PER_S);
    for (size_t i = 0; i < shape.flows; i++)
        (void)connect_one(&ends[0][i]);
    run();
    for (size_t i = 0; i < 2 * shape.flows; i++) {
        const struct end *e = &ends[i % 2][i / 2];
        is_whole = is_whole && e->mover.done_ns != 0 && e->mover.error == 0;
    }
    report->is_whole = is_whole;
    pair_set_path(&pair, &clear);
    for (size_t i = 0; i < 2 * shape.flows; i++)
        let_go(&ends[i % 2][i / 2]);
    if (listener != NULL) {
        struct world_stack *stack = pair.stack[1 - shape.from];
        (void)world_enter(stack);
        stack->call->tcp_listener_close(listener);
        world_leave(stack);
    }
    world_run_for(1500 * NS_PER_S); /* orphans and TIME-WAIT have ended */
}

/* ---- scenarios ------------------------------------------------------------
 */

static void play_connect(struct failure_report *result)
{
    play(&(struct shape){.from = 0,
                         .flows = 1,
                         .backlog = 4,
                         .forth = 100,
                         .back = 3000,
                         .is_answer = true},
         result);
}

static void play_accept(struct failure_report *result)
{
    play(&(struct shape){.from = 1,
                         .flows = 1,
                         .backlog = 4,
                         .forth = 100,
                         .back = 3000,
                         .is_answer = true},
         result);
}

static void play_backlog(struct failure_report *result)
{
    play(
        &(struct shape){
            .from = 1, .flows = 8, .backlog = 3, .forth = 200, .back = 200},
        result);
}

static void play_simultaneous(struct failure_report *result)
{
    play(
        &(struct shape){
            .from = 0, .flows = 1, .backlog = 4, .forth = 1000, .back = 1000},
        result);
}

static void play_silent(struct failure_report *result)
{
    play(&(struct shape){.from = 1, .flows = 1, .backlog = 4}, result);
}

static void play_transfer(struct failure_report *result)
{
    play(&(struct shape){.from = 0,
                         .flows = 2,
                         .backlog = 4,
                         .forth = 60000,
                         .back = 60000,
                         .loss_ppm = 30000},
         result);
}

static void play_transfer_accepted(struct failure_report *result)
{
    play(&(struct shape){.from = 1,
                         .flows = 2,
                         .backlog = 4,
                         .forth = 40000,
                         .back = 90000,
                         .loss_ppm = 30000},
         result);
}

static void expect_all_right(void (*how)(struct failure_report *),
                             uint64_t requests)
{
    const struct failure_scenario scenario = {prepare, how};
    struct failure_sums sums = failure_sweep(&scenario);

    cr_assert_eq(sums.fault[0], '\0', "%s", sums.fault);
    cr_assert_geq(sums.single, requests, "%lu requests only",
                  (unsigned long)sums.single);
    cr_assert_eq(sums.whole_single, sums.single,
                 "%lu of %lu: one failure alone is survived",
                 (unsigned long)sums.whole_single, (unsigned long)sums.single);
}

TestSuite(hostile, .timeout = 3600);

Test(hostile, S2_connecting_while_memory_fails)
{
    expect_all_right(play_connect, 10);
}

Test(hostile, S2_accepting_while_memory_fails)
{
    expect_all_right(play_accept, 10);
}

Test(hostile, S2_a_full_backlog_while_memory_fails)
{
    expect_all_right(play_backlog, 20);
}

Test(hostile, S2_closing_at_the_same_time_while_memory_fails)
{
    expect_all_right(play_simultaneous, 10);
}

Test(hostile, S2_a_connection_without_a_byte_while_memory_fails)
{
    expect_all_right(play_silent, 5);
}

Test(hostile, S2_sending_both_ways_over_a_bad_path_while_memory_fails)
{
    expect_all_right(play_transfer, 40);
}

Test(hostile, S2_the_accepted_end_sends_more_while_memory_fails)
{
    expect_all_right(play_transfer_accepted, 40);
}

/* ---- what it is there to notice, it notices -------------------------------
 */

static void lose_a_buffer(void)
{
    failure_hook = NULL;
    (void)!buffer_alloc();
}

Test(failure, notices_a_buffer_that_is_lost)
{
    const struct failure_scenario scenario = {prepare, play_connect};

    prepare();
    failure_hook = lose_a_buffer;
    struct failure_report result =
        failure_run(&scenario, (struct failure_plan){.first = 5, .count = 1});
    cr_assert(strstr(result.fault, "buffers") != NULL, "%s", result.fault);
}

static void tell_nobody(void *owner, uint32_t ready)
{
    (void)owner;
    (void)ready;
}

static void forget_to_notify(void)
{
    tcp_set_notify(tell_nobody);
}

Test(failure, notices_an_app_that_is_not_told)
{
    const struct failure_scenario scenario = {prepare, play_connect};

    prepare();
    failure_hook = forget_to_notify;
    struct failure_report result =
        failure_run(&scenario, (struct failure_plan){.first = 5, .count = 1});
    cr_assert(strstr(result.fault, "still") != NULL, "%s", result.fault);
}
