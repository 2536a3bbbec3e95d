/* SPDX-License-Identifier: MIT */
/*
 * Two stacks and the apps that move bytes between them.
 */
#include "tests/host/pair.h"

#include <errno.h>
#include <string.h>

enum {
    CHUNK_MAX = 1 << 14,
};

static size_t packets_at_start[2];
static size_t buffers_at_start[2];
static struct tcp_listener *listeners[2];

/* The owners here are no sockets: the socket layer must not hear of them. */
static void tell_nobody(void *owner, uint32_t ready)
{
    (void)owner;
    (void)ready;
}

struct pair pair_start(uint64_t seed, size_t memory_size)
{
    static const char *const names[2] = {"a", "b"};
    static const char *const words[2] = {"10.0.0.1/24::::a:eth0:none",
                                         "10.0.0.2/24::::b:eth0:none"};
    struct pair pair;

    world_start(seed);
    for (uint8_t i = 0; i < 2; i++) {
        pair.stack[i] = world_stack_add(names[i], memory_size);
        pair.device[i] =
            device_add(pair.stack[i], (uint8_t)(i + 1), PAIR_FEATURES);
    }
    pair.stack[1]->call->tcp_set_notify(tell_nobody);
    world_port_join(&pair.device[0]->port, &pair.device[1]->port);
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = world_enter(pair.stack[i]);
        if (call->net_configure_ip(words[i]) != 0)
            world_fail("net_configure_ip failed");
        call->net_start(world_now());
        world_leave(pair.stack[i]);
    }
    world_run_for(5 * NS_PER_S);
    for (size_t i = 0; i < 2; i++) {
        packets_at_start[i] = pair.stack[i]->call->packet_count_free();
        buffers_at_start[i] = pair.stack[i]->call->buffer_count_free();
        listeners[i] = NULL;
    }
    return pair;
}

void pair_set_path(struct pair *pair, const struct world_path *path)
{
    pair->device[0]->port.path = *path;
    pair->device[1]->port.path = *path;
}

uint8_t pattern_byte(uint64_t key, uint64_t offset)
{
    uint64_t z = (offset / 8 + key) * UINT64_C(0x9e3779b97f4a7c15);

    z ^= z >> 29;
    return (uint8_t)(z >> (offset % 8 * 8));
}

/* The same for many bytes, eight at a time. */
static void pattern_fill(uint64_t key, uint64_t offset, uint8_t *bytes,
                         size_t length)
{
    for (size_t i = 0; i < length;) {
        uint64_t at = offset + i;
        uint64_t z = (at / 8 + key) * UINT64_C(0x9e3779b97f4a7c15);
        size_t part = 8 - at % 8 < length - i ? 8 - at % 8 : length - i;
        z ^= z >> 29;
        z >>= at % 8 * 8;
        memcpy(bytes + i, &z, part);
        i += part;
    }
}

static void mover_send(struct mover *m, const struct stack_functions *call)
{
    static uint8_t bytes[CHUNK_MAX];
    size_t most = m->chunk != 0 ? m->chunk : CHUNK_MAX;

    while (m->sent < m->to_send && m->error == 0 &&
           (call->tcp_ready(m->connection) & TCP_WRITABLE) != 0) {
        uint64_t left = m->to_send - m->sent;
        size_t part = left < most ? (size_t)left : most;
        pattern_fill(m->send_key, m->sent, bytes, part);
        int done = call->tcp_write(m->connection, bytes, part, 0, world_now());
        if (done == -EAGAIN)
            return;
        if (done < 0) {
            m->error = -done;
            return;
        }
        m->sent += (uint64_t)done;
    }
    if (!m->did_shut && m->error == 0 && m->sent == m->to_send) {
        m->did_shut = true;
        m->error = -call->tcp_shutdown(m->connection, false, true);
    }
}

