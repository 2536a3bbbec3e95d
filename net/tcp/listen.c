/* SPDX-License-Identifier: MIT */
/*
 * Listeners (RFC 9293 3.10.7.2) and their accept queues. Connections that are
 * not complete yet are objects of another kind: half_open.c.
 */
#include "net/tcp/listen.h"

#include <errno.h>

#include "net/limits.h"

static struct {
    struct tcp_listener listeners[TCP_LISTENERS_MAX];
    struct tcp_listener *chains[TCP_LISTENERS_MAX];
    struct tcp_listener *free;
} pool;

void listeners_init(void)
{
    pool.free = NULL;
    for (size_t i = TCP_LISTENERS_MAX; i > 0; i--) {
        pool.listeners[i - 1].next = pool.free;
        pool.free = &pool.listeners[i - 1];
    }
}

static struct tcp_listener **chain_of(uint16_t port)
{
    return &pool.chains[port % TCP_LISTENERS_MAX];
}

/* For segments to this endpoint: who listens at its address, else at any. */
static struct tcp_listener *listener_find(const struct ip_address *address,
                                          uint16_t port)
{
    struct tcp_listener *found = NULL;

    for (struct tcp_listener *at = *chain_of(port); at != NULL; at = at->next) {
        if (at->local.port != port)
            continue;
        if (ip_address_equal(&at->local.address, address))
            return at;
        if (ip_address_is_any(&at->local.address))
            found = at;
    }
    return found;
}

bool listener_uses(const struct tcp_endpoint *local)
{
    for (const struct tcp_listener *at = *chain_of(local->port); at != NULL;
         at = at->next) {
        if (at->local.port == local->port &&
            (ip_address_is_any(&at->local.address) ||
             ip_address_is_any(&local->address) ||
             ip_address_equal(&at->local.address, &local->address)))
            return true;
    }
    return false;
}

static uint32_t clamp_backlog(int backlog)
{
    /* As on Linux less than none is as many as there may be. */
    return backlog < 0 || backlog > TCP_BACKLOG_MAX ? TCP_BACKLOG_MAX
                                                    : (uint32_t)backlog;
}

int tcp_listen(const struct tcp_endpoint *local, int backlog,
               bool reuse_address, void *owner, struct tcp_listener **result)
{
    struct tcp_listener *listener = pool.free;
    struct tcp_endpoint endpoint = *local;

    if (local->port == 0)
        return -EINVAL;
    int status = tcp_bind_check(&endpoint, reuse_address);
    if (status != 0)
        return status;
    if (listener == NULL)
        return -ENOBUFS;
    pool.free = listener->next;
    *listener = (struct tcp_listener){
        .next = *chain_of(local->port),
        .local = *local,
        .owner = owner,
        .backlog = clamp_backlog(backlog),
    };
    tcp_options_init(&listener->options);
    *chain_of(local->port) = listener;
    tcp_counters.states[TCP_LISTEN]++;
    *result = listener;
    return 0;
}

void tcp_listener_count(const struct tcp_listener *listener, uint32_t *waiting,
                        uint32_t *backlog)
{
    *waiting = listener->accept_count;
    *backlog = listener->backlog;
}

void tcp_listener_set_backlog(struct tcp_listener *listener, int backlog)
{
    listener->backlog = clamp_backlog(backlog);
}

struct tcp_options *tcp_listener_options(struct tcp_listener *listener)
{
    return &listener->options;
}

struct tcp_endpoint tcp_listener_local(const struct tcp_listener *listener)
{
    return listener->local;
}

uint32_t tcp_listener_ready(const struct tcp_listener *listener)
{
    return listener->accept_first != NULL ? TCP_READABLE | TCP_ACCEPTABLE : 0;
}

bool listener_has_room(const struct tcp_listener *listener)
{
    if (listener->accept_count <= listener->backlog)
        return true;
    tcp_counters.listen_overflows++;
    return false;
}

