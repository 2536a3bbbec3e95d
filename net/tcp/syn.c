/* SPDX-License-Identifier: MIT */
/*
 * From a SYN to a connection, where nothing has to be kept: what the SYN
 * says, the SYN-ACK that answers it, and the connection it becomes.
 */
#include "net/tcp/half_open.h"

void half_open_owe(struct half_open *h, uint8_t flags, struct packet *packet,
                   uint64_t now_ns)
{
    bool is_syn = (flags & TCP_SYN) != 0;
    bool has_timestamp = (h->node.flags & HAS_TIMESTAMPS) != 0;
    struct tcp_reply reply = {
        .seq = is_syn ? h->iss : seq_add(h->iss, 1),
        .ack = seq_add(h->irs, 1),
        .window = listener_window(h->listener),
        .flags = flags,
        .ttl = h->listener->options.ttl,
        .tos = h->listener->options.tos,
    };

    packet = reply_begin(&h->node.tuple, packet, NULL);
    if (packet == NULL)
        return;
    h->hop = *reply_hop(packet);
    if (is_syn) {
        reply.options.mss = listener_mss(h->listener, reply_hop(packet));
        reply.options.has_window_scale =
            (h->node.flags & HAS_WINDOW_SCALE) != 0;
        reply.options.window_scale = tcp_settings.window_shift;
        reply.options.has_sack_permitted = (h->node.flags & HAS_SACK) != 0;
        reply.flags |= (h->node.flags & HAS_ECN) != 0 ? TCP_ECE : 0;
    } else if ((h->node.flags & HAS_WINDOW_SCALE) != 0) {
        reply.window = (uint16_t)(reply.window >> tcp_settings.window_shift);
    }
    if (has_timestamp) {
        reply.options.has_timestamp = true;
        reply.options.timestamp = milliseconds(now_ns) + h->timestamp_offset;
        reply.options.timestamp_echo = h->ts_recent;
    }
    reply_queue(packet, &h->node.tuple, &reply);
}

/* What the SYN says, as far as we take part in it. */
void half_open_read_syn(struct half_open *h, struct tcp_listener *listener,
                        const struct tcp_tuple *tuple,
                        const struct tcp_segment *segment)
{
    const struct tcp_header_options *options = &segment->options;

    *h = (struct half_open){
        .node = {.kind = TCP_NODE_HALF_OPEN,
                 .tuple = *tuple,
                 .value = options->mss},
        .listener = listener,
        .irs = segment->seq,
        .ts_recent = options->timestamp,
        .window_scale = options->window_scale,
    };
    if (options->has_timestamp && tcp_settings.timestamps)
        h->node.flags |= HAS_TIMESTAMPS;
    if (options->has_window_scale && tcp_settings.window_scaling)
        h->node.flags |= HAS_WINDOW_SCALE;
    if (options->has_sack_permitted && tcp_settings.sack)
        h->node.flags |= HAS_SACK;
    if (ecn_is_asked(segment))
        h->node.flags |= HAS_ECN;
}

/* The handshake is complete: a whole connection takes its place. NULL when
 * there is none. */
static struct tcp_connection *complete(struct half_open *h,
                                       const struct tcp_segment *segment,
                                       uint64_t now_ns)
{
    struct half_open copy = *h;
    bool is_cookie = (h->node.flags & IS_COOKIE) != 0;
    bool is_deferred = (h->node.flags & IS_DEFERRED) != 0;
    const struct tcp_header_options options = {
        .timestamp = h->ts_recent,
        .mss = h->node.value,
        .window_scale = h->window_scale,
        .has_window_scale = (h->node.flags & HAS_WINDOW_SCALE) != 0,
        .has_timestamp = (h->node.flags & HAS_TIMESTAMPS) != 0,
        .has_sack_permitted = (h->node.flags & HAS_SACK) != 0,
    };

    if ((copy.hop.mtu == 0 || copy.hop.generation != ip_route_generation()) &&
        ip_hop_lookup(&h->node.tuple.remote, &h->node.tuple.local, &copy.hop) !=
            0)
        return NULL;
    if (!connection_is_available())
        return NULL;
    struct tcp_connection *c =
        connection_create(&copy.node.tuple, &copy.hop, &copy.listener->options,
                          is_cookie ? NULL : &h->node, now_ns);
    if (!is_cookie)
        half_open_free(h);
    c->snd.una = copy.iss;
    c->ts_offset = copy.timestamp_offset;
    send_queue_init(&c->send, seq_add(c->snd.una, 1));
    c->rcv.nxt = seq_add(copy.irs, 1);
    c->rcv.edge = seq_add(c->rcv.nxt, listener_window(copy.listener));
    c->rcv.last_ack = c->rcv.nxt;
    connection_negotiate(c, &options, now_ns);
    c->has_ecn = (copy.node.flags & HAS_ECN) != 0;
    c->retries = is_deferred ? 0 : copy.retries; /* none was lost */
    if (copy.retries == 0 && !is_cookie && !is_deferred) {
        uint32_t sent_ms = copy.expires_ms - half_open_wait_ms(0);
        uint32_t passed_ms = milliseconds(now_ns) - sent_ms;
        c->rtt_timing = true;
        c->rtt_at_us = (uint32_t)(now_ns / NS_PER_US) - passed_ms * 1000;
    }
    connection_establish(c, segment, now_ns);
    tcp_counters.passive_opens++;
    return c;
}

/* Into the accept queue with it, if there is room. */
void half_open_offer(struct half_open *h, struct packet *packet,
                     struct tcp_segment *segment, uint64_t now_ns)
{
    struct tcp_listener *listener = h->listener;

    if (!listener_has_room(listener)) {
        packet_drop(packet, DROP_TCP_BACKLOG);
        return;
    }
    struct tcp_connection *c = complete(h, segment, now_ns);
    if (c == NULL) {
        packet_drop(packet, DROP_NO_MEMORY);
        return;
    }
    listener_offer(listener, c);
    connection_receive(c, packet, segment, now_ns);
}
