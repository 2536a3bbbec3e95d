/* SPDX-License-Identifier: MIT */
/*
 * Bytes received in order, in the packets they came in, until the app copies
 * them out. A small payload is moved into the packet before it where it fits:
 * a peer that sends single bytes then costs bytes, not packets.
 */
#include "net/tcp/queues.h"

#include <string.h>

#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"
#include "net/tcp/tcp.h"

/* Packets of a list that are looked at for being moved; freed in one go. */
enum { MOVED_MAX = 4, REAPED_MAX = 32 };

struct receive_memory receive_memory;

void receive_memory_init(void)
{
    size_t limit = packet_count_total() / TCP_MEMORY_DIVISOR;

    receive_memory.left = NULL;
    receive_memory.limit = limit;
    receive_memory.short_from = limit - limit / 4;
    receive_memory.ample_to = limit - limit / 8;
}

bool receive_memory_take(enum receive_need need)
{
    size_t limit = receive_memory.limit;

    /* In steps, so that segments waiting for a gap to be filled never keep
     * out what fills it, nor a busy connection a quiet one. */
    if (need == RECEIVE_EARLY)
        limit -= limit / 2;
    else if (need == RECEIVE_IN_ORDER)
        limit = receive_memory.ample_to;
    if (receive_memory.used >= limit)
        return false;
    receive_memory.used++;
    return true;
}

void receive_memory_leave(struct packet *first, struct packet *last)
{
    last->next = receive_memory.left;
    receive_memory.left = first;
    tcp_is_owed = true;
}

bool receive_memory_reap(void)
{
    for (size_t i = 0; i < REAPED_MAX && receive_memory.left != NULL; i++) {
        struct packet *packet = receive_memory.left;
        receive_memory.left = packet->next;
        receive_memory_give();
        packet_free(packet);
    }
    return receive_memory.left != NULL;
}

size_t receive_packets_left(void)
{
    size_t count = 0;

    for (const struct packet *at = receive_memory.left; at != NULL;
         at = at->next)
        count++;
    return count;
}

size_t receive_packets_used(void)
{
    return receive_memory.used;
}

size_t receive_packets_limit(void)
{
    return receive_memory.limit;
}

void receive_queue_append(struct tcp_receive_queue *queue,
                          struct packet *packet, bool is_crowded)
{
    struct packet *last = queue->last;

    if (last != NULL && (is_crowded || packet->length <= TCP_COPY_LENGTH) &&
        packet_tailroom(last) >= packet->length) {
        memcpy(packet_append(last, packet->length), packet->data,
               packet->length);
        queue->length += packet->length;
        receive_memory_give();
        packet_free(packet);
        return;
    }
    receive_queue_link(queue, packet);
}

void receive_queue_splice(struct tcp_receive_queue *queue,
                          struct tcp_early_list *list, bool is_crowded)
{
    for (size_t i = 0; i < MOVED_MAX && list->count != 0; i++) {
        struct packet *packet = list->first;
        list->first = packet->next;
        list->length -= packet->length;
        list->count--;
        receive_queue_append(queue, packet, is_crowded);
    }
    if (list->count == 0)
        return;
    queue->last->next = list->first;
    queue->last = list->last;
    queue->length += list->length;
    queue->count += list->count;
}

void receive_queue_peek(const struct tcp_receive_queue *queue, uint32_t skip,
                        uint8_t *bytes, uint32_t length)
{
    const struct packet *packet = queue->first;

    ASSERT(skip + length <= queue->length);
    for (; bytes != NULL && length != 0; packet = packet->next) {
        if (skip >= packet->length) {
            skip -= packet->length;
            continue;
        }
        uint32_t part = packet->length - skip;
        part = smaller(length, part);
        memcpy(bytes, packet->data + skip, part);
        bytes += part;
        length -= part;
        skip = 0;
    }
}

static inline void queue_free_first(struct tcp_receive_queue *queue)
{
    struct packet *packet = queue->first;

    queue->first = packet->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    receive_memory_give();
    packet_free(packet);
}

/* All of the first packets that `length` has, of which there is more than one.
 * Returns how many bytes these are. */
static NOINLINE uint32_t read_run(struct tcp_receive_queue *queue,
                                  uint8_t *bytes, uint32_t length)
{
    struct packet *packet = queue->first;
    uint32_t count = 0;
    uint32_t done = 0;

    while (packet != NULL && packet->length <= length - done) {
        if (bytes != NULL)
            memcpy(bytes + done, packet->data, packet->length);
        done += packet->length;
        packet = packet->next;
        count++;
    }
    packet_free_run(queue->first, count);
    queue->first = packet;
    if (packet == NULL)
        queue->last = NULL;
    queue->count -= count;
    receive_memory.used -= count;
    return done;
}

void receive_queue_read(struct tcp_receive_queue *queue, uint8_t *bytes,
                        uint32_t length)
{
    ASSERT(length <= queue->length);
    queue->length -= length;
    if (length > queue->first->length) {
        uint32_t done = read_run(queue, bytes, length);
        length -= done;
        if (length == 0)
            return;
        if (bytes != NULL)
            bytes += done;
    }
    struct packet *packet = queue->first;
    if (bytes != NULL)
        memcpy(bytes, packet->data, length);
    packet->data += length;
    packet->length -= length;
    if (packet->length == 0)
        queue_free_first(queue);
}

void receive_queue_clear(struct tcp_receive_queue *queue)
{
    if (queue->first != NULL)
        receive_memory_leave(queue->first, queue->last);
    *queue = (struct tcp_receive_queue){.first = NULL};
    (void)receive_memory_reap();
}
