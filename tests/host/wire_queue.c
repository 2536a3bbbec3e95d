/* SPDX-License-Identifier: MIT */
/* A binary heap: the earliest frame is at index 0, children at 2n+1, 2n+2. */
#include "tests/host/wire_queue.h"

#include <stdlib.h>
#include <string.h>

static bool is_before(const struct wire_frame *a, const struct wire_frame *b)
{
    if (a->due_ns != b->due_ns) {
        return a->due_ns < b->due_ns;
    }
    return a->order < b->order;
}

static void swap(struct wire_queue *queue, size_t a, size_t b)
{
    struct wire_frame *frame = queue->heap[a];
    queue->heap[a] = queue->heap[b];
    queue->heap[b] = frame;
}

bool wire_queue_put(struct wire_queue *queue, uint64_t due_ns,
                    const uint8_t *bytes, size_t length)
{
    if (queue->count == WIRE_QUEUE_FRAMES) {
        return false;
    }
    struct wire_frame *frame = malloc(sizeof(*frame) + length);
    if (frame == NULL) {
        return false;
    }
    frame->due_ns = due_ns;
    frame->order = queue->next_order++;
    frame->length = length;
    memcpy(frame->bytes, bytes, length);

    size_t at = queue->count++;
    queue->heap[at] = frame;
    while (at > 0 && is_before(queue->heap[at], queue->heap[(at - 1) / 2])) {
        swap(queue, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
    return true;
}

const struct wire_frame *wire_queue_first(const struct wire_queue *queue)
{
    return queue->count == 0 ? NULL : queue->heap[0];
}

struct wire_frame *wire_queue_take(struct wire_queue *queue)
{
    if (queue->count == 0) {
        return NULL;
    }
    struct wire_frame *first = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->count];

    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < queue->count &&
                is_before(queue->heap[child], queue->heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return first;
        }
        swap(queue, at, least);
        at = least;
    }
}

size_t wire_queue_room(const struct wire_queue *queue)
{
    return WIRE_QUEUE_FRAMES - queue->count;
}
