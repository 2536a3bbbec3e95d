/* SPDX-License-Identifier: MIT */
/*
 * See flows.h.
 */
#include "tests/host/flows.h"

#include <string.h>

enum {
    FLOWS_PORT = 5001,
};

struct flow_end {
    struct mover mover;
    struct flow_end *next; /* told of, not looked at yet */
    bool is_told;
};

static struct flow_end ends[2][FLOW_PAIRS_MAX];
static struct flow_end *told;
static size_t count;
static size_t accepted;
static struct flow_end listening;
static struct tcp_listener *listener;

static void tell(void *owner, uint32_t ready)
{
    struct flow_end *end = owner;

    (void)ready;
    if (end->is_told)
        return;
    end->is_told = true;
    end->next = told;
    told = end;
}

static void accept_all(struct pair *pair)
{
    const struct stack_functions *call = world_enter(pair->stack[1]);

    while (accepted < count) {
        struct flow_end *end = &ends[1][accepted];
        struct tcp_status status;
        struct tcp_connection *c = call->tcp_accept(listener, end);
        if (c == NULL)
            break;
        call->tcp_get_status(c, &status);
        end->mover.connection = c;
        end->mover.receive_key = status.remote.port;
        end->mover.send_key = status.remote.port + 1U;
        accepted++;
        tell(end, 0);
    }
    world_leave(pair->stack[1]);
}

static bool connect_one(struct pair *pair, size_t number)
{
    struct tcp_endpoint local = {.port = (uint16_t)(10000 + number)};
    struct tcp_endpoint remote = {ip_address_from_ipv4(be32_from(0x0a000002)),
                                  FLOWS_PORT};
    struct flow_end *end = &ends[0][number];
    const struct stack_functions *call = world_enter(pair->stack[0]);
    int status = call->tcp_connect(&local, &remote, NULL, end, world_now(),
                                   &end->mover.connection);

    world_leave(pair->stack[0]);
    end->mover.send_key = local.port;
    end->mover.receive_key = local.port + 1U;
    return status == 0;
}

bool flows_start(struct pair *pair, size_t number, uint64_t forth,
                 uint64_t back)
{
    struct tcp_endpoint local = {.port = FLOWS_PORT};
    uint64_t limit = world_now() + 60 * NS_PER_S;
    const struct stack_functions *call;

    if (forth == 0 && back == 0)
        forth = UINT64_MAX;
    count = number;
    for (size_t i = 0; i < 2; i++) {
        pair->stack[i]->call->tcp_set_notify(tell);
        for (size_t j = 0; j < count; j++)
            ends[i][j].mover = (struct mover){
                .stack = pair->stack[i],
                .to_send = i == 0 ? forth : back,
                .to_receive = i == 0 ? back : forth,
            };
    }
    call = world_enter(pair->stack[1]);
    int status =
        call->tcp_listen(&local, (int)count, true, &listening, &listener);
    world_leave(pair->stack[1]);
    if (status != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!connect_one(pair, i))
            return false;
    }
    while (accepted < count) {
        if (!world_step(limit) && world_now() >= limit)
            return false;
        accept_all(pair);
    }
    return true;
}

static size_t look(void)
{
    size_t over = 0;

    while (told != NULL) {
        struct flow_end *end = told;
        told = end->next;
        end->is_told = false;
        if (end == &listening || end->mover.connection == NULL ||
            end->mover.done_ns != 0)
            continue;
        over += mover_run(&end->mover);
    }
    return over;
}

bool flows_run(uint64_t limit_ns)
{
    uint64_t until = world_now() + limit_ns;
    size_t over = 0;

    for (;;) {
        over += look();
        if (over == 2 * count)
            return true;
        if (!world_step(until) && world_now() >= until)
            return false;
    }
}

uint64_t flows_moved(size_t number)
{
    return ends[0][number].mover.received + ends[1][number].mover.received;
}

bool flows_close(void)
{
    bool is_right = true;

    for (size_t i = 0; i < 2 * count; i++) {
        struct mover *m = &ends[i % 2][i / 2].mover;
        const struct stack_functions *call = world_enter(m->stack);
        call->tcp_close(m->connection, world_now());
        world_leave(m->stack);
        is_right = is_right && !m->is_wrong && m->error == 0;
    }
    const struct stack_functions *call = world_enter(ends[1][0].mover.stack);
    call->tcp_listener_close(listener);
    world_leave(ends[1][0].mover.stack);
    return is_right;
}
