/* SPDX-License-Identifier: MIT */
/*
 * Frames on their way through the relay, ordered by the time they are due.
 * Frames due at the same time leave in the order they came.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* 8192 full frames are 100 ms of a gigabit: no test needs more. */
    WIRE_QUEUE_FRAMES = 8192,
    WIRE_FRAME_MAX = 65536,
};

struct wire_frame {
    uint64_t due_ns;
    uint64_t order;
    size_t length;
    uint8_t bytes[];
};

struct wire_queue {
    struct wire_frame *heap[WIRE_QUEUE_FRAMES];
    size_t count;
    uint64_t next_order;
};

/* Copies the bytes. False when the queue is full. */
bool wire_queue_put(struct wire_queue *queue, uint64_t due_ns,
                    const uint8_t *bytes, size_t length);
/* The frame due first, still owned by the queue; NULL when empty. */
const struct wire_frame *wire_queue_first(const struct wire_queue *queue);
/* Takes the first frame out; the caller frees it. */
struct wire_frame *wire_queue_take(struct wire_queue *queue);
size_t wire_queue_room(const struct wire_queue *queue);
