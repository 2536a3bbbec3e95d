/* SPDX-License-Identifier: MIT */
/*
 * Life and death of connection objects. A connection is in the table exactly
 * while its state is not CLOSED. It belongs to its owner, if it has one, also
 * beyond that: what was received can still be read.
 */
#include "net/tcp/connection.h"

#include <errno.h>

#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/tcp/internal.h"
#include "net/wire/ipv4.h"

_Static_assert(sizeof(struct tcp_connection) <= 472,
               "with its socket and its share of the table 512 octets");

static struct {
    struct pool connections;
    size_t orphans;
    void (*notify)(void *owner, uint32_t ready);
} pool;

int connection_pool_init(size_t count)
{
    return pool_init(&pool.connections, count, sizeof(struct tcp_connection),
                     _Alignof(struct tcp_connection));
}

size_t connections_total(void)
{
    return pool.connections.count;
}

struct tcp_connection *connection_at(size_t index)
{
    struct tcp_connection *connections = (void *)pool.connections.objects;

    if (index >= pool.connections.used || connections[index].is_dead)
        return NULL;
    return &connections[index];
}

void tcp_set_notify(void (*notify)(void *owner, uint32_t ready))
{
    pool.notify = notify;
}

void owner_notify(void *owner, uint32_t ready)
{
    if (owner != NULL && pool.notify != NULL)
        pool.notify(owner, ready);
}

void connection_notify(struct tcp_connection *c, uint32_t ready)
{
    if (!c->is_accept_queued)
        owner_notify(c->owner, ready);
}

void connection_set_state(struct tcp_connection *c, enum tcp_state state)
{
    tcp_counters.states[c->state]--;
    tcp_counters.states[state]++;
    c->state = (uint8_t)state;
}

bool connection_is_available(void)
{
    if (pool.connections.available > 0)
        return true;
    tcp_counters.no_connection_object++;
    return false;
}

struct tcp_connection *connection_create(const struct tcp_tuple *tuple,
                                         const struct ip_hop *hop,
                                         const struct tcp_options *options,
                                         struct tcp_node *old, uint64_t now_ns)
{
    struct tcp_connection *c = pool_take(&pool.connections);

    ASSERT(c != NULL);
    *c = (struct tcp_connection){
        .node = {.kind = TCP_NODE_CONNECTION, .tuple = *tuple},
        .state = TCP_SYN_SENT,
        .hop = *hop,
        .options = *options,
        .pseudo_sum =
            ip_flow_sum(&tuple->local, &tuple->remote, IP_PROTOCOL_TCP),
        .timer = {.expire = connection_timer_expired},
        .quick_acks = TCP_QUICK_ACKS,
        .progress_at_ms = connection_ms(now_ns),
        .heard_at_ms = connection_ms(now_ns),
        .peer_mss = TCP_MSS_DEFAULT,
        .rcv.mss = TCP_MSS_DEFAULT,
        .rcv.scale = tcp_settings.window_shift,
    };
    tcp_counters.states[TCP_SYN_SENT]++;
    rtt_init(&c->rtt);
    if (old != NULL)
        table_replace(old, &c->node);
    else
        table_insert(&c->node);
    return c;
}

void connection_free(struct tcp_connection *c)
{
    c->is_dead = true;
    c->owner = NULL;
    if (c->is_pending || c->is_sending)
        return;
    seldom_release(c);
    pool_give(&pool.connections, c);
}

void connection_finish(struct tcp_connection *c, int error)
{
    if (c->state == TCP_CLOSED)
        return;
    table_remove(&c->node);
    connection_leave(c, error);
}

void connection_leave(struct tcp_connection *c, int error)
{
    connection_set_state(c, TCP_CLOSED);
    tcp_counters.states[TCP_CLOSED]--; /* it counts as none */
    timer_cancel(&c->timer);
    c->retransmit_at_ns = 0;
    c->ack_at_ns = 0;
    c->keep_at_ns = 0;
    c->owed = 0;
    send_queue_clear(&c->send);
    recovery_release(c);
    seldom_leave(c);
    if (error != 0)
        c->error = (uint8_t)error;
    if (c->is_orphan) {
        pool.orphans--;
        receive_queue_clear(&c->receive);
        connection_free(c);
        return;
    }
    connection_notify(c, TCP_READABLE | TCP_WRITABLE | TCP_HANGUP |
                             TCP_PEER_CLOSED | (error != 0 ? TCP_FAILED : 0));
}

void connection_release(struct tcp_connection *c)
{
    ASSERT(!c->is_orphan);
    ASSERT(c->state == TCP_CLOSED);
    receive_queue_clear(&c->receive);
    connection_free(c);
}

void connection_make_orphan(struct tcp_connection *c)
{
    ASSERT(!c->is_orphan);
    ASSERT(c->state != TCP_CLOSED);
    c->is_orphan = true;
    c->owner = NULL;
    pool.orphans++;
}

size_t orphan_count(void)
{
    return pool.orphans;
}

void connection_abort(struct tcp_connection *c, int error)
{
    c->error = (uint8_t)error;
    connection_touch(c, OWES_RESET);
}

bool connection_route(struct tcp_connection *c)
{
    if (c->hop.generation == ip_route_generation())
        return true;
    if (ip_hop_lookup(&c->node.tuple.remote, &c->node.tuple.local, &c->hop) !=
        0) {
        c->soft_error = EHOSTUNREACH;
        return false;
    }
    connection_update_mss(c);
    return true;
}

void connection_update_mss(struct tcp_connection *c)
{
    uint32_t mtu = c->hop.mtu;

    if (c->path_mtu != 0 && c->path_mtu < mtu)
        mtu = c->path_mtu;
    uint32_t mss = mtu - IPV4_HEADER_LENGTH - TCP_HEADER_LENGTH;
    if (c->options.maximum_segment != 0 && c->options.maximum_segment < mss)
        mss = c->options.maximum_segment;
    if (c->peer_mss < mss)
        mss = c->peer_mss;
    if (c->has_timestamps)
        mss = mss > TCP_TIMESTAMP_SPACE ? mss - TCP_TIMESTAMP_SPACE : 0;
    if (mss < TCP_MSS_FLOOR)
        mss = TCP_MSS_FLOOR;
    if (mss > UINT16_MAX)
        mss = UINT16_MAX;
    c->snd.mss = (uint16_t)mss;
    if (c->congestion.cwnd != 0 && c->congestion.mss != mss)
        congestion_set_mss(&c->congestion, mss);
}
