/* SPDX-License-Identifier: MIT */
/*
 * The pool of packet memory: one contiguous area of buffers, and for each of
 * them a descriptor that is never another's. So a packet is one thing to take
 * and to give back, and a buffer without a packet (of a ring, of a send queue)
 * leaves its descriptor idle; that one counts the references, too. What is
 * free hangs on a list, the warmest first; what nobody ever took is not
 * touched: at boot that would be most of the work. Large buffers are taken
 * from the far end of that, and stay what they are until small ones run out:
 * the first descriptor counts for all of them, the others have no reference.
 */
#include "net/packet.h"

#include "net/platform.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* How many are left, and were at least: lowest + margin are left. */
struct level {
    ptrdiff_t margin;
    size_t lowest;
};

static struct {
    struct packet *free;    /* those given back, the last one first */
    struct packet *large;   /* the same of large ones */
    struct level buffers;   /* free ones */
    struct level idle;      /* descriptors that are no packet */
    uint8_t *base;          /* of the buffers */
    size_t size;            /* bytes of all of them */
    struct packet *packets; /* [i] belongs to the i-th buffer */
    size_t used;            /* so many, the first ones, were taken once */
    size_t top;             /* large ones are from here on */
    size_t total;
    uint64_t failures;
} pool;

COLD int packet_init(size_t count)
{
    uint8_t *base = platform_memory_untouched(count * BUFFER_SIZE, BUFFER_SIZE);
    struct packet *packets = platform_memory_untouched(count * sizeof(*packets),
                                                       _Alignof(struct packet));

    if (base == NULL || packets == NULL)
        return -ENOMEM;
    memset(&pool, 0, sizeof(pool));
    pool.base = base;
    pool.size = count * BUFFER_SIZE;
    pool.packets = packets;
    pool.total = count;
    pool.top = count;
    pool.buffers.lowest = count;
    pool.idle.lowest = count;
    packet_counts_init();
    return 0;
}

static inline void give(struct packet *packet)
{
    packet->next = pool.free;
    pool.free = packet;
    pool.buffers.margin++;
}

/* One fewer is left; there was one. */
static inline void level_sink(struct level *level)
{
    if (--level->margin < 0) {
        level->margin = 0;
        level->lowest--;
    }
}

static inline size_t level_now(const struct level *level)
{
    return level->lowest + (size_t)level->margin;
}

/* ---- buffers --------------------------------------------------------------
 */

static inline struct packet *touch(size_t number)
{
    struct packet *packet = &pool.packets[number];

    packet->buffer = pool.base + number * BUFFER_SIZE;
    packet->data = NULL;
    packet->references = 0;
    return packet;
}

/* A descriptor that was never used, or the first of a large buffer, of which
 * the others are free then. NULL: all are used. */
static COLD NOINLINE struct packet *take_untouched(void)
{
    struct packet *large = pool.large;

    if (pool.used != pool.top)
        return touch(pool.used++);
    if (large == NULL) {
        pool.failures++;
        return NULL;
    }
    pool.large = large->next;
    for (size_t i = 1; i < BUFFERS_OF_LARGE; i++) {
        large[i].next = pool.free;
        pool.free = &large[i];
    }
    return large;
}

static inline struct packet *take(void)
{
    struct packet *packet = pool.free;

    if (packet != NULL) {
        pool.free = packet->next;
    } else {
        packet = take_untouched();
        if (packet == NULL)
            return NULL;
    }
    level_sink(&pool.buffers);
    return packet;
}

/* The descriptor of the buffer around `address`; NULL: other memory. */
static inline struct packet *descriptor_of(const void *address)
{
    size_t offset = (size_t)((uintptr_t)address - (uintptr_t)pool.base);

    return offset < pool.size ? &pool.packets[offset / BUFFER_SIZE] : NULL;
}

COLD uint8_t *buffer_alloc_large(void)
{
    struct packet *packet = pool.large;

    if (packet != NULL) {
        pool.large = packet->next;
    } else if (pool.top - pool.used >= BUFFERS_OF_LARGE) {
        for (size_t i = 0; i < BUFFERS_OF_LARGE; i++) {
            packet = touch(--pool.top);
            packet->length = 0;
        }
    } else {
        return NULL;
    }
    for (size_t i = 0; i < BUFFERS_OF_LARGE; i++)
        level_sink(&pool.buffers);
    packet->references = 1;
    packet->length = BUFFER_LARGE_SIZE;
    return packet->buffer;
}

/* Of the large buffer that this one, which nobody holds, is part of. */
static COLD NOINLINE struct packet *first_of_large(struct packet *packet)
{
    for (size_t i = 1;
         i < BUFFERS_OF_LARGE && packet->length != BUFFER_LARGE_SIZE; i++)
        packet--;
    ASSERT(packet->length == BUFFER_LARGE_SIZE);
    return packet;
}

static COLD NOINLINE void release_large(struct packet *packet)
{
    packet = first_of_large(packet);
    if (--packet->references != 0)
        return;
    packet->length = 0;
    packet->next = pool.large;
    pool.large = packet;
    pool.buffers.margin += BUFFERS_OF_LARGE;
}

uint8_t *buffer_alloc(void)
{
    struct packet *packet = take();

    if (packet == NULL)
        return NULL;
    packet->references = 1;
    return packet->buffer;
}

static inline void hold(const void *address)
{
    struct packet *packet = descriptor_of(address);

    if (packet == NULL)
        return;
    if (packet->references == 0)
        packet = first_of_large(packet);
    ASSERT(packet->references < UINT16_MAX);
    packet->references++;
}

