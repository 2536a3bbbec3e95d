/* SPDX-License-Identifier: MIT */
/*
 * The seventh and eighth checks of RFC 9293 3.10.7.4: segment text and FIN.
 * The segment was trimmed to the window before. What is acknowledged when:
 * RFC 5681 4.2.
 */
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

enum {
    /* ACKs one batch may send besides its last one: with it enough to start a
     * fast retransmit, and that not all are likely to be lost. */
    MORE_ACKS_MAX = 3,
    /* What came too early may make so much room for one segment. */
    PRUNED_MAX = 8,
};

/* One ACK for each of some segments, as far as one batch may send. */
static void owe_each(struct tcp_connection *c, uint32_t segments)
{
    uint32_t more = c->more_acks + segments;

    if ((c->owed & OWES_ACK) == 0)
        more--;
    c->more_acks = (uint8_t)smaller(more, MORE_ACKS_MAX);
    connection_touch(c, OWES_ACK);
}

void text_owe_ack(struct tcp_connection *c, uint32_t segments, uint32_t size,
                  uint64_t now_ns)
{
    uint32_t unacknowledged = (uint32_t)seq_diff(c->rcv.nxt, c->rcv.last_ack);

    if (c->quick_acks > 0 && tcp_settings.quick_start &&
        !c->options.delayed_ack) {
        if (c->is_peer_losing) {
            c->quick_acks -= (uint8_t)smaller(segments, c->quick_acks);
            owe_each(c, segments);
        } else {
            if ((c->owed & OWES_ACK) == 0)
                c->quick_acks--; /* one for a batch */
            connection_touch(c, OWES_ACK);
        }
    } else if (unacknowledged >= 2U * c->rcv.mss || c->options.quick_ack) {
        connection_touch(c, OWES_ACK);
    } else if (unacknowledged == 2 * size && size >= TCP_MSS_FLOOR) {
        /* Two alike, and more follow: full ones are smaller now. */
        c->rcv.mss = (uint16_t)size;
        connection_touch(c, OWES_ACK);
    } else {
        timers_delay_ack(c, now_ns);
    }
}

/* Room for one more packet; what came too early makes room for what came in
 * order. */
static bool take_memory(struct tcp_connection *c, bool is_in_order)
{
    uint32_t limit = text_packet_limit(c);
    enum receive_need need = RECEIVE_EARLY;
    unsigned pruned = 0;

    if (is_in_order)
        need = c->receive.count == 0 ? RECEIVE_FIRST : RECEIVE_IN_ORDER;
    while (c->receive.count + connection_early_packets(c) >= limit ||
           !receive_memory_take(need)) {
        if (!is_in_order || connection_early_packets(c) == 0 ||
            pruned++ == PRUNED_MAX)
            return false;
        reassembly_prune(&c->seldom->reassembly);
        seldom_tidy(c);
    }
    return true;
}

void text_take_fin(struct tcp_connection *c, uint64_t now_ns)
{
    enum tcp_state state = c->state;

    c->rcv.nxt = seq_add(c->rcv.nxt, 1);
    c->rcv.edge = seq_max(c->rcv.edge, c->rcv.nxt);
    c->fin_received = true;
    if (c->has_urgent)
        urgent_finish(c);
    if (c->seldom != NULL)
        reassembly_clear(&c->seldom->reassembly);
    seldom_tidy(c);
    connection_notify(c, TCP_READABLE | TCP_PEER_CLOSED);
    if (state == TCP_FIN_WAIT_2) { /* what it owes is sent without it */
        c->owed |= OWES_ACK;
        time_wait_enter(c, now_ns);
        return;
    }
    /* Who was told something mostly closes, too, and our own FIN takes the ACK
     * along: Linux waits likewise. With the window shut it may be a probe. */
    if (state == TCP_ESTABLISHED && c->bytes_received != 0 &&
        !seq_equal(c->rcv.edge, c->rcv.nxt) && tcp_settings.quick_start &&
        !c->options.quick_ack)
        timers_delay_ack(c, now_ns);
    else
        connection_touch(c, OWES_ACK);
    if (state == TCP_ESTABLISHED)
        connection_set_state(c, TCP_CLOSE_WAIT);
    else if (state == TCP_FIN_WAIT_1)
        connection_set_state(c, TCP_CLOSING);
}

/* Nobody reads any more. */
static bool is_unread(const struct tcp_connection *c)
{
    return c->read_shut && !tcp_settings.read_after_shut;
}

