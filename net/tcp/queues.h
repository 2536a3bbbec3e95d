/* SPDX-License-Identifier: MIT */
/*
 * The three queues of a connection: bytes to send until they are
 * acknowledged, bytes received until the app reads them, and segments that
 * came too early. All memory is counted against limits below the pools', so
 * that no peer and no app can keep the device from receiving.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/packet.h"
#include "net/platform.h"
#include "net/pool.h"
#include "net/wire/sequence.h"
#include "net/wire/tcp.h"

/* --- to send: send_queue.c ---------------------------------------------- */

struct send_chunk {
    struct send_chunk *next;
    struct send_chunk *before; /* not of the head */
    uint8_t *data;             /* a buffer, or memory that is static or lent */
    uint32_t length;
    uint16_t room;       /* bytes of the buffer behind data + length */
    uint8_t buffers : 7; /* it is large for; 0: memory that is static or lent */
    bool is_record : 1;  /* a segment ends with it */
    uint8_t loan;        /* whose memory it is (net/loan.h) */
};

struct tcp_send_queue {
    struct send_chunk *head;
    struct send_chunk *tail;
    struct send_chunk *cursor; /* where the last segment was taken from */
    struct seq32 head_seq;     /* of the first byte of head */
    struct seq32 cursor_seq;
    struct seq32 start; /* the first byte not acknowledged */
    uint32_t length;    /* bytes from start on */
};

extern struct send_memory {
    struct pool chunks;
    struct send_chunk *left; /* to be freed; counted as used */
    size_t buffers_used;
    size_t buffers_limit;
} send_memory;

int send_queues_init(size_t connections) MUST_CHECK;
void send_queue_init(struct tcp_send_queue *queue, struct seq32 start);

/* Copies as many bytes into the queue as there is memory for. */
uint32_t send_queue_write(struct tcp_send_queue *queue, const uint8_t *bytes,
                          uint32_t length);

/* What is written next begins a segment. */
void send_queue_end_record(struct tcp_send_queue *queue);
/* What was taken last ended here, and a record does. */
bool send_queue_has_record(const struct tcp_send_queue *queue,
                           struct seq32 end);

/* The same for memory that never changes, or not before the loan is given back
 * (net/loan.h): not copied. All or nothing. */
uint32_t send_queue_write_static(struct tcp_send_queue *queue,
                                 const uint8_t *bytes, uint32_t length,
                                 uint8_t loan);

/* Everything before `start` has arrived. */
void send_queue_acknowledge(struct tcp_send_queue *queue, struct seq32 start);

/* Frees a few of the chunks that were acknowledged; true: more are left. */
bool send_queue_trim(struct tcp_send_queue *queue);
static inline bool send_queue_is_behind(const struct tcp_send_queue *queue)
{
    return queue->head != NULL &&
           !seq_after(seq_add(queue->head_seq, queue->head->length),
                      queue->start);
}

/* So far into the search for `seq` as one turn goes; true: found, or none. */
bool send_queue_search(struct tcp_send_queue *queue, struct seq32 seq);
static inline bool send_queue_approach(struct tcp_send_queue *queue,
                                       struct seq32 seq)
{
    return queue->head == queue->tail ||
           (queue->cursor != NULL &&
            (uint32_t)seq_diff(seq, queue->cursor_seq) <= BUFFER_SIZE) ||
           send_queue_search(queue, seq);
}

/* Adds up to `length` bytes from `seq` on to the packet; returns how many. */
uint32_t send_queue_fill(struct tcp_send_queue *queue, struct seq32 seq,
                         uint32_t length, struct packet *packet);

/* All of it, from `seq` to the end of the queue, when its last chunk has that;
 * else false, and nothing is added. */
bool send_queue_fill_last(const struct tcp_send_queue *queue, struct seq32 seq,
                          uint32_t length, struct packet *packet) MUST_CHECK;

/* What is left of queues is freed little by little, so much in every
 * send_queues_reap(). True: more are left. */
void send_queue_clear(struct tcp_send_queue *queue);
bool send_queues_reap(void);
size_t send_buffers_left(void);
bool send_memory_is_short(void);
size_t send_buffers_used(void);
size_t send_buffers_limit(void);

static inline struct seq32 send_queue_end(const struct tcp_send_queue *queue)
{
    return seq_add(queue->start, queue->length);
}

/* --- received: receive_queue.c ------------------------------------------ */

struct tcp_receive_queue {
    struct packet *first;
    struct packet *last;
    uint32_t length; /* bytes not read yet */
    uint32_t count;  /* packets */
};

/* A payload packet, linear. A small one is moved into the packet before it
 * where it fits; so is any, when the queue `is_crowded`. */
void receive_queue_append(struct tcp_receive_queue *queue,
                          struct packet *packet, bool is_crowded);

struct tcp_early_list;

/* The same for all of a list, of which only the first few are moved. */
void receive_queue_splice(struct tcp_receive_queue *queue,
                          struct tcp_early_list *list, bool is_crowded);