void listener_offer(struct tcp_listener *listener, struct tcp_connection *c)
{
    c->is_accept_queued = true;
    c->accept_next = NULL;
    if (listener->accept_first == NULL)
        listener->accept_first = c;
    else
        listener->accept_last->accept_next = c;
    listener->accept_last = c;
    listener->accept_count++;
    owner_notify(listener->owner, TCP_ACCEPTABLE | TCP_READABLE);
}

struct tcp_connection *tcp_accept(struct tcp_listener *listener, void *owner)
{
    struct tcp_connection *c = listener->accept_first;

    if (c == NULL)
        return NULL;
    listener->accept_first = c->accept_next;
    listener->accept_count--;
    c->is_accept_queued = false;
    c->owner = owner;
    return c;
}

void tcp_listener_close(struct tcp_listener *listener)
{
    struct tcp_listener **link = chain_of(listener->local.port);
    struct tcp_connection *c;

    half_open_forget(listener);
    while ((c = tcp_accept(listener, NULL)) != NULL)
        tcp_abort(c);
    while (*link != listener)
        link = &(*link)->next;
    *link = listener->next;
    listener->next = pool.free;
    pool.free = listener;
    tcp_counters.states[TCP_LISTEN]--;
}

bool listen_again(const struct tcp_tuple *tuple,
                  const struct tcp_segment *segment, struct seq32 used,
                  uint64_t now_ns)
{
    struct tcp_listener *listener =
        listener_find(&tuple->local, tuple->local_port);

    if (listener == NULL || !listener_has_room(listener))
        return false;
    struct tcp_identity identity = identity_make(tuple, now_ns);
    if (!seq_after(identity.sequence, used))
        identity.sequence = seq_add(used, TCP_WINDOW_MAX);
    half_open_owe(half_open_create(listener, tuple, segment, identity, now_ns),
                  TCP_SYN | TCP_ACK, NULL, now_ns);
    return true;
}

void listen_receive(struct packet *packet, const struct tcp_tuple *tuple,
                    struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_listener *listener =
        listener_find(&tuple->local, tuple->local_port);
    bool is_syn = (segment->flags & TCP_SYN) != 0;

    if ((segment->flags & TCP_RST) != 0) {
        packet_drop(packet, DROP_TCP_NO_CONNECTION);
        return;
    }
    if (listener != NULL && (segment->flags & TCP_ACK) != 0 &&
        half_open_take_cookie(listener, tuple, packet, segment, now_ns))
        return;
    if (listener == NULL || (segment->flags & TCP_ACK) != 0) {
        reply_reset(tuple, segment);
        packet_drop(packet, listener == NULL ? DROP_TCP_NO_CONNECTION
                                             : DROP_TCP_LISTEN);
        return;
    }
    /* Neither a SYN nor an attempt to connect to itself (LAND); a SYN with a
     * FIN asks for nothing sensible. */
    if (!is_syn || (segment->flags & TCP_FIN) != 0 ||
        (tuple->local_port == tuple->remote_port &&
         ip_address_equal(&tuple->local, &tuple->remote))) {
        packet_drop(packet, DROP_TCP_LISTEN);
        return;
    }
    if (!listener_has_room(listener)) {
        packet_drop(packet, DROP_TCP_BACKLOG);
        return;
    }
    if (half_open_wants_cookie(listener)) {
        half_open_send_cookie(listener, tuple, packet, segment, now_ns);
        return;
    }
    half_open_owe(half_open_create(listener, tuple, segment,
                                   identity_make(tuple, now_ns), now_ns),
                  TCP_SYN | TCP_ACK, packet, now_ns);
}

void listener_visit(void (*visit)(void *context,
                                  const struct tcp_status *status),
                    void *context)
{
    for (size_t i = 0; i < TCP_LISTENERS_MAX; i++) {
        for (const struct tcp_listener *at = pool.chains[i]; at != NULL;
             at = at->next) {
            const struct tcp_status status = {
                .state = TCP_LISTEN,
                .local = at->local,
                .read_queued = at->accept_count,
                .write_queued = at->backlog,
            };
            visit(context, &status);
        }
    }
}
