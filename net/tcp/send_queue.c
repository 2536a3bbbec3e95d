/* SPDX-License-Identifier: MIT */
/*
 * Bytes to send: a list of chunks, each either a buffer of the pool, filled
 * from the front and never changed where it is filled, or memory that stays
 * (a file of the module), or an app's that was lent (net/loan.h). Segments
 * point into chunks; a buffer or a loan lasts until the last packet that points
 * into it is gone.
 */
#include "net/tcp/queues.h"

#include <string.h>

#include "net/attributes.h"
#include "net/buffer.h"
#include "net/bounds.h"
#include "net/limits.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/tcp/tcp.h"
#include "net/tcp/turn.h"

enum {
    REAPED_MAX = 24, /* chunks freed in one go */
    PASSED_MAX = TCP_SEARCH_BYTES / BUFFER_SIZE,
};

struct send_memory send_memory;

COLD int send_queues_init(size_t connections)
{
    send_memory.buffers_limit = buffer_count_total() / TCP_MEMORY_DIVISOR;
    send_memory.left = NULL;
    size_t count = send_memory.buffers_limit + 2 * connections;
    return pool_init(&send_memory.chunks, count, sizeof(struct send_chunk),
                     _Alignof(struct send_chunk));
}

void send_queue_init(struct tcp_send_queue *queue, struct seq32 start)
{
    *queue = (struct tcp_send_queue){.start = start, .head_seq = start};
}

bool send_memory_is_short(void)
{
    return send_memory.buffers_used >= send_memory.buffers_limit ||
           send_memory.chunks.available == 0 || buffer_count_free() == 0;
}

size_t send_buffers_used(void)
{
    return send_memory.buffers_used;
}

size_t send_buffers_limit(void)
{
    return send_memory.buffers_limit;
}

static inline void chunk_free(struct send_chunk *chunk)
{
    if (chunk->buffers != 0) {
        buffer_release(chunk->data);
        send_memory.buffers_used -= chunk->buffers;
    } else if (chunk->loan != LOAN_NONE) {
        loan_release(chunk->loan);
    }
    pool_give(&send_memory.chunks, chunk);
}

COLD bool send_queues_reap(void)
{
    for (size_t i = 0; i < REAPED_MAX && send_memory.left != NULL; i++) {
        struct send_chunk *chunk = send_memory.left;
        send_memory.left = chunk->next;
        chunk_free(chunk);
    }
    return send_memory.left != NULL;
}

COLD size_t send_buffers_left(void)
{
    size_t count = 0;

    for (const struct send_chunk *at = send_memory.left; at != NULL;
         at = at->next)
        count += at->buffers;
    return count;
}

static inline void queue_append(struct tcp_send_queue *queue,
                                struct send_chunk *chunk)
{
    struct send_chunk *tail = queue->tail;

    chunk->next = NULL;
    chunk->before = tail;
    queue->tail = chunk;
    if (tail == NULL) {
        queue->head = chunk;
        queue->head_seq = queue->start;
    } else {
        tail->next = chunk;
    }
}

static inline void append(struct tcp_send_queue *queue,
                          struct send_chunk *chunk, uint8_t *buffer,
                          uint8_t buffers)
{
    send_memory.buffers_used += buffers;
    chunk->data = buffer;
    chunk->length = 0;
    chunk->room = (uint16_t)(buffers * BUFFER_SIZE);
    chunk->buffers = buffers & 0x7fU;
    chunk->is_record = false;
    chunk->loan = LOAN_NONE;
    queue_append(queue, chunk);
}

/* A chunk with a buffer of its own behind the others; NULL: no memory. */
static inline struct send_chunk *append_buffer(struct tcp_send_queue *queue)
{
    if (send_memory.buffers_used >= send_memory.buffers_limit)
        return NULL;
    struct send_chunk *chunk = pool_take_inline(&send_memory.chunks);
    if (chunk == NULL)
        return NULL;
    uint8_t *buffer = buffer_alloc();
    if (buffer == NULL) {
        pool_give(&send_memory.chunks, chunk);
        return NULL;
    }
    append(queue, chunk, buffer, 1);
    return chunk;
}

/* The same with a large one, while half of the memory is left. */
static COLD NOINLINE bool append_large(struct tcp_send_queue *queue)
{
    if (send_memory.buffers_used + BUFFERS_OF_LARGE >
            send_memory.buffers_limit / 2 ||
        send_memory.chunks.available == 0)
        return false;
    uint8_t *buffer = buffer_alloc_large();
    if (buffer == NULL)
        return false;
    append(queue, pool_take(&send_memory.chunks), buffer, BUFFERS_OF_LARGE);
    return true;
}

