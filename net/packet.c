/* SPDX-License-Identifier: MIT */
/*
 * What is done with a packet between taking and freeing it (packet_pool.c).
 */
#include "net/packet.h"

#include "net/attributes.h"
#include "net/platform.h"

#include <string.h>

static struct {
    uint64_t drops[DROP_REASON_COUNT];
    packet_drop_trace *trace;
} dropped;

COLD void packet_counts_init(void)
{
    memset(dropped.drops, 0, sizeof(dropped.drops));
}

void packet_drop(struct packet *packet, enum drop_reason reason)
{
    ASSERT(reason < DROP_REASON_COUNT);
    dropped.drops[reason]++;
    if (dropped.trace != NULL)
        dropped.trace(packet, reason);
    packet_free(packet);
}

void packet_set_drop_trace(packet_drop_trace *trace)
{
    dropped.trace = trace;
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
    packet_release_fragments(packet, i);
}

COLD struct packet *packet_copy(const struct packet *packet)
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
    copy->is_broadcast = packet->is_broadcast;
    copy->is_looped = packet->is_looped;
    copy->protocol = packet->protocol;
    return copy;
}

void packet_queue_append(struct packet_queue *queue, struct packet *packet)
{
    packet_queue_push(queue, packet);
}

struct packet *packet_queue_take(struct packet_queue *queue)
{
    return queue->first == NULL ? NULL : packet_queue_pop(queue);
}

COLD void packet_queue_drop_all(struct packet_queue *queue,
                                enum drop_reason reason)
{
    struct packet *packet;

    while ((packet = packet_queue_take(queue)) != NULL)
        packet_drop(packet, reason);
}

uint64_t drop_count(enum drop_reason reason)
{
    return dropped.drops[reason];
}
