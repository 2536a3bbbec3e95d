/* SPDX-License-Identifier: MIT */
/*
 * The app's side of sending and receiving (RFC 9293 3.10.2 and .3), and what
 * poll() is told.
 */
#include "net/attributes.h"
#include "net/tcp/internal.h"

#include <errno.h>
#include <limits.h>

/* Told once, by a call that has nothing else to tell. */
static int take_error(struct tcp_connection *c, bool is_rest)
{
    int error = c->error;

    if (!is_rest)
        c->error = 0;
    return -error;
}

static bool can_write(const struct tcp_connection *c)
{
    return (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT) &&
           !c->fin_queued && (c->owed & OWES_RESET) == 0;
}

/* As Linux: a third of the buffer is free. */
static bool has_room(const struct tcp_connection *c)
{
    uint32_t limit = autotune_send_limit(c);

    return c->send.length < limit && limit - c->send.length >= limit / 3 &&
           (c->owed & OWES_MEMORY) == 0 &&
           (!autotune_is_low(c) ||
            c->send.length <
                autotune_low_limit(c, limit, (c->options.unsent_low + 1) / 2));
}

void connection_note_room(struct tcp_connection *c)
{
    if (!has_room(c))
        return;
    c->was_writable = true;
    connection_notify(c, TCP_WRITABLE);
}

/* Full segments wait, and something is in flight: what holds them back ends
 * with an acknowledgement, and more text changes nothing. */
static bool has_held_text(const struct tcp_connection *c)
{
    return seq_diff(send_queue_end(&c->send), c->snd.nxt) >= c->snd.mss &&
           connection_flight(c) != 0;
}

/* Why nothing can be written. */
static COLD int refuse_write(struct tcp_connection *c, uint32_t flags)
{
    if (c->error != 0)
        return take_error(c, (flags & TCP_WRITE_REST) != 0);
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED)
        return c->fin_queued ? -EPIPE : -EAGAIN;
    return -EPIPE;
}

/* Not all of it found memory. */
static COLD void wait_for_memory(struct tcp_connection *c, uint64_t now_ns)
{
    timers_memory(c, now_ns);
    timers_update(c);
}

/* So many bytes are in the queue. */
static inline void written(struct tcp_connection *c, bool is_cut,
                           uint32_t flags, bool is_held)
{
    c->is_cut = is_cut;
    c->is_pushed = false;
    c->is_more = (flags & TCP_WRITE_MORE) != 0;
    c->holds_more = c->is_more;
    if (!is_held)
        connection_touch(c, OWES_OUTPUT);
    if ((flags & TCP_WRITE_URGENT) != 0)
        urgent_send(c);
}

int tcp_write(struct tcp_connection *c, const void *bytes, size_t length,
              uint32_t flags, uint64_t now_ns)
{
    if (c->error != 0 || !can_write(c))
        return refuse_write(c, flags);
    if (length == 0)
        return 0;
    uint32_t limit = autotune_send_limit(c);
    if (autotune_is_low(c))
        limit = autotune_low_limit(c, limit, c->options.unsent_low);
    uint32_t room = c->send.length < limit ? limit - c->send.length : 0;
    uint32_t part = length < room ? (uint32_t)length : room;
    uint32_t done = 0;
    bool is_held = has_held_text(c);
    if (part != 0)
        done = (flags & TCP_WRITE_STATIC) != 0
                   ? send_queue_write_static(
                         &c->send, bytes, part,
                         (uint8_t)(flags >> TCP_WRITE_LOAN_SHIFT))
                   : send_queue_write(&c->send, bytes, part);
    if (done == length && (flags & TCP_WRITE_RECORD) != 0)
        send_queue_end_record(&c->send);
    if (done != 0) /* what did not fit follows, surely */
        written(c, done < length, flags, is_held);
    if (done < part)
        wait_for_memory(c, now_ns);
    if (autotune_is_low(c))
        c->was_writable = has_room(c);
    else
        c->was_writable = room != done && room - done >= limit / 3 &&
                          (c->owed & OWES_MEMORY) == 0;
    return done == 0 ? -EAGAIN : (int)done;
}

