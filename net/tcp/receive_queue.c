/* SPDX-License-Identifier: MIT */
/*
 * Bytes received in order, in the packets they came in, until the app copies
 * them out. A small payload is moved into the packet before it where it fits:
 * a peer that sends single bytes then costs bytes, not packets.
 */
#include "net/tcp/queues.h"

#include <string.h>

#include "net/limits.h"
#include "net/platform.h"

/* Packets of a list that are looked at for being moved; freed in one go. */
enum { MOVED_MAX = 4, REAPED_MAX = 32 };

static struct {
    size_t used;
    size_t limit;
    struct packet *left; /* to be freed; `used` counts them still */
} memory;

void receive_memory_init(void)
{
    memory.left = NULL;
    memory.limit = packet_count_total() / TCP_MEMORY_DIVISOR;
}

bool receive_memory_take(enum receive_need need)
{
    size_t limit = memory.limit;

    /* In steps, so that segments waiting for a gap to be filled never keep
     * out what fills it, nor a busy connection a quiet one. */
    if (need == RECEIVE_EARLY)
        limit -= limit / 2;
    else if (need == RECEIVE_IN_ORDER)
        limit -= limit / 8;
    if (memory.used >= limit)
        return false;
    memory.used++;
    return true;
}

void receive_memory_give(void)
{
    ASSERT(memory.used > 0);
    memory.used--;
}

void receive_memory_leave(struct packet *first, struct packet *last)
{
    last->next = memory.left;
    memory.left = first;
}

bool receive_memory_reap(void)
{
    for (size_t i = 0; i < REAPED_MAX && memory.left != NULL; i++) {
        struct packet *packet = memory.left;
        memory.left = packet->next;
        receive_memory_give();
        packet_free(packet);
    }
    return memory.left != NULL;
}

size_t receive_packets_left(void)
{
    size_t count = 0;

    for (const struct packet *at = memory.left; at != NULL; at = at->next)
        count++;
    return count;
}

bool receive_memory_is_short(void)
{
    return memory.used >= memory.limit - memory.limit / 4;
}

size_t receive_packets_used(void)
{
    return memory.used;
}

size_t receive_packets_limit(void)
{
    return memory.limit;
}

void receive_queue_append(struct tcp_receive_queue *queue,
                          struct packet *packet, bool is_crowded)
{
    struct packet *last = queue->last;

    queue->length += packet->length;
    if (last != NULL && (is_crowded || packet->length <= TCP_COPY_LENGTH) &&
        packet_tailroom(last) >= packet->length) {
        memcpy(packet_append(last, packet->length), packet->data,
               packet->length);
        receive_memory_give();
        packet_free(packet);
        return;
    }
    packet->next = NULL;
    if (last == NULL)
        queue->first = packet;
    else
        last->next = packet;
    queue->last = packet;
    queue->count++;
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

static void queue_free_first(struct tcp_receive_queue *queue)
{
    struct packet *packet = queue->first;

    queue->first = packet->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->count--;
    receive_memory_give();
    packet_free(packet);
}

void receive_queue_read(struct tcp_receive_queue *queue, uint8_t *bytes,
                        uint32_t length, bool is_peek)
{
    struct packet *packet = queue->first;
    uint32_t done = 0;

    ASSERT(length <= queue->length);
    while (done < length) {
        struct packet *next = packet->next;
        uint32_t part = length - done;
        part = part < packet->length ? part : packet->length;
        if (bytes != NULL)
            memcpy(bytes + done, packet->data, part);
        done += part;
        if (!is_peek && part == packet->length) {
            queue_free_first(queue);
        } else if (!is_peek) {
            packet->data += part;
            packet->length -= part;
        }
        packet = next;
    }
    if (!is_peek)
        queue->length -= length;
}

void receive_queue_clear(struct tcp_receive_queue *queue)
{
    if (queue->first != NULL)
        receive_memory_leave(queue->first, queue->last);
    *queue = (struct tcp_receive_queue){.first = NULL};
    (void)receive_memory_reap();
}
