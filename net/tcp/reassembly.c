/* SPDX-License-Identifier: MIT */
/*
 * Segments that came before their turn: ranges of the sequence space, none
 * touching another, each with the packets that hold it. How many ranges there
 * may be is what bounds every walk: a range that has become the next is handed
 * over as the list it is, and what is thrown away is freed little by little.
 * Small segments that follow each other share a packet.
 */
#include "net/tcp/queues.h"

#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/turn.h"

#include <string.h>

_Static_assert(sizeof(struct tcp_early_range) <=
                   sizeof(((struct packet *)0)->scratch),
               "kept in the packet");

static struct tcp_early_range *range_of(const struct packet *first)
{
    const void *scratch = first->scratch;

    return (struct tcp_early_range *)scratch;
}

static struct packet **before_of(struct packet *packet)
{
    void *scratch = packet->scratch;

    return scratch;
}

/* --- lists of ranges ------------------------------------------------------ */

static void link_recent(struct tcp_reassembly *reassembly, struct packet *first)
{
    struct tcp_early_range *range = range_of(first);

    range->newer = NULL;
    range->older = reassembly->recent;
    if (range->older != NULL)
        range_of(range->older)->newer = first;
    reassembly->recent = first;
}

static void unlink_recent(struct tcp_reassembly *reassembly,
                          const struct tcp_early_range *range)
{
    if (range->newer != NULL)
        range_of(range->newer)->older = range->older;
    else
        reassembly->recent = range->older;
    if (range->older != NULL)
        range_of(range->older)->newer = range->newer;
}

static void touch(struct tcp_reassembly *reassembly, struct packet *first)
{
    unlink_recent(reassembly, range_of(first));
    link_recent(reassembly, first);
}

static void unlink_range(struct tcp_reassembly *reassembly,
                         const struct tcp_early_range *range)
{
    unlink_recent(reassembly, range);
    if (range->before != NULL)
        range_of(range->before)->next = range->next;
    else
        reassembly->first = range->next;
    if (range->next != NULL)
        range_of(range->next)->before = range->before;
    else
        reassembly->last = range->before;
    reassembly->ranges--;
}

/* The packet is a range of its own, behind `before`. */
static void link_after(struct tcp_reassembly *reassembly, struct packet *before,
                       struct packet *packet, const struct tcp_early *early)
{
    struct tcp_early_range *range = range_of(packet);

    *range = (struct tcp_early_range){
        .next = before != NULL ? range_of(before)->next : reassembly->first,
        .before = before,
        .last = packet,
        .seq = early->seq,
        .end = seq_add(early->seq, early->length),
        .count = 1,
        .has_fin = early->has_fin,
    };
    if (before != NULL)
        range_of(before)->next = packet;
    else
        reassembly->first = packet;
    if (range->next != NULL)
        range_of(range->next)->before = packet;
    else
        reassembly->last = packet;
    packet->next = NULL;
    link_recent(reassembly, packet);
    reassembly->ranges++;
    reassembly->count++;
    reassembly->length += early->length;
}

/* --- packets of a range --------------------------------------------------- */

/* Moved into the last of the range where it is small, or they are many; else
 * behind it. */
static void append(struct tcp_reassembly *reassembly,
                   struct tcp_early_range *range, struct packet *packet)
{
    struct packet *last = range->last;

    if ((packet->length <= TCP_COPY_LENGTH ||
         reassembly->count >= TCP_REASSEMBLY_PACKETS / 4) &&
        packet_tailroom(last) >= packet->length) {
        memcpy(packet_append(last, packet->length), packet->data,
               packet->length);
        reassembly->count--;
        receive_memory_give();
        packet_free(packet);
        return;
    }
    packet->next = NULL;
    last->next = packet;
    *before_of(packet) = last;
    range->last = packet;
    range->count++;
}

/* With the range behind it, which it meets. */
static void join(struct tcp_reassembly *reassembly, struct packet *first)
{
    struct tcp_early_range *range = range_of(first);
    struct packet *other = range->next;
    const struct tcp_early_range joined = *range_of(other);
    struct packet *rest = other->next;

    ASSERT(seq_equal(joined.seq, range->end));
    unlink_range(reassembly, &joined);
    append(reassembly, range, other);
    range->end = joined.end;
    range->has_fin = joined.has_fin;
    if (rest != NULL) {
        range->last->next = rest;
        *before_of(rest) = range->last;
        range->last = joined.last;
        range->count += joined.count - 1;
    }
}

/* --- what comes ----------------------------------------------------------- */

/* The last range that begins at or before `seq`; NULL: none. Mostly it is one
 * of the two that are looked at first. */
static struct packet *find_before(const struct tcp_reassembly *reassembly,
                                  struct seq32 seq)
{
    struct packet *at = reassembly->last;
    struct packet *recent = reassembly->recent;
    uint32_t passed = 0;

    if (at == NULL || !seq_before(seq, range_of(at)->seq))
        return at;
    at = recent;
    for (; at != NULL && seq_before(seq, range_of(at)->seq); passed++)
        at = range_of(at)->before;
    if (at == recent) /* the last one is behind it: see above */
        for (; !seq_before(seq, range_of(range_of(at)->next)->seq); passed++)
            at = range_of(at)->next;
    turn_spend_search(passed);
    return at;
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

void reassembly_note_duplicate(struct tcp_reassembly *reassembly,
                               struct seq32 left, struct seq32 right)
{
    struct tcp_sack_block *last = &reassembly->duplicate;
    bool meets = seq_before(last->left, last->right) &&
                 !seq_after(last->left, right) && !seq_after(left, last->right);