/* The next bytes in order. The packet's memory is taken. */
static void deliver(struct tcp_connection *c, struct packet *packet)
{
    c->rcv.nxt = seq_add(c->rcv.nxt, packet->length);
    c->bytes_received += packet->length;
    if (is_unread(c) || packet->length == 0) {
        receive_memory_give();
        packet_free(packet);
        return;
    }
    receive_queue_append(&c->receive, packet,
                         c->receive.count >= text_packet_limit(c) / 2);
}

/* The same for what had waited for them. */
static void deliver_list(struct tcp_connection *c, struct tcp_early_list *list)
{
    c->rcv.nxt = seq_add(c->rcv.nxt, list->length);
    c->bytes_received += list->length;
    if (is_unread(c) || list->length == 0) {
        receive_memory_leave(list->first, list->last);
        (void)receive_memory_reap();
        return;
    }
    receive_queue_splice(&c->receive, list,
                         c->receive.count >= text_packet_limit(c) / 2);
}

static void drain_reassembly(struct tcp_connection *c, uint64_t now_ns)
{
    struct tcp_early_list list;

    if (!reassembly_take(&c->seldom->reassembly, c->rcv.nxt, &list))
        return;
    deliver_list(c, &list);
    seldom_tidy(c);
    connection_notify(c, TCP_READABLE);
    if (list.has_fin)
        text_take_fin(c, now_ns);
}

static void receive_early(struct tcp_connection *c, struct packet *packet,
                          const struct tcp_segment *segment, uint64_t now_ns)
{
    bool is_next = seq_equal(segment->seq, c->rcv.nxt);
    const struct tcp_early early = {
        .seq = segment->seq,
        .length = segment->length,
        .has_fin = (segment->flags & TCP_FIN) != 0,
    };

    if (is_next)
        connection_touch(c, OWES_ACK);
    else
        owe_each(c, 1);
    struct tcp_seldom *seldom = seldom_get(c);
    if (seldom == NULL) {
        receive_memory_give();
        packet_drop(packet, DROP_TCP_MEMORY);
        return;
    }
    reassembly_insert(&seldom->reassembly, packet, early, is_next);
    if (is_next) {
        drain_reassembly(c, now_ns);
    } else {
        tcp_counters.out_of_order++;
        c->quick_acks = TCP_QUICK_ACKS_LOSS;
        c->is_peer_losing = true;
    }
}

/* A peer still sends, but nobody will ever read it (RFC 9293 3.6.1, RFC 1122
 * 4.2.2.13). */
static bool is_unwanted(const struct tcp_connection *c,
                        const struct tcp_segment *segment)
{
    return c->is_orphan && segment->length != 0;
}

void text_receive(struct tcp_connection *c, struct packet *packet,
                  struct tcp_segment *segment, uint64_t now_ns)
{
    bool has_fin = (segment->flags & TCP_FIN) != 0;

    if (segment->length == 0 && !has_fin) {
        packet_free(packet);
        return;
    }
    if (c->fin_received) {
        connection_touch(c, OWES_ACK);
        packet_drop(packet, DROP_TCP_AFTER_CLOSE);
        return;
    }
    if (is_unwanted(c, segment)) {
        /* With the number the peer expects, whatever it has got of ours. */
        tcp_counters.aborts_on_data++;
        reply_reset(&c->node.tuple, segment);
        connection_finish(c, 0);
        packet_drop(packet, DROP_TCP_AFTER_CLOSE);
        return;
    }
    if (segment->length != 0)
        c->text_at_ms = connection_ms(now_ns);
    if (segment->length > c->rcv.mss)
        c->rcv.mss = (uint16_t)segment->length;
    bool is_next = seq_equal(segment->seq, c->rcv.nxt);
    if (!take_memory(c, is_next)) {
        connection_touch(c, OWES_ACK);
        if (c->receive.length != 0) /* who waits for more waits in vain */
            connection_notify(c, TCP_READABLE);
        packet_drop(packet, DROP_TCP_MEMORY);
        return;
    }
    if (!is_next || connection_has_early(c)) {
        receive_early(c, packet, segment, now_ns);
        return;
    }
    deliver(c, packet);
    if (segment->length != 0) {
        text_owe_ack(c, 1,
                     (segment->flags & TCP_PSH) != 0 ? 0 : segment->length,
                     now_ns);
        connection_notify(c, TCP_READABLE);
    }
    if (has_fin)
        text_take_fin(c, now_ns);
}
