/* SPDX-License-Identifier: MIT */
/*
 * Header prediction (Jacobson 1990): the segment that continues a connection
 * in its ordinary state. What the checks of RFC 9293 3.10.7.4 would find is
 * known beforehand: ESTABLISHED, nothing but ACK and PSH set, next in order,
 * no option but the timestamp there always is; or a FIN, or the ACK of ours,
 * that brings nothing else. The window may change. Its acknowledgement counts
 * here when nothing in flight was lost, SACKed, probed for or sent again:
 * recovery_sack_ack() would then find no loss, either, and do just this.
 * Whatever differs is left, untouched, to the long way;
 * net.tcp_header_prediction=0 leaves everything to it, and the judge compares.
 */
#include "net/attributes.h"
#include "net/bounds.h"
#include "net/limits.h"
#include "net/tcp/internal.h"

#include <string.h>

enum {
    /* Every 16 MiB what is remembered of long ago is looked at. */
    EPOCH_SHIFT = 24,
};

/* What is read of the segment. */
struct arrival {
    struct seq32 ack;
    uint32_t window;
    uint32_t length;    /* of the text, a train's in all */
    uint32_t timestamp; /* if the connection has_timestamps */
    uint32_t count;     /* segments */
    uint32_t size;      /* of one, without PSH; else 0 */
};

static uint32_t word_at(const struct tcp_header *header, size_t number)
{
    struct be32 word;

    memcpy(&word, (const uint8_t *)(header + 1) + 4 * number, sizeof(word));
    return be32_get(word);
}

/* The options are as predicted, too: none, or timestamps that go on. */
static bool has_usual_options(const struct tcp_connection *c,
                              const struct tcp_header *header,
                              struct arrival *arrival)
{
    if (!c->has_timestamps)
        return header->data_offset >> 4 == TCP_HEADER_LENGTH / 4;
    if (header->data_offset >> 4 !=
            (TCP_HEADER_LENGTH + TCP_TIMESTAMP_SPACE) / 4 ||
        word_at(header, 0) != TCP_TIMESTAMP_WORD)
        return false;
    arrival->timestamp = word_at(header, 1);
    return (int32_t)(arrival->timestamp - c->ts_recent) >= 0;
}

/* The state is ESTABLISHED or a later one: who calls has looked. */
static bool is_next(const struct tcp_connection *c,
                    const struct tcp_header *header, uint8_t tos)
{
    struct seq32 seq = seq_from(be32_get(header->sequence));

    return (header->flags & ~(TCP_PSH | TCP_FIN)) == TCP_ACK &&
           seq_equal(seq, c->rcv.nxt) &&
           !seq_before(seq, c->snd.wl1) && /* which never goes back */
           c->seldom == NULL && (c->owed & (OWES_RESET | OWES_MEMORY)) == 0 &&
           (tos & ECN_MASK) != ECN_MASK;
}

/* Nothing is in the way of just this acknowledgement. */
static bool may_acknowledge(const struct tcp_connection *c, struct seq32 ack)
{
    const struct tcp_recovery *r = c->recovery;

    return seq_after(ack, c->snd.una) && !seq_after(ack, c->snd.max) &&
           seq_equal(c->snd.nxt, c->snd.max) && r != NULL && r->unusual == 0 &&
           (r->is_probe_timer || r->deadline_ns == 0) &&
           !c->congestion.is_recovering && !c->ecn_reduced;
}

static bool may_take_text(const struct tcp_connection *c,
                          const struct arrival *arrival)
{
    uint32_t count = c->receive.count + arrival->count;

    return !c->fin_received && arrival->length <= connection_window(c) &&
           (count <= TEXT_PACKETS_MIN || count <= text_packet_limit(c)) &&
           receive_memory_is_ample(arrival->count);
}