    if (meets && seq_before(last->left, left))
        left = last->left;
    if (meets && seq_after(last->right, right))
        right = last->right;
    *last = (struct tcp_sack_block){left, right};
}

/* Cuts off what the range before it has. False: that is all of it. */
static bool trim_front(struct tcp_reassembly *reassembly, struct packet *before,
                       struct packet *packet, struct tcp_early *early)
{
    const struct tcp_early_range *range = range_of(before);
    int32_t overlap = seq_diff(range->end, early->seq);

    if (range->has_fin || overlap >= (int32_t)early->length + early->has_fin) {
        touch(reassembly, before);
        if (overlap > 0) /* nothing beyond a FIN is */
            reassembly_note_duplicate(
                reassembly, early->seq,
                earlier(seq_add(early->seq, early->length), range->end));
        return false;
    }
    if (overlap > 0) {
        reassembly_note_duplicate(reassembly, early->seq, range->end);
        packet->data += overlap;
        packet->length -= (uint32_t)overlap;
        early->seq = range->end;
        early->length -= (uint32_t)overlap;
    }
    return true;
}

/* Cuts off what the range after it has, and what lies beyond: that comes
 * again, if the sender needs to. */
static void trim_back(struct tcp_reassembly *reassembly,
                      const struct tcp_early_range *after,
                      struct packet *packet, struct tcp_early *early)
{
    uint32_t space = (uint32_t)seq_diff(after->seq, early->seq);

    if (space >= early->length + early->has_fin)
        return;
    reassembly_note_duplicate(
        reassembly, after->seq,
        earlier(seq_add(early->seq, early->length), after->end));
    early->has_fin = false;
    early->length = smaller(space, early->length);
    packet_trim(packet, early->length);
}

void reassembly_insert(struct tcp_reassembly *reassembly, struct packet *packet,
                       struct tcp_early early, bool is_next)
{
    struct packet *before = find_before(reassembly, early.seq);
    struct packet *after =
        before == NULL ? reassembly->first : range_of(before)->next;

    if (before != NULL && !trim_front(reassembly, before, packet, &early)) {
        drop_early(packet, DROP_TCP_DUPLICATE);
        return;
    }
    if (after != NULL)
        trim_back(reassembly, range_of(after), packet, &early);
    bool meets_before =
        before != NULL && seq_equal(range_of(before)->end, early.seq);
    bool meets_after =
        after != NULL &&
        seq_equal(range_of(after)->seq, seq_add(early.seq, early.length));
    if (!is_next && (reassembly->count >= TCP_REASSEMBLY_PACKETS ||
                     (!meets_before && !meets_after &&
                      reassembly->ranges >= TCP_REASSEMBLY_RANGES))) {
        drop_early(packet, DROP_TCP_OUT_OF_ORDER_LIMIT);
        return;
    }
    link_after(reassembly, before, packet, &early);
    if (meets_after)
        join(reassembly, packet);
    if (meets_before) {
        join(reassembly, before);
        touch(reassembly, before);
    }
}

/* --- what goes ------------------------------------------------------------ */

bool reassembly_take(struct tcp_reassembly *reassembly, struct seq32 seq,
                     struct tcp_early_list *list)
{
    struct packet *first = reassembly->first;

    if (first == NULL || seq_after(range_of(first)->seq, seq))
        return false;
    const struct tcp_early_range *range = range_of(first);
    *list = (struct tcp_early_list){
        .first = first,
        .last = range->last,
        .length = (uint32_t)seq_diff(range->end, range->seq),
        .count = range->count,
        .has_fin = range->has_fin,
    };
    ASSERT(seq_equal(range->seq, seq));
    unlink_range(reassembly, range);
    reassembly->count = (uint16_t)(reassembly->count - list->count);
    reassembly->length -= list->length;
    return true;
}

void reassembly_prune(struct tcp_reassembly *reassembly)
{
    ASSERT(reassembly->last != NULL);
    struct tcp_early_range *range = range_of(reassembly->last);
    struct packet *last = range->last;

    reassembly->count--;
    reassembly->length -= last->length;
    if (range->count == 1) {
        unlink_range(reassembly, range);
    } else {
        range->has_fin = false;
        range->end = seq_subtract(range->end, last->length);
        range->last = *before_of(last);
        range->last->next = NULL;
        range->count--;
    }
    turn_spend(2);
    drop_early(last, DROP_TCP_MEMORY);
}

void reassembly_clear(struct tcp_reassembly *reassembly)
{
    while (reassembly->first != NULL) {
        struct packet *first = reassembly->first;
        struct packet *last = range_of(first)->last;
        reassembly->first = range_of(first)->next;
        receive_memory_leave(first, last);
    }
    *reassembly = (struct tcp_reassembly){.first = NULL};
    (void)receive_memory_reap();
}

uint8_t reassembly_blocks(const struct tcp_reassembly *reassembly,
                          struct tcp_sack_block blocks[TCP_SACK_BLOCKS])
{
    uint8_t count = 0;

    for (const struct packet *at = reassembly->recent;
         at != NULL && count < TCP_SACK_BLOCKS; at = range_of(at)->older)
        blocks[count++] =
            (struct tcp_sack_block){range_of(at)->seq, range_of(at)->end};
    return count;
}