void buffer_hold(const void *address)
{
    hold(address);
}

static inline void release(const void *address)
{
    struct packet *packet = descriptor_of(address);

    if (packet == NULL)
        return;
    if (packet->references == 0 || packet->length == BUFFER_LARGE_SIZE)
        release_large(packet);
    else if (--packet->references == 0)
        give(packet);
}

NOINLINE void buffer_release(const void *address)
{
    release(address);
}

/* ---- packets --------------------------------------------------------------
 */

/* All but the owner's part, which nobody reads before it is written. */
static inline void clear(struct packet *packet, size_t headroom)
{
    packet->next = NULL;
    packet->train = NULL;
    packet->data = packet->buffer + headroom;
    packet->netif = NULL;
    packet->time_ns = 0;
    packet->length = 0;
    packet->fragments_length = 0;
    packet->network_offset = 0;
    packet->transport_offset = 0;
    packet->link_offset = 0;
    packet->vlan_tag = 0;
    packet->segment_size = 0;
    packet->segment_count = 0;
    packet->train_length = 0;
    packet->fragment_count = 0;
    packet->checksum = PACKET_CHECKSUM_NONE;
    packet->has_vlan_tag = false;
    packet->is_broadcast = false;
    packet->is_looped = false;
    packet->protocol = 0;
    packet->checksum_start = 0;
    packet->checksum_offset = 0;
    packet->flow_state = 0;
    packet->joined_size = 0;
    packet->flow = NULL;
}

struct packet *packet_alloc(size_t headroom)
{
    struct packet *packet = take();

    ASSERT(headroom <= BUFFER_SIZE);
    if (packet == NULL)
        return NULL;
    level_sink(&pool.idle);
    packet->references = 1;
    clear(packet, headroom);
    return packet;
}

struct packet *packet_alloc_around(uint8_t *buffer, size_t headroom)
{
    struct packet *packet = descriptor_of(buffer);

    ASSERT(headroom <= BUFFER_SIZE);
    ASSERT(packet != NULL);
    ASSERT(packet->data == NULL);
    level_sink(&pool.idle);
    clear(packet, headroom);
    return packet;
}

static inline void let_go(const struct packet_fragment *fragment)
{
    if (fragment->loan == LOAN_NONE)
        release(fragment->data);
    else
        loan_release(fragment->loan);
}

COLD NOINLINE void packet_fragment_release(struct packet_fragment fragment)
{
    if (fragment.loan == LOAN_NONE)
        buffer_release(fragment.data);
    else
        loan_release(fragment.loan);
}

void packet_release_fragments(struct packet *packet, size_t from)
{
    const struct packet_fragment *fragments = packet_fragments(packet);

    for (size_t i = from; i < packet->fragment_count; i++)
        let_go(&fragments[i]);
    packet->fragment_count = (uint8_t)from;
}

void packet_add_fragment(struct packet *packet, const uint8_t *data,
                         uint32_t length, uint32_t loan)
{
    hold(data); /* a loan lies elsewhere */
    packet_take_fragment(packet, data, length, loan);
    if (loan != LOAN_NONE)
        loan_hold(loan);
}

/* A descriptor that is no packet has no data, which is how a second free of
 * the same packet is caught. */
static inline void free_one(struct packet *packet)
{
    ASSERT(packet->data != NULL);
    packet->data = NULL;
    pool.idle.margin++;
    if (--packet->references == 0)
        give(packet);
}

/* With what it points at, and with the segments that hang on it. */
static NOINLINE void free_all(struct packet *packet)
{
    struct packet *next = packet->train;

    for (;;) {
        packet_release_fragments(packet, 0);
        free_one(packet);
        if (next == NULL)
            break;
        packet = next;
        next = packet->next;
    }
}

void packet_free(struct packet *packet)
{
    if (packet->fragment_count != 0 || packet->train != NULL)
        free_all(packet);
    else
        free_one(packet);
}

void packet_free_run(struct packet *first, size_t count)
{
    struct packet *packet = first;
    struct packet *last = first;

    for (size_t left = count; left != 0; left--) {
        ASSERT(packet->references == 1); /* not free, and nobody else's */
        packet->references = 0;
        packet->data = NULL;
        last = packet;
        packet = packet->next;
    }
    last->next = pool.free;
    pool.free = first;
    pool.idle.margin += (ptrdiff_t)count;
    pool.buffers.margin += (ptrdiff_t)count;
}

/* The buffer's reference is the fragment's from now on. */
void packet_absorb(struct packet *large, struct packet *packet)
{
    ASSERT(packet->fragment_count == 0);
    ASSERT(packet->train == NULL);
    packet_take_fragment(large, packet->data, packet->length, LOAN_NONE);
    packet->data = NULL;
    pool.idle.margin++;
}

void packet_renew(struct packet *packet, size_t headroom)
{
    ASSERT(headroom <= BUFFER_SIZE);
    ASSERT(packet->train == NULL);
    if (packet->fragment_count != 0)
        packet_release_fragments(packet, 0);
    clear(packet, headroom);
}

/* ---- what there is --------------------------------------------------------
 */

size_t buffer_count_total(void)
{
    return pool.total;
}

size_t buffer_count_free(void)
{
    return level_now(&pool.buffers);
}

size_t buffer_count_free_lowest(void)
{
    return pool.buffers.lowest;
}

uint64_t buffer_alloc_failures(void)
{
    return pool.failures;
}

size_t packet_count_total(void)
{
    return pool.total;
}

size_t packet_count_free(void)
{
    return level_now(&pool.idle);
}

size_t packet_count_free_lowest(void)
{
    return pool.idle.lowest;
}