/* recovery_sack_ack() of one that is no more than that. */
static void recover_nothing(struct tcp_connection *c, uint32_t acked,
                            uint32_t sent_us, uint64_t now_ns)
{
    struct tcp_recovery *r = c->recovery;
    struct seq32 lowest = seq_subtract(c->snd.una, acked);
    uint32_t us = (uint32_t)(now_ns / NS_PER_US) - sent_us;

    c->rtt_timing = false;
    rack_note_rtt(r, us, now_ns);
    if (!r->has_highest || !seq_before(lowest, r->highest))
        r->highest = c->snd.una;
    else
        rack_note_reordering(r, lowest, c->snd.una);
    r->has_highest = true;
    r->has_rack = true;
    r->rack_rtt_us = us;
    r->rack_sent_us = sent_us;
    r->rack_end = c->snd.una;
    recovery_grow(c, acked, rtt_sample_us(&c->rtt, us), now_ns);
    c->retries = 0;
    c->progress_at_ms = connection_ms(now_ns);
    c->retransmit_at_ns = 0;
    r->deadline_ns = 0;
    r->is_probe_timer = true;
    if (seq_equal(c->snd.una, c->snd.max))
        return;
    timers_progress(c, now_ns);
    probe_schedule(c, now_ns);
    timers_update(c);
}

/* False: nothing is changed, there is more to it. */
static bool acknowledge_predicted(struct tcp_connection *c, struct seq32 ack,
                                  uint64_t now_ns)
{
    uint32_t acked = (uint32_t)seq_diff(ack, c->snd.una);
    uint32_t size = smaller(acked, c->snd.mss);
    bool is_new_epoch = (ack.value ^ c->snd.una.value) >> EPOCH_SHIFT != 0;
    uint32_t sent_us = c->recovery->rack_sent_us;

    if (!scoreboard_acknowledge_plain(&c->recovery->board, ack, &sent_us))
        return false;
    send_queue_acknowledge(&c->send, ack);
    c->bytes_acknowledged += acked;
    c->snd.una = ack;
    c->snd.small = seq_max(c->snd.small, ack);
    if (size > c->acked_size)
        c->acked_size = (uint16_t)size;
    c->mtu_pending = false;
    recover_nothing(c, acked, sent_us, now_ns);
    if (is_new_epoch)
        recovery_forget_old(c);
    if (!c->was_writable)
        connection_note_room(c);
    return true;
}

/* Small ones, and those of a queue that is crowded, are moved into the packet
 * before them. */
static COLD NOINLINE void take_packets(struct tcp_connection *c,
                                       struct packet *packet)
{
    uint32_t crowded = text_packet_limit(c) / 2;

    while (packet != NULL) {
        struct packet *next = packet->next;

        receive_queue_append(&c->receive, packet, c->receive.count >= crowded);
        packet = next;
    }
}

/* A train as a whole, or what is not the first: of a train the first is the
 * largest, and no other but the last is smaller. */
static NOINLINE void take_run(struct tcp_connection *c, struct packet *packet,
                              uint32_t length, uint32_t segments)
{
    struct packet *last = packet_train_last(packet);
    uint32_t count = c->receive.count + segments;

    packet->next = packet->train;
    packet->train = NULL;
    if ((c->receive.last != NULL || last != packet) &&
        (last->length <= TCP_COPY_LENGTH || count > text_packet_limit(c) / 2)) {
        take_packets(c, packet);
        return;
    }
    if (c->receive.last == NULL)
        c->receive.first = packet;
    else
        c->receive.last->next = packet;
    c->receive.last = last;
    c->receive.count = count;
    c->receive.length += length;
}

static void take_text(struct tcp_connection *c, struct packet *packet,
                      const struct arrival *arrival, uint64_t now_ns)
{
    bool was_due = c->ack_at_ns != 0;

    if (packet->length > c->rcv.mss)
        c->rcv.mss = (uint16_t)packet->length;
    receive_memory.used += arrival->count;
    if (c->receive.last == NULL && packet->train == NULL)
        receive_queue_link(&c->receive, packet);
    else
        take_run(c, packet, arrival->length, arrival->count);
    c->rcv.nxt = seq_add(c->rcv.nxt, arrival->length);
    c->bytes_received += arrival->length;
    c->text_in += arrival->count;
    c->text_at_ms = c->heard_at_ms;
    text_owe_ack(c, arrival->count, arrival->size, now_ns);
    if (!was_due && c->ack_at_ns != 0)
        timers_arm(c, c->ack_at_ns);
    connection_notify(c, TCP_READABLE);
}

