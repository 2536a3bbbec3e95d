/* SPDX-License-Identifier: MIT */
/*
 * Looks at the stack that no socket allows.
 */
#include "tests/script/check.h"
#include "tests/script/flow.h"
#include "tests/script/lan.h"

#include <stdio.h>
#include <string.h>

static const struct lan *seen;
static size_t packets_at_start;
static size_t buffers_at_start;

void stack_view_init(const struct lan *lan)
{
    seen = lan;
    packets_at_start = lan->stack->call->packet_count_free();
    buffers_at_start = lan->stack->call->buffer_count_free();
}

const char *stack_view_leaks(void)
{
    static char text[96];
    size_t packets = seen->stack->call->packet_count_free();
    size_t buffers = seen->stack->call->buffer_count_free();

    text[0] = '\0';
    if (packets != packets_at_start || buffers != buffers_at_start)
        snprintf(text, sizeof(text),
                 "%zd packets and %zd buffers not given "
                 "back",
                 (ssize_t)(packets_at_start - packets),
                 (ssize_t)(buffers_at_start - buffers));
    return text;
}

static void look(void *context, const struct tcp_status *status)
{
    static const int numbers[TCP_STATE_COUNT] = {
        [TCP_CLOSED] = 7,       [TCP_LISTEN] = 10,     [TCP_SYN_SENT] = 2,
        [TCP_SYN_RECEIVED] = 3, [TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4,
        [TCP_FIN_WAIT_2] = 5,   [TCP_CLOSE_WAIT] = 8,  [TCP_CLOSING] = 11,
        [TCP_LAST_ACK] = 9,     [TCP_TIME_WAIT] = 6};
    int *state = context;

    if (status->state != TCP_LISTEN && status->state != TCP_CLOSED &&
        status->remote.port == flows[1].remote_port &&
        status->local.port == flows[1].local_port)
        *state = numbers[status->state];
}

int stack_view_state(void)
{
    int state = 7;

    seen->stack->call->tcp_visit_connections(look, &state);
    return state;
}

struct search {
    const char *name;
    uint64_t value;
    bool is_found;
};

static void compare(void *context, const char *name, uint64_t value,
                    const char *help)
{
    struct search *search = context;

    (void)help;
    if (strcmp(search->name, name) == 0) {
        search->value = value;
        search->is_found = true;
    }
}

bool stack_view_counter(const char *name, uint64_t *value)
{
    struct search search = {.name = name};

    seen->stack->call->net_visit_counters(compare, &search);
    *value = search.value;
    return search.is_found;
}

bool stack_view_set(const char *setting)
{
    char name[96];
    const char *value = strchr(setting, '=');

    if (value == NULL || (size_t)(value - setting) >= sizeof(name))
        return false;
    memcpy(name, setting, (size_t)(value - setting));
    name[value - setting] = '\0';
    return seen->stack->call->net_set(name, value + 1) == 0;
}