uint32_t send_queue_write(struct tcp_send_queue *queue, const uint8_t *bytes,
                          uint32_t length)
{
    uint32_t left = length;

    while (left != 0) {
        struct send_chunk *chunk = queue->tail;
        if (chunk == NULL || chunk->room == 0) {
            /* Half of its memory is text then, at least. */
            if (queue->length + length >= BUFFER_LARGE_SIZE &&
                append_large(queue))
                continue;
            chunk = append_buffer(queue);
            if (chunk == NULL)
                break;
        }
        uint32_t part = smaller(left, chunk->room);
        uint8_t *to = chunk->data + chunk->length;
        chunk->length += part;
        chunk->room = (uint16_t)(chunk->room - part);
        memcpy(to, bytes, part);
        bytes += part;
        left -= part;
    }
    queue->length += length - left;
    return length - left;
}

COLD void send_queue_end_record(struct tcp_send_queue *queue)
{
    if (queue->tail != NULL && queue->tail->buffers != 0) {
        queue->tail->is_record = true;
        queue->tail->room = 0;
    }
}

COLD bool send_queue_has_record(const struct tcp_send_queue *queue,
                                struct seq32 end)
{
    const struct send_chunk *chunk = queue->cursor;

    return chunk != NULL && chunk->is_record &&
           seq_equal(seq_add(queue->cursor_seq, chunk->length), end);
}

uint32_t send_queue_write_static(struct tcp_send_queue *queue,
                                 const uint8_t *bytes, uint32_t length,
                                 uint8_t loan)
{
    struct send_chunk *tail = queue->tail;

    if (tail != NULL && tail->buffers == 0 && tail->loan == loan &&
        tail->data + tail->length == bytes) {
        tail->length += length;
    } else if (send_memory.chunks.available > 0) {
        struct send_chunk *chunk = pool_take_inline(&send_memory.chunks);
        /* Never written to: there is no room behind it. */
        *chunk = (struct send_chunk){.data = (uint8_t *)(uintptr_t)bytes,
                                     .length = length,
                                     .loan = loan};
        if (loan != LOAN_NONE)
            loan_hold(loan);
        queue_append(queue, chunk);
    } else {
        return 0;
    }
    queue->length += length;
    return length;
}

void send_queue_acknowledge(struct tcp_send_queue *queue, struct seq32 start)
{
    uint32_t acknowledged = (uint32_t)seq_diff(start, queue->start);
    struct send_chunk *head = queue->head;

    ASSERT(acknowledged <= queue->length);
    queue->start = start;
    queue->length -= acknowledged;
    if (queue->length == 0 && head != NULL && head == queue->tail) {
        queue->head = NULL;
        queue->tail = NULL;
        queue->cursor = NULL;
        chunk_free(head);
    } else if (send_queue_is_behind(queue)) {
        (void)send_queue_trim(queue);
    }
}

bool send_queue_trim(struct tcp_send_queue *queue)
{
    for (size_t i = 0; queue->head != NULL; i++) {
        struct send_chunk *chunk = queue->head;
        struct seq32 end = seq_add(queue->head_seq, chunk->length);
        if (seq_after(end, queue->start))
            return false;
        if (i == REAPED_MAX) {
            turn_spend(REAPED_MAX / 2);
            return true;
        }
        if (queue->cursor == chunk)
            queue->cursor = NULL;
        queue->head = chunk->next;
        queue->head_seq = end;
        chunk_free(chunk);
        if (queue->head != NULL)
            queue->head->before = NULL;
    }
    queue->tail = NULL;
    return false;
}

/* The place to begin looking for `seq`: of head, tail and cursor the one that
 * is nearest. */
static void choose_cursor(struct tcp_send_queue *queue, struct seq32 seq)
{
    struct seq32 tail_seq =
        seq_subtract(send_queue_end(queue), queue->tail->length);
    int32_t from_head = seq_diff(seq, queue->head_seq);
    int32_t from_tail = seq_diff(tail_seq, seq);
    int32_t distance = INT32_MAX;

    if (queue->cursor != NULL)
        distance = seq_diff(seq, queue->cursor_seq);
    if (distance < 0)
        distance = -distance;
    if (from_head < distance && from_head <= from_tail) {
        queue->cursor = queue->head;
        queue->cursor_seq = queue->head_seq;
    } else if (from_tail < distance) {
        queue->cursor = queue->tail;
        queue->cursor_seq = tail_seq;
    }
}