/* What every acceptable segment tells, this one among them. */
static void note_arrival(struct tcp_connection *c,
                         const struct arrival *arrival, uint64_t now_ns)
{
    tcp_counters.header_predictions += arrival->count;
    c->segments_in += arrival->count;
    connection_heard(c, now_ns);
    if (c->has_timestamps && !seq_after(c->rcv.nxt, c->rcv.last_ack)) {
        c->ts_recent = arrival->timestamp;
        c->ts_recent_at = connection_age(now_ns);
    }
    c->snd.wnd = arrival->window; /* that it is no old segment is known */
    if (arrival->window > c->snd.max_wnd)
        c->snd.max_wnd = arrival->window;
    c->snd.wl1 = c->rcv.nxt;
    c->snd.wl2 = arrival->ack;
}

/* The peer's FIN, or its ACK of ours, and nothing else. */
static COLD NOINLINE bool may_close(const struct tcp_connection *c,
                                    const struct packet *packet,
                                    const struct arrival *arrival)
{
    const struct tcp_header *header = (const void *)packet->data;

    if (arrival->length != 0)
        return false;
    if ((header->flags & TCP_FIN) != 0)
        return (c->state == TCP_ESTABLISHED || c->state == TCP_FIN_WAIT_2) &&
               seq_equal(arrival->ack, c->snd.una) &&
               receive_memory_is_ample(1);
    return c->fin_queued && seq_equal(arrival->ack, c->snd.max) &&
           !seq_equal(arrival->ack, c->snd.una) &&
           seq_after(arrival->ack, send_queue_end(&c->send));
}

static COLD NOINLINE void take_closing(struct tcp_connection *c,
                                       struct packet *packet, struct seq32 ack,
                                       uint64_t now_ns)
{
    packet_free(packet);
    if (seq_equal(ack, c->snd.una))
        text_take_fin(c, now_ns);
    else
        (void)acknowledge_all(c, ack, now_ns);
    connection_note_progress(c, now_ns);
    timers_update(c);
}

void predict_receive(struct tcp_connection *c, struct packet *packet,
                     uint64_t now_ns)
{
    const struct ipv4_header *ip = packet_network_header(packet);
    const struct tcp_header *header = (const void *)packet->data;
    uint32_t header_length = (uint32_t)tcp_header_length(header);
    struct arrival arrival = {
        .ack = seq_from(be32_get(header->acknowledgement)),
        .window = (uint32_t)be16_get(header->window) << c->snd.scale,
        .length = packet->length - header_length + packet->train_length,
        .count = packet->train == NULL ? 1 : packet->segment_count,
    };
    bool is_advance = !seq_equal(arrival.ack, c->snd.una);
    bool is_change = arrival.window != c->snd.wnd;
    bool is_closing = false;

    if (!is_next(c, header, ip->tos) ||
        !has_usual_options(c, header, &arrival)) {
        receive_any(&c->node, packet, now_ns);
        return;
    }
    if ((c->unusual | (header->flags & TCP_FIN)) != 0 ||
        (arrival.length == 0 ? !is_advance && !is_change
                             : !may_take_text(c, &arrival)) ||
        (is_advance && (!may_acknowledge(c, arrival.ack) ||
                        !acknowledge_predicted(c, arrival.ack, now_ns)))) {
        is_closing = may_close(c, packet, &arrival);
        if (!is_closing) {
            receive_any(&c->node, packet, now_ns);
            return;
        }
    }
    note_arrival(c, &arrival, now_ns);
    if (is_closing) {
        take_closing(c, packet, arrival.ack, now_ns);
        return;
    }
    if (is_advance || is_change) {
        connection_touch_unsent(c);
        if (autotune_is_low(c))
            acknowledge_notify(c);
    }
    if (arrival.length == 0) {
        packet_free(packet);
    } else {
        packet->data += header_length;
        packet->length -= header_length;
        if ((header->flags & TCP_PSH) == 0)
            arrival.size = packet->length;
        take_text(c, packet, &arrival, now_ns);
    }
    connection_note_progress(c, now_ns);
}
