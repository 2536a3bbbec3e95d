/* SPDX-License-Identifier: MIT */
/*
 * The app's side of opening and closing (RFC 9293 3.10.1, .4 and .5).
 */
#include "net/limits.h"
#include "net/tcp/internal.h"

#include <errno.h>

static bool connection_uses(const struct tcp_endpoint *local)
{
    for (size_t i = 0; i < connections_total(); i++) {
        const struct tcp_connection *c = connection_at(i);
        if (c != NULL && c->state != TCP_CLOSED &&
            c->node.tuple.local_port == local->port &&
            (ip_address_is_any(&local->address) ||
             ip_address_equal(&c->node.tuple.local, &local->address)))
            return true;
    }
    return false;
}

int tcp_bind_check(struct tcp_endpoint *local, bool reuse_address)
{
    if (local->port != 0) {
        if (listener_uses(local) ||
            (!reuse_address &&
             (connection_uses(local) || time_wait_uses(local))))
            return -EADDRINUSE;
        return 0;
    }
    struct tcp_tuple tuple = {.local = local->address};
    struct tcp_endpoint chosen = *local;
    for (int attempt = 0; attempt < TCP_PORT_LAST - TCP_PORT_FIRST; attempt++) {
        chosen.port = identity_port(&tuple);
        if (chosen.port == 0)
            break;
        if (!connection_uses(&chosen)) {
            *local = chosen;
            return 0;
        }
    }
    return -EADDRINUSE;
}

static int choose_tuple(const struct tcp_endpoint *local,
                        const struct tcp_endpoint *remote,
                        struct ip_route *route, struct tcp_tuple *tuple)
{
    int status = ip_route_lookup(&remote->address, &local->address, route);

    if (status != 0)
        return status;
    if (route->is_broadcast || ip_address_is_multicast(&remote->address))
        return -ENETUNREACH; /* RFC 9293 3.9.1.1, MUST-46 */
    *tuple = (struct tcp_tuple){
        .local =
            ip_address_is_any(&local->address) ? route->source : local->address,
        .remote = remote->address,
        .local_port = local->port,
        .remote_port = remote->port,
    };
    if (tuple->local_port == 0) {
        tuple->local_port = identity_port(tuple);
        return tuple->local_port == 0 ? -EADDRNOTAVAIL : 0;
    }
    return table_find(tuple) != NULL ? -EADDRNOTAVAIL : 0;
}

int tcp_connect(const struct tcp_endpoint *local,
                const struct tcp_endpoint *remote,
                const struct tcp_options *from, void *owner, uint64_t now_ns,
                struct tcp_connection **connection)
{
    struct tcp_options options;
    struct ip_route route;
    struct tcp_tuple tuple;

    if (remote->port == 0 || ip_address_is_any(&remote->address))
        return -EINVAL;
    int status = choose_tuple(local, remote, &route, &tuple);
    if (status != 0)
        return status;
    if (!connection_is_available())
        return -ENOBUFS;
    tcp_options_init(&options);
    const struct ip_hop hop = ip_hop_of(&route);
    struct tcp_connection *c = connection_create(
        &tuple, &hop, from == NULL ? &options : from, NULL, now_ns);
    c->owner = owner;
    const struct tcp_identity identity = identity_make(&tuple, now_ns);
    c->ts_offset = identity.timestamp_offset;
    c->snd.una = identity.sequence;
    c->snd.nxt = c->snd.una;
    c->snd.max = c->snd.una;
    send_queue_init(&c->send, seq_add(c->snd.una, 1));
    connection_update_mss(c);
    tcp_counters.active_opens++;
    connection_touch(c, OWES_SYN);
    *connection = c;
    return 0;
}

/* No more from us: the FIN follows what is queued. */
static void close_writing(struct tcp_connection *c)
{
    enum tcp_state state = c->state;

    if (c->fin_queued)
        return;
    c->fin_queued = true;
    c->is_cut = false;
    c->is_more = false;
    c->holds_more = false;
    if (state == TCP_ESTABLISHED)
        connection_set_state(c, TCP_FIN_WAIT_1);
    else if (state == TCP_CLOSE_WAIT)
        connection_set_state(c, TCP_LAST_ACK);
    if (state_is_synchronised(state))
        connection_touch(c, OWES_OUTPUT);
}

int tcp_shutdown(struct tcp_connection *c, bool read, bool write)
{
    if (c->state == TCP_CLOSED || c->state == TCP_SYN_SENT)
        return -ENOTCONN;
    if (read) {
        c->read_shut = true;
        if (!tcp_settings.read_after_shut)
            receive_queue_clear(&c->receive);
        connection_notify(c, TCP_READABLE | TCP_PEER_CLOSED);
    }
    if (write)
        close_writing(c);
    return 0;
}

static bool too_many_orphans(void)
{
    if (orphan_count() < connections_total() / TCP_ORPHAN_DIVISOR)
        return false;
    tcp_counters.orphans_refused++;
    return true;
}

void tcp_close(struct tcp_connection *c, uint64_t now_ns)
{
    bool has_unread = c->receive.length != 0;

    if (c->state == TCP_CLOSED) {
        connection_release(c);
        return;
    }
    if (c->state == TCP_SYN_SENT) {
        connection_make_orphan(c);
        connection_finish(c, 0);
        return;
    }
    /* RFC 2525 2.17: the peer must learn that its data was not read. */
    if (has_unread || too_many_orphans()) {
        tcp_counters.aborts_on_data += has_unread;
        tcp_abort(c);
        return;
    }
    close_writing(c);
    connection_make_orphan(c);
    timers_orphan(c, now_ns);
    timers_update(c);
}

void tcp_abort(struct tcp_connection *c)
{
    if (c->state == TCP_CLOSED) {
        connection_release(c);
        return;
    }
    connection_make_orphan(c);
    receive_queue_clear(&c->receive);
    connection_touch(c, OWES_RESET);
}