/* The chunk that holds `seq`, which is in the queue; the search begins where
 * the last one ended, which is nearly always the place. */
static struct send_chunk *queue_seek(struct tcp_send_queue *queue,
                                     struct seq32 seq)
{
    if (queue->cursor == NULL || seq_before(seq, queue->cursor_seq) ||
        seq_diff(seq, queue->cursor_seq) > BUFFER_SIZE)
        choose_cursor(queue, seq);
    struct send_chunk *chunk = queue->cursor;
    int32_t ahead = seq_diff(seq, queue->cursor_seq);
    while (ahead < 0) {
        chunk = chunk->before;
        ahead += (int32_t)chunk->length;
    }
    while (ahead >= (int32_t)chunk->length) {
        ahead -= (int32_t)chunk->length;
        chunk = chunk->next;
    }
    queue->cursor = chunk;
    queue->cursor_seq = seq_subtract(seq, (uint32_t)ahead);
    return queue->cursor;
}

COLD bool send_queue_search(struct tcp_send_queue *queue, struct seq32 seq)
{
    uint32_t passed = 0;

    if (!seq_before(seq, send_queue_end(queue)))
        return true;
    choose_cursor(queue, seq);
    for (; passed < PASSED_MAX; passed++) {
        const struct send_chunk *chunk = queue->cursor;
        if (seq_before(seq, queue->cursor_seq)) {
            queue->cursor = chunk->before;
            queue->cursor_seq =
                seq_subtract(queue->cursor_seq, queue->cursor->length);
        } else if ((uint32_t)seq_diff(seq, queue->cursor_seq) >=
                   chunk->length) {
            queue->cursor_seq = seq_add(queue->cursor_seq, chunk->length);
            queue->cursor = chunk->next;
        } else {
            break;
        }
    }
    turn_spend(passed / 4);
    return passed < PASSED_MAX;
}

bool send_queue_fill_last(const struct tcp_send_queue *queue, struct seq32 seq,
                          uint32_t length, struct packet *packet)
{
    const struct send_chunk *tail = queue->tail;

    ASSERT(tail != NULL);
    if (length > tail->length ||
        !seq_equal(seq_add(seq, length), send_queue_end(queue)))
        return false;
    const uint8_t *from = tail->data + (tail->length - length);
    if (length <= TCP_COPY_LENGTH) {
        uint8_t *to = packet->data + packet->length;
        packet->length += length;
        memcpy(to, from, length);
    } else {
        packet_add_fragment(packet, from, length, tail->loan);
    }
    return true;
}

uint32_t send_queue_fill(struct tcp_send_queue *queue, struct seq32 seq,
                         uint32_t length, struct packet *packet)
{
    bool is_copied = length <= TCP_COPY_LENGTH;
    uint32_t left = length;

    ASSERT(!seq_before(seq, queue->start));
    ASSERT((uint32_t)seq_diff(seq, queue->start) + length <= queue->length);
    struct send_chunk *chunk = queue_seek(queue, seq);
    uint32_t at = (uint32_t)seq_diff(seq, queue->cursor_seq);
    for (;;) {
        uint32_t part = smaller(left, chunk->length - at);
        if (is_copied) {
            ASSERT(part <= packet_tailroom(packet));
            memcpy(packet->data + packet->length, chunk->data + at, part);
            packet->length += part;
        } else if (packet->fragment_count < PACKET_FRAGMENTS_MAX) {
            packet_add_fragment(packet, chunk->data + at, part, chunk->loan);
        } else {
            break;
        }
        left -= part;
        if (left == 0 || chunk->is_record)
            break;
        queue->cursor_seq = seq_add(queue->cursor_seq, chunk->length);
        chunk = chunk->next;
        queue->cursor = chunk;
        at = 0;
    }
    return length - left;
}

COLD void send_queue_clear(struct tcp_send_queue *queue)
{
    if (queue->head != NULL) {
        queue->tail->next = send_memory.left;
        send_memory.left = queue->head;
        tcp_is_owed |= send_queues_reap();
    }
    queue->head = NULL;
    queue->tail = NULL;
    queue->cursor = NULL;
    queue->length = 0;
}