static void mover_receive(struct mover *m, const struct stack_functions *call)
{
    static uint8_t bytes[CHUNK_MAX];
    size_t most = m->chunk != 0 ? m->chunk : CHUNK_MAX;

    if (world_now() < m->next_read_ns)
        return;
    m->next_read_ns = world_now() + m->read_pause_ns;
    while (!m->saw_end && m->error == 0) {
        int done = call->tcp_read(m->connection, bytes, most, 0, world_now());
        if (done == -EAGAIN)
            return;
        if (done < 0)
            m->error = -done;
        if (done == 0)
            m->saw_end = true;
        static uint8_t right[CHUNK_MAX];
        if (done > 0) {
            pattern_fill(m->receive_key, m->received, right, (size_t)done);
            m->is_wrong =
                m->is_wrong || memcmp(bytes, right, (size_t)done) != 0;
        }
        if (done > 0)
            m->received += (uint64_t)done;
        if (m->read_pause_ns != 0)
            return;
    }
}

bool mover_run(struct mover *m)
{
    if (m->done_ns != 0)
        return true;
    const struct stack_functions *call = world_enter(m->stack);
    mover_send(m, call);
    mover_receive(m, call);
    world_leave(m->stack);
    if (m->error == 0 && !(m->did_shut && m->saw_end))
        return false;
    m->done_ns = world_now();
    return true;
}

bool pair_connect(struct pair *pair, uint16_t port,
                  const struct tcp_options *client_options,
                  struct tcp_connection *ends[2])
{
    struct tcp_endpoint any = {.port = 0};
    struct tcp_endpoint remote = {ip_address_from_ipv4(be32_from(0x0a000002)),
                                  port};
    uint64_t limit = world_now() + 60 * NS_PER_S;
    pair->stack[0]->call->tcp_set_notify(tell_nobody);
    const struct stack_functions *call = world_enter(pair->stack[1]);
    if (listeners[1] == NULL) {
        struct tcp_endpoint local = {.port = port};
        if (call->tcp_listen(&local, 128, true, &listeners[1], &listeners[1]) !=
            0)
            world_fail("tcp_listen failed");
    }
    world_leave(pair->stack[1]);
    call = world_enter(pair->stack[0]);
    int status = call->tcp_connect(&any, &remote, client_options, pair,
                                   world_now(), &ends[0]);
    world_leave(pair->stack[0]);
    if (status != 0)
        return false;
    do {
        call = world_enter(pair->stack[1]);
        ends[1] = call->tcp_accept(listeners[1], pair);
        world_leave(pair->stack[1]);
        if (ends[1] != NULL)
            return true;
    } while (world_step(limit));
    return false;
}

bool pair_move(struct mover movers[2], uint64_t limit_ns)
{
    uint64_t until = world_now() + limit_ns;

    for (;;) {
        bool first = mover_run(&movers[0]);
        bool second = mover_run(&movers[1]);
        if (first && second)
            return true;
        uint64_t next = until;
        for (size_t i = 0; i < 2; i++) {
            if (movers[i].done_ns == 0 && movers[i].read_pause_ns != 0 &&
                movers[i].next_read_ns > world_now() &&
                movers[i].next_read_ns < next)
                next = movers[i].next_read_ns;
        }
        if (!world_step(next) && world_now() >= until)
            return false;
    }
}

bool pair_is_clean(struct pair *pair)
{
    if (listeners[1] != NULL) {
        const struct stack_functions *call = world_enter(pair->stack[1]);
        call->tcp_listener_close(listeners[1]);
        world_leave(pair->stack[1]);
        listeners[1] = NULL;
    }
    world_run_for(200 * NS_PER_S);
    for (size_t i = 0; i < 2; i++) {
        const struct stack_functions *call = pair->stack[i]->call;
        if (call->packet_count_free() != packets_at_start[i] ||
            call->buffer_count_free() != buffers_at_start[i])
            return false;
    }
    return true;
}