int tcp_read(struct tcp_connection *c, void *bytes, size_t length,
             uint32_t flags, uint64_t now_ns)
{
    if (c->receive.length == 0) {
        /* The stream was whole: what came after it is not its end. */
        if (c->fin_received)
            return 0;
        if (c->error != 0)
            return take_error(c, (flags & TCP_READ_REST) != 0);
        if (c->read_shut || c->state == TCP_CLOSED)
            return 0;
        return -EAGAIN;
    }
    uint32_t part =
        length < c->receive.length ? (uint32_t)length : c->receive.length;
    if (c->has_urgent)
        part = urgent_limit(c, part);
    if ((flags & TCP_READ_DISCARD) != 0)
        bytes = NULL;
    if ((flags & TCP_READ_PEEK) != 0) {
        receive_queue_peek(&c->receive, 0, bytes, part);
        return (int)part;
    }
    receive_queue_read(&c->receive, bytes, part);
    if (c->has_urgent)
        urgent_read(c);
    if (c->state != TCP_CLOSED && !c->fin_received) {
        autotune_read(c, part, now_ns);
        window_read(c);
    }
    return (int)part;
}

COLD int tcp_peek(struct tcp_connection *c, size_t skip, void *bytes,
                  size_t length)
{
    uint32_t there = c->receive.length;
    bool is_last = c->fin_received || c->read_shut || c->error != 0 ||
                   c->state == TCP_CLOSED;

    if (c->has_urgent)
        there = urgent_limit(c, there);
    if (skip >= there)
        return is_last || there < c->receive.length ? 0 : -EAGAIN;
    uint32_t part = there - (uint32_t)skip;
    part = length < part ? (uint32_t)length : part;
    receive_queue_peek(&c->receive, (uint32_t)skip, bytes, part);
    return (int)part;
}

uint32_t tcp_ready(struct tcp_connection *c)
{
    uint32_t ready = 0;
    bool is_over = c->state == TCP_CLOSED;
    bool is_opening = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;

    if (c->receive.length != 0 || c->fin_received || c->read_shut || is_over)
        ready |= TCP_READABLE;
    if (c->fin_received || c->read_shut || is_over)
        ready |= TCP_PEER_CLOSED;
    /* An error never blocks. */
    if (is_over || c->fin_queued || (!is_opening && has_room(c)))
        ready |= TCP_WRITABLE;
    if (is_over || (c->fin_queued && (c->fin_received || c->read_shut)))
        ready |= TCP_HANGUP;
    if (c->has_urgent)
        ready |= TCP_URGENT;
    if (c->error != 0)
        ready |= TCP_FAILED | TCP_READABLE | TCP_WRITABLE;
    /* Who is told to wait must be told when to go on, whatever it was told
     * before: memory runs short by others' doing, too. */
    c->was_writable = (ready & TCP_WRITABLE) != 0;
    return ready;
}

int tcp_take_error(struct tcp_connection *c)
{
    int error = c->error;

    if (error == 0) {
        error = c->soft_error;
        c->soft_error = 0;
    }
    c->error = 0;
    return error;
}

size_t tcp_read_queued(const struct tcp_connection *c)
{
    return c->receive.length;
}

COLD bool tcp_receive_is_full(const struct tcp_connection *c)
{
    return connection_window(c) <= c->rcv.mss || receive_memory_is_short() ||
           c->receive.count >= text_packet_limit(c);
}

size_t tcp_write_queued(const struct tcp_connection *c)
{
    bool fin_waits = c->fin_queued && c->state != TCP_CLOSED &&
                     !seq_after(c->snd.una, send_queue_end(&c->send));

    return c->send.length + fin_waits;
}

/* The FIN is one, too. */
size_t tcp_write_unsent(const struct tcp_connection *c)
{
    int32_t unsent = seq_diff(send_queue_end(&c->send), c->snd.max);

    return c->state == TCP_CLOSED ? 0 : (size_t)(unsent + c->fin_queued);
}

int tcp_read_hint(const struct tcp_connection *c)
{
    return (int)c->receive.length + c->fin_received;
}
