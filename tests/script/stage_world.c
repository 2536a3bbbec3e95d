/* SPDX-License-Identifier: MIT */
/*
 * A script before the stack in this process, in the simulated world.
 */
#include "tests/script/stage_world.h"
#include "tests/script/flow.h"

#include "net/socket/socket.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct lan stage_lan;

static size_t packets_at_start;
static size_t buffers_at_start;

/* Here everything can be seen. */
const char *stage_lacks(const struct script *script)
{
    (void)script;
    return NULL;
}

static bool set(const char *setting)
{
    char name[96];
    const char *value = strchr(setting, '=');

    if (value == NULL || (size_t)(value - setting) >= sizeof(name))
        return false;
    memcpy(name, setting, (size_t)(value - setting));
    name[value - setting] = '\0';
    return stage_lan.stack->call->net_set(name, value + 1) == 0;
}

const char *stage_start(const struct script *script)
{
    lan_start(&stage_lan, "192.168.0.1");
    packets_at_start = stage_lan.stack->call->packet_count_free();
    buffers_at_start = stage_lan.stack->call->buffer_count_free();
    for (size_t i = 0; i < script->setting_count; i++)
        if (!set(script->settings[i]))
            return script->settings[i];
    app_start();
    return NULL;
}

void stage_capture(const char *file)
{
    world_capture(file);
}

uint64_t stage_now(void)
{
    return world_now();
}

/* One step of the world, and of the app in it. */
static bool step(uint64_t until_ns)
{
    bool more = world_step(until_ns);

    app_look();
    return more;
}

void stage_run_until(uint64_t time_ns)
{
    while (step(time_ns)) {
    }
}

void stage_inject(const uint8_t *packet, size_t length)
{
    lan_inject(&stage_lan, packet, length);
    stage_run_until(world_now());
}

struct stage_packet *stage_take(uint64_t until_ns)
{
    while (stage_lan.first == NULL && step(until_ns)) {
    }
    return lan_take(&stage_lan);
}

/* One look at all of them; how many have events. */
static int look_at(struct pollfd *list, size_t count)
{
    int ready = 0;

    for (size_t i = 0; i < count; i++) {
        int events =
            list[i].fd == INT_MAX ? POLLNVAL : socket_poll_events(list[i].fd);
        list[i].revents =
            (short)(events & (list[i].events | POLLERR | POLLHUP | POLLNVAL));
        ready += list[i].revents != 0;
    }
    return ready;
}

int stage_poll(struct pollfd *list, size_t count, int timeout_ms)
{
    uint64_t end_ns = timeout_ms < 0
                          ? UINT64_MAX
                          : socket_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;

    for (;;) {
        uint64_t generation = socket_generation();
        int ready = look_at(list, count);
        if (ready != 0 || socket_now_ns() >= end_ns)
            return ready;
        socket_wait(generation, end_ns);
    }
}

const char *stage_leaks(void)
{
    static char text[96];
    size_t packets = stage_lan.stack->call->packet_count_free();
    size_t buffers = stage_lan.stack->call->buffer_count_free();

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

int stage_state(void)
{
    int state = 7;

    stage_lan.stack->call->tcp_visit_connections(look, &state);
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

bool stage_counter(const char *name, uint64_t *value)
{
    struct search search = {.name = name};

    stage_lan.stack->call->net_visit_counters(compare, &search);
    *value = search.value;
    return search.is_found;
}
