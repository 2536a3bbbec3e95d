/* SPDX-License-Identifier: MIT */
/*
 * Urgent data as RFC 6093 leaves it: always in its place in the stream, as
 * with SO_OOBINLINE, and for that reason of any length. What there is beside
 * the stream is one mark: the last urgent octet. Reads stop in front of it
 * once. A pointer that points at nothing, or at what was read, is no mark.
 */
#include "net/tcp/internal.h"

/* Of the next byte the app will read. */
static struct seq32 read_position(const struct tcp_connection *c)
{
    return seq_subtract(c->rcv.nxt, c->receive.length + c->fin_received);
}

void urgent_receive(struct tcp_connection *c, const struct tcp_segment *segment)
{
    struct seq32 mark = seq_subtract(segment->urgent_end, 1);

    if (c->fin_received || c->is_orphan ||
        seq_equal(segment->urgent_end, segment->urgent_from) ||
        seq_before(mark, read_position(c)) ||
        (c->has_urgent && !seq_after(mark, c->seldom->urgent_in)) ||
        seldom_get(c) == NULL)
        return;
    c->seldom->urgent_in = mark;
    c->has_urgent = true;
    connection_notify(c, TCP_URGENT);
}

void urgent_finish(struct tcp_connection *c)
{
    c->has_urgent =
        seq_before(c->seldom->urgent_in, seq_subtract(c->rcv.nxt, 1));
}

uint32_t urgent_limit(struct tcp_connection *c, uint32_t length)
{
    int32_t before = seq_diff(c->seldom->urgent_in, read_position(c));

    return before > 0 && (uint32_t)before < length ? (uint32_t)before : length;
}

void urgent_read(struct tcp_connection *c)
{
    if (!seq_after(read_position(c), c->seldom->urgent_in))
        return;
    c->has_urgent = false;
    seldom_tidy(c);
}

bool tcp_is_at_mark(const struct tcp_connection *c)
{
    return c->has_urgent && seq_equal(read_position(c), c->seldom->urgent_in);
}

void urgent_send(struct tcp_connection *c)
{
    if (seldom_get(c) == NULL)
        return;
    c->seldom->urgent_out = send_queue_end(&c->send);
    c->is_urgent = true;
    connection_touch(c, OWES_ACK);
}

/* RFC 9293 3.8.5, MUST-62: the pointer is that of the octet after the last
 * urgent one. Where that is too far for the field, the data is urgent as far
 * as the field goes. */
void urgent_stamp(struct tcp_connection *c, struct seq32 seq,
                  struct tcp_header *header)
{
    struct seq32 end = c->seldom->urgent_out;
    int32_t distance = seq_diff(end, seq);

    if (!seq_before(c->snd.una, end)) {
        c->is_urgent = false;
        seldom_tidy(c);
        return;
    }
    if (distance <= 0)
        return;
    header->flags |= TCP_URG;
    header->urgent = be16_from(
        distance > (int32_t)UINT16_MAX ? UINT16_MAX : (uint16_t)distance);
}
