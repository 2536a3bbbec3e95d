/* SPDX-License-Identifier: MIT */
/*
 * Packet descriptors and their pool. A free descriptor has no buffer, which
 * is how a second free of the same packet is caught.
 */
#include "net/packet.h"

#include "net/platform.h"
#include "net/pool.h"

#include <string.h>

static struct {
    struct pool packets;
    size_t free_lowest;
    uint64_t failures;
    packet_drop_trace *trace;
} pool;

static uint64_t drops[DROP_REASON_COUNT];

int packet_init(size_t count)
{
    int status = pool_init(&pool.packets, count, sizeof(struct packet),
                           _Alignof(struct packet));

    if (status != 0)
        return status;
    pool.free_lowest = count;
    pool.failures = 0;
    memset(drops, 0, sizeof(drops));
    return 0;
}

struct packet *packet_alloc_around(uint8_t *buffer, size_t headroom)
{
    struct packet *packet = pool_take(&pool.packets);

    ASSERT(headroom <= BUFFER_SIZE);
    if (packet == NULL) {
        pool.failures++;
        buffer_release(buffer);
        return NULL;
    }
    if (pool.packets.available < pool.free_lowest)
        pool.free_lowest = pool.packets.available;
    memset(packet, 0, offsetof(struct packet, scratch));
    packet->buffer = buffer;
    packet->data = buffer + headroom;
    return packet;
}

struct packet *packet_alloc(size_t headroom)
{
    uint8_t *buffer = buffer_alloc();

    if (buffer == NULL)
        return NULL;
    return packet_alloc_around(buffer, headroom);
}

static void release_fragments(struct packet *packet, size_t from)
{
    const struct packet_fragment *fragments = packet_fragments(packet);

    for (size_t i = from; i < packet->fragment_count; i++)
        buffer_release(fragments[i].data);
}

/* With the segments that hang on it. */
void packet_free(struct packet *packet)
{
    do {
        struct packet *train = packet->train;

        ASSERT(packet->buffer != NULL);
        if (packet->fragment_count != 0)
            release_fragments(packet, 0);
        buffer_release(packet->buffer);
        packet->buffer = NULL;
        packet->data = NULL;
        pool_give(&pool.packets, packet);
        packet = train;
    } while (packet != NULL);
}

void packet_renew(struct packet *packet, size_t headroom)
{
    uint8_t *buffer = packet->buffer;

    ASSERT(headroom <= BUFFER_SIZE);
    ASSERT(packet->train == NULL);
    if (packet->fragment_count != 0)
        release_fragments(packet, 0);
    memset(packet, 0, offsetof(struct packet, scratch));
    packet->buffer = buffer;
    packet->data = buffer + headroom;
}

void packet_drop(struct packet *packet, enum drop_reason reason)
{
    ASSERT(reason < DROP_REASON_COUNT);
    drops[reason]++;
    if (pool.trace != NULL)
        pool.trace(packet, reason);
    packet_free(packet);
}

void packet_set_drop_trace(packet_drop_trace *trace)
{
    pool.trace = trace;
}

void *packet_push(struct packet *packet, size_t length)
{
    ASSERT(length <= packet_headroom(packet));
    packet->data -= length;
    packet->length += (uint32_t)length;
    return packet->data;
}

void *packet_append(struct packet *packet, size_t length)
{
    uint8_t *end = packet->data + packet->length;

    ASSERT(length <= packet_tailroom(packet));
    packet->length += (uint32_t)length;
    return end;
}

void packet_trim(struct packet *packet, size_t length)
{
    struct packet_fragment *fragments = packet_fragments(packet);
    size_t keep;
    size_t i = 0;

    if (length >= packet_total_length(packet))
        return;
    if (length < packet->length)
        packet->length = (uint32_t)length;
    keep = length - packet->length;
    packet->fragments_length = (uint32_t)keep;
    for (; i < packet->fragment_count && keep != 0; i++) {
        if (fragments[i].length > keep)
            fragments[i].length = (uint32_t)keep;
        keep -= fragments[i].length;
    }
    release_fragments(packet, i);
    packet->fragment_count = (uint8_t)i;
}

void packet_add_fragment(struct packet *packet, const uint8_t *data,
                         uint32_t length)
{
    struct packet_fragment *fragments = packet_fragments(packet);

    ASSERT(packet->fragment_count < PACKET_FRAGMENTS_MAX);
    ASSERT(packet->data + packet->length <= (uint8_t *)fragments);
    buffer_hold(data);
    fragments[packet->fragment_count++] =
        (struct packet_fragment){data, length};
    packet->fragments_length += length;
}

struct packet *packet_copy(const struct packet *packet)
{
    size_t total = packet_total_length(packet);
    size_t headroom = packet_headroom(packet);
    size_t before = headroom;
    struct packet *copy;

    ASSERT(total <= BUFFER_SIZE);
    if (headroom > BUFFER_SIZE - total)
        headroom = BUFFER_SIZE - total;
    copy = packet_alloc(headroom);
    if (copy == NULL)
        return NULL;
    memcpy(copy->buffer, packet->data - headroom, headroom + packet->length);
    copy->length = packet->length;
    for (size_t i = 0; i < packet->fragment_count; i++) {
        struct packet_fragment fragment = packet_fragments(packet)[i];

        memcpy(packet_append(copy, fragment.length), fragment.data,
               fragment.length);
    }
    copy->netif = packet->netif;
    copy->time_ns = packet->time_ns;
    copy->network_offset =
        (uint16_t)(packet->network_offset - before + headroom);
    copy->transport_offset =
        (uint16_t)(packet->transport_offset - before + headroom);
    copy->checksum_start =
        (uint16_t)(packet->checksum_start - before + headroom);
    copy->checksum_offset = packet->checksum_offset;
    copy->segment_size = packet->segment_size;
    copy->segment_count = packet->segment_count;
    copy->vlan_tag = packet->vlan_tag;
    copy->checksum = packet->checksum;
    copy->has_vlan_tag = packet->has_vlan_tag;
    copy->is_link_broadcast = packet->is_link_broadcast;
    copy->is_looped = packet->is_looped;
    copy->protocol = packet->protocol;
    return copy;
}

void packet_queue_append(struct packet_queue *queue, struct packet *packet)
{
    packet->next = NULL;
    if (queue->last == NULL)
        queue->first = packet;
    else
        queue->last->next = packet;
    queue->last = packet;
    queue->count++;
    queue->true_size += packet_true_size(packet);
}

struct packet *packet_queue_take(struct packet_queue *queue)
{
    struct packet *packet = queue->first;

    if (packet == NULL)
        return NULL;
    queue->first = packet->next;
    if (queue->first == NULL)
        queue->last = NULL;
    packet->next = NULL;
    queue->count--;
    queue->true_size -= packet_true_size(packet);
    return packet;
}

void packet_queue_drop_all(struct packet_queue *queue, enum drop_reason reason)
{
    struct packet *packet;

    while ((packet = packet_queue_take(queue)) != NULL)
        packet_drop(packet, reason);
}

uint64_t drop_count(enum drop_reason reason)
{
    return drops[reason];
}

size_t packet_count_total(void)
{
    return pool.packets.count;
}

size_t packet_count_free(void)
{
    return pool.packets.available;
}

size_t packet_count_free_lowest(void)
{
    return pool.free_lowest;
}

uint64_t packet_alloc_failures(void)
{
    return pool.failures;
}