/* The same for one that stays by itself. */
static inline void receive_queue_link(struct tcp_receive_queue *queue,
                                      struct packet *packet)
{
    packet->next = NULL;
    if (queue->last == NULL)
        queue->first = packet;
    else
        queue->last->next = packet;
    queue->last = packet;
    queue->count++;
    queue->length += packet->length;
}

/* Copies `length` bytes out (they are there), from the first on. `bytes` may
 * be NULL. */
void receive_queue_read(struct tcp_receive_queue *queue, uint8_t *bytes,
                        uint32_t length);
/* The same from the byte `skip` on, and they stay. */
void receive_queue_peek(const struct tcp_receive_queue *queue, uint32_t skip,
                        uint8_t *bytes, uint32_t length);
void receive_queue_clear(struct tcp_receive_queue *queue);

/* Packets in receive and reassembly queues of all connections, and how many
 * there may be. */
void receive_memory_init(void);
enum receive_need {
    RECEIVE_EARLY,    /* out of order: may take half of the memory */
    RECEIVE_IN_ORDER, /* seven eighths */
    RECEIVE_FIRST,    /* the only packet of its connection: all */
};
bool receive_memory_take(enum receive_need need) MUST_CHECK;

extern struct receive_memory {
    size_t used;
    size_t limit;
    size_t short_from;   /* so many are three quarters of the limit */
    size_t ample_to;     /* seven eighths */
    struct packet *left; /* to be freed; `used` counts them still */
} receive_memory;

static inline void receive_memory_give(void)
{
    ASSERT(receive_memory.used > 0);
    receive_memory.used--;
}

/* A list of packets nobody needs any more, however long it is: freed little
 * by little, so much in every receive_memory_reap(). True: more are left. */
void receive_memory_leave(struct packet *first, struct packet *last);
bool receive_memory_reap(void);
size_t receive_packets_left(void);

/* Three quarters are gone. */
static inline bool receive_memory_is_short(void)
{
    return receive_memory.used >= receive_memory.short_from;
}

/* So many more could be taken, in order, one after the other. */
static inline bool receive_memory_is_ample(size_t count)
{
    return receive_memory.used + count <= receive_memory.ample_to;
}
size_t receive_packets_used(void);
size_t receive_packets_limit(void);

/* --- too early: reassembly.c -------------------------------------------- */

struct tcp_reassembly {
    struct packet *first; /* of each range the first packet, by sequence */
    struct packet *last;
    struct packet *recent; /* the range that grew last leads the SACK blocks */
    uint16_t ranges;
    uint16_t count;                  /* packets */
    uint32_t length;                 /* bytes */
    struct tcp_sack_block duplicate; /* to be told; empty: none */
};

/* What the first packet of a range keeps of it, in its scratch. The others
 * keep there which packet of the range is the one before. */
struct tcp_early_range {
    struct packet *next; /* the first packet of another range: by sequence */
    struct packet *before;
    struct packet *older; /* and by when they grew */
    struct packet *newer;
    struct packet *last; /* of this range */
    struct seq32 seq;
    struct seq32 end;
    uint32_t count; /* packets */
    bool has_fin;
};

/* One segment. */
struct tcp_early {
    struct seq32 seq;
    uint32_t length;
    bool has_fin;
};

/* Packets that follow each other, linked by `next`. */
struct tcp_early_list {
    struct packet *first;
    struct packet *last;
    uint32_t length; /* bytes */
    uint32_t count;
    bool has_fin;
};

/* Keeps the segment, or drops it; not for lack of room when it `is_next`, to
 * be taken at once. Where segments overlap, the byte that came first stays:
 * what was accepted, and perhaps seen by a guard on the way, is not changed
 * later. */
void reassembly_insert(struct tcp_reassembly *reassembly, struct packet *packet,
                       struct tcp_early early, bool is_next);

/* The first range, if it begins at `seq`. */
bool reassembly_take(struct tcp_reassembly *reassembly, struct seq32 seq,
                     struct tcp_early_list *list) MUST_CHECK;
/* Forgets the last packet (memory is short); the peer sends it again. */
void reassembly_prune(struct tcp_reassembly *reassembly);
/* RFC 2883: this came a second time, as the next ACK will say: one block of
 * all that came since the last and meets it. Of pieces apart that came in one
 * turn, which one ACK answers, only the last is told: a sender that has no
 * timestamps then finds fewer of its repetitions needless. */
void reassembly_note_duplicate(struct tcp_reassembly *reassembly,
                               struct seq32 left, struct seq32 right);
void reassembly_clear(struct tcp_reassembly *reassembly);

/* RFC 2018 4: blocks by when their last segment came, the latest first.
 * Returns how many. */
uint8_t reassembly_blocks(const struct tcp_reassembly *reassembly,
                          struct tcp_sack_block blocks[TCP_SACK_BLOCKS]);
