/* SPDX-License-Identifier: MIT */
/*
 * The window we offer (RFC 9293 3.8.6.2.2, RFC 7323 2). Its right edge never
 * moves back, and forward only in steps worth a segment, so that no peer is
 * led into sending small ones. When receive memory runs short in the whole
 * stack, edges stand still until apps have read.
 */
#include "net/attributes.h"
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

/* What SO_RCVBUF allows is memory, twice its value: half of it is payload
 * until segments have shown how much of it they fill, as on Linux. Small ones
 * keep the other half for a peer that sends little at a time. Those that took
 * more than a buffer tell nothing. 2^23 * 2^11 fits. */
static inline uint32_t receive_limit(const struct tcp_connection *c)
{
    uint32_t buffer = c->options.receive_buffer;

    if (!c->options.receive_buffer_fixed || buffer < TCP_BUFFER_DEFAULT_MIN ||
        c->rcv.mss > BUFFER_SIZE)
        return buffer;
    uint64_t memory = (uint64_t)TCP_BUFFER_DOUBLING * buffer;
    uint64_t payload =
        memory * c->rcv.mss / (uint64_t)(BUFFER_SIZE + sizeof(struct packet));
    return (uint32_t)larger_64(payload, buffer);
}

static inline uint32_t receive_room(const struct tcp_connection *c)
{
    uint32_t buffer = receive_limit(c);
    uint32_t room = c->receive.length < buffer ? buffer - c->receive.length : 0;

    return receive_memory_is_short() ? smaller(room, connection_window(c))
                                     : room;
}

/* Where the edge may lie at most. */
static inline struct seq32 edge_limit(const struct tcp_connection *c,
                                      uint32_t room, uint8_t scale)
{
    uint32_t largest = (uint32_t)TCP_WINDOW_MAX << scale;

    return seq_add(c->rcv.nxt, smaller(room, largest));
}

/* The least step: a segment, or half of a small buffer. */
static inline int32_t edge_step(const struct tcp_connection *c)
{
    return (int32_t)smaller(c->options.receive_buffer / 2, c->rcv.mss);
}

uint16_t window_offer(struct tcp_connection *c, bool is_syn)
{
    uint8_t scale = is_syn ? 0 : c->rcv.scale;
    uint32_t room = receive_room(c);

    /* Against the room there is, not what the field can tell of it. */
    if ((int32_t)(room - connection_window(c)) >= edge_step(c))
        c->rcv.edge = seq_max(c->rcv.edge, edge_limit(c, room, scale));
    uint32_t window = connection_window(c);
    uint32_t field =
        smaller((window + (1U << scale) - 1) >> scale, TCP_WINDOW_MAX);
    /* Rounding up offered a little more; take it if it comes. */
    struct seq32 offered = seq_add(c->rcv.nxt, field << scale);
    c->rcv.edge = seq_max(c->rcv.edge, offered);
    return (uint16_t)field;
}

/* Worth a segment of its own: a quarter of the buffer, or the first room after
 * the window was (nearly) closed. */
static COLD NOINLINE bool is_worth_telling(const struct tcp_connection *c)
{
    int32_t growth =
        seq_diff(edge_limit(c, receive_room(c), c->rcv.scale), c->rcv.edge);
    uint32_t buffer = c->options.receive_buffer;

    return growth >= (int32_t)(buffer / 4) ||
           (growth >= edge_step(c) && connection_window(c) < 2U * c->rcv.mss);
}

void window_read(struct tcp_connection *c)
{
    uint32_t window = connection_window(c);

    /* So much is still open that what the peer sends next is acknowledged,
     * and tells it of the room, long before it has to stop. */
    if (!c->options.receive_buffer_fixed && window >= TCP_WINDOW_PLENTY &&
        window >= 4U * c->rcv.mss)
        return;
    if (is_worth_telling(c))
        connection_touch(c, OWES_ACK);
}
