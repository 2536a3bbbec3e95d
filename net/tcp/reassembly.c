/* SPDX-License-Identifier: MIT */
/*
 * Segments that came before their turn, sorted, none overlapping. Their number
 * is bounded, so the walk for a place is too; it starts at the nearer end for
 * the two usual cases, in order and reversed.
 */
#include "net/tcp/queues.h"

#include "net/limits.h"
#include "net/platform.h"

_Static_assert(sizeof(struct tcp_early) <=
                   sizeof(((struct packet *)0)->scratch),
               "kept in the packet");

static struct tcp_early *early_of(const struct packet *packet)
{
    const void *scratch = packet->scratch;

    return (struct tcp_early *)scratch;
}

static struct seq32 early_end(const struct packet *packet)
{
    return seq_add(early_of(packet)->seq, early_of(packet)->length);
}

/* The last packet that begins at or before `seq`; NULL: none. */
static struct packet *find_before(const struct tcp_reassembly *reassembly,
                                  struct seq32 seq)
{
    struct packet *found = NULL;

    if (reassembly->last != NULL &&
        !seq_before(seq, early_of(reassembly->last)->seq))
        return reassembly->last;
    for (struct packet *at = reassembly->first;
         at != NULL && !seq_before(seq, early_of(at)->seq); at = at->next)
        found = at;
    return found;
}

static struct seq32 earlier(struct seq32 a, struct seq32 b)
{
    return seq_before(a, b) ? a : b;
}

static void drop_early(struct packet *packet, enum drop_reason reason)
{
    receive_memory_give();
    packet_drop(packet, reason);
}

static void link_after(struct tcp_reassembly *reassembly, struct packet *before,
                       struct packet *packet)
{
    struct packet **link = before == NULL ? &reassembly->first : &before->next;

    packet->next = *link;
    *link = packet;
    if (packet->next == NULL)
        reassembly->last = packet;
    early_of(packet)->arrived = ++reassembly->arrivals;
    reassembly->count++;
    reassembly->length += early_of(packet)->length;
}

void reassembly_note_duplicate(struct tcp_reassembly *reassembly,
                               struct seq32 left, struct seq32 right)
{
    reassembly->duplicate = (struct tcp_sack_block){left, right};
}

void reassembly_insert(struct tcp_reassembly *reassembly, struct packet *packet,
                       struct tcp_early early, uint32_t count_limit)
{
    struct packet *before = find_before(reassembly, early.seq);
    struct packet *after = before == NULL ? reassembly->first : before->next;

    if (before != NULL) {
        int32_t overlap = seq_diff(early_end(before), early.seq);
        if (early_of(before)->has_fin ||
            overlap >= (int32_t)early.length + early.has_fin) {
            early_of(before)->arrived = ++reassembly->arrivals;
            if (overlap > 0) /* nothing beyond a FIN is */
                reassembly_note_duplicate(
                    reassembly, early.seq,
                    earlier(seq_add(early.seq, early.length),
                            early_end(before)));
            drop_early(packet, DROP_TCP_DUPLICATE);
            return;
        }
        if (overlap > 0) {
            reassembly_note_duplicate(reassembly, early.seq, early_end(before));
            packet->data += overlap;
            packet->length -= (uint32_t)overlap;
            early.seq = seq_add(early.seq, (uint32_t)overlap);
            early.length -= (uint32_t)overlap;
        }
    }
    if (after != NULL) {
        int32_t space = seq_diff(early_of(after)->seq, early.seq);
        if (space <= 0) {
            reassembly_note_duplicate(
                reassembly, early_of(after)->seq,
                earlier(seq_add(early.seq, early.length), early_end(after)));
            drop_early(packet, DROP_TCP_DUPLICATE);
            return;
        }
        if ((uint32_t)space < early.length + early.has_fin) {
            reassembly_note_duplicate(
                reassembly, early_of(after)->seq,
                earlier(seq_add(early.seq, early.length), early_end(after)));
            /* What reaches beyond comes again, if the sender needs to. */
            early.has_fin = false;
            early.length =
                (uint32_t)space < early.length ? (uint32_t)space : early.length;
            packet_trim(packet, early.length);
        }
    }
    if (reassembly->count >= count_limit) {
        drop_early(packet, DROP_TCP_OUT_OF_ORDER_LIMIT);
        return;
    }
    *early_of(packet) = early;
    link_after(reassembly, before, packet);
}

struct packet *reassembly_take(struct tcp_reassembly *reassembly,
                               struct seq32 seq, struct tcp_early *early)
{
    struct packet *packet = reassembly->first;

    if (packet == NULL || seq_after(early_of(packet)->seq, seq))
        return NULL;
    *early = *early_of(packet);
    reassembly->first = packet->next;
    if (packet->next == NULL)
        reassembly->last = NULL;
    reassembly->count--;
    reassembly->length -= early->length;
    packet->next = NULL;
    ASSERT(seq_equal(early->seq, seq));
    return packet;
}

void reassembly_prune(struct tcp_reassembly *reassembly)
{
    struct packet *last = reassembly->last;
    struct packet *before = NULL;

    ASSERT(last != NULL);
    for (struct packet *at = reassembly->first; at != last; at = at->next)
        before = at;
    if (before == NULL)
        reassembly->first = NULL;
    else
        before->next = NULL;
    reassembly->last = before;
    reassembly->count--;
    reassembly->length -= early_of(last)->length;
    drop_early(last, DROP_TCP_MEMORY);
}

void reassembly_clear(struct tcp_reassembly *reassembly)
{
    while (reassembly->first != NULL) {
        struct packet *packet = reassembly->first;
        reassembly->first = packet->next;
        receive_memory_give();
        packet_free(packet);
    }
    *reassembly = (struct tcp_reassembly){.first = NULL};
}

static uint32_t later(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0 ? a : b;
}

uint8_t reassembly_blocks(const struct tcp_reassembly *reassembly,
                          struct tcp_sack_block blocks[TCP_SACK_BLOCKS])
{
    uint32_t arrived[TCP_SACK_BLOCKS];
    const struct packet *packet = reassembly->first;
    uint8_t count = 0;

    while (packet != NULL) {
        struct tcp_sack_block block = {early_of(packet)->seq,
                                       early_end(packet)};
        uint32_t latest = early_of(packet)->arrived;
        packet = packet->next;
        while (packet != NULL &&
               seq_equal(early_of(packet)->seq, block.right)) {
            latest = later(latest, early_of(packet)->arrived);
            block.right = early_end(packet);
            packet = packet->next;
        }
        uint8_t at = count;
        while (at > 0 && later(latest, arrived[at - 1]) == latest)
            at--;
        if (at == TCP_SACK_BLOCKS)
            continue;
        if (count < TCP_SACK_BLOCKS)
            count++;
        for (uint8_t i = (uint8_t)(count - 1); i > at; i--) {
            blocks[i] = blocks[i - 1];
            arrived[i] = arrived[i - 1];
        }
        blocks[at] = block;
        arrived[at] = latest;
    }
    return count;
}
