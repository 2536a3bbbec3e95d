/* SPDX-License-Identifier: MIT */
/*
 * The simulated network card. It completes checksums as a real one would, by
 * arithmetic of its own, so that a wrong partial sum is seen by the peer.
 */
#include "tests/host/device.h"

#include <stdlib.h>
#include <string.h>

static struct device *device_of(struct netif *netif)
{
    return netif->driver;
}

static struct device *device_of_port(struct world_port *port)
{
    return container_of(port, struct device, port);
}

static void device_interrupt(struct device *device)
{
    (void)world_enter(device->stack);
    device->stack->call->netif_schedule(&device->netif);
    device->stack->is_locked = false;
}

static void device_moderated(void *context)
{
    struct device *device = context;

    device->is_moderating = false;
    device_interrupt(device);
}

static void device_arrive(struct world_port *port, struct frame *frame)
{
    struct device *device = device_of_port(port);
    if (device->received_tail - device->received_head == DEVICE_RING ||
        !device->netif.link_up) {
        device->overruns++;
        free(frame);
        return;
    }
    device->received[device->received_tail++ % DEVICE_RING] = frame;
    if (device->moderation_ns == 0) {
        device_interrupt(device);
    } else if (!device->is_moderating) {
        device->is_moderating = true;
        world_at(world_now() + device->moderation_ns, device_moderated, device);
    }
}

static void device_transmit(struct netif *netif, struct packet *packet)
{
    struct device *device = device_of(netif);
    if (device->transmit_tail - device->transmit_head == DEVICE_RING) {
        world_fail("transmit into a full ring");
    }
    device->transmit_done_ns[device->transmit_tail % DEVICE_RING] = 0;
    device->transmit[device->transmit_tail++ % DEVICE_RING] = packet;
    if (device->transmit_tail - device->transmit_head == DEVICE_RING) {
        netif->transmit_stopped = true;
    }
}

static void complete_checksum(const struct packet *packet, struct frame *frame)
{
    size_t front = (size_t)(packet->data - packet->buffer);
    size_t start = packet->checksum_start - front;
    size_t field = start + packet->checksum_offset;
    uint64_t sum = 0;
    size_t i = start;
    for (; i + 1 < frame->length; i += 2) {
        sum += (uint64_t)frame->bytes[i] << 8 | frame->bytes[i + 1];
    }
    if (i < frame->length) {
        sum += (uint64_t)frame->bytes[i] << 8;
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    frame->bytes[field] = (uint8_t)(~sum >> 8);
    frame->bytes[field + 1] = (uint8_t)~sum;
}

static struct frame *frame_of(const struct packet *packet)
{
    size_t length = packet_total_length(packet);
    struct frame *frame = frame_new(NULL, length);
    memcpy(frame->bytes, packet->data, packet->length);
    size_t at = packet->length;
    for (size_t i = 0; i < packet->fragment_count; i++) {
        const struct packet_fragment *fragment = &packet_fragments(packet)[i];
        memcpy(frame->bytes + at, fragment->data, fragment->length);
        at += fragment->length;
    }
    if (at != length) {
        world_fail("a packet's fragments and its length differ");
    }
    if (packet->checksum == PACKET_CHECKSUM_PARTIAL) {
        complete_checksum(packet, frame);
    }
    return frame;
}

static void device_sent(void *context)
{
    device_interrupt(context);
}

static void device_kick(struct netif *netif)
{
    struct device *device = device_of(netif);
    device->kicks++;
    for (; device->transmit_kicked != device->transmit_tail;
         device->transmit_kicked++) {
        uint32_t at = device->transmit_kicked % DEVICE_RING;
        struct frame *frame = frame_of(device->transmit[at]);
        if (!netif->link_up) {
            free(frame);
            device->transmit_done_ns[at] = world_now() + 1;
        } else {
            device->transmit_done_ns[at] =
                world_port_send(&device->port, frame) + 1;
        }
        world_at(device->transmit_done_ns[at], device_sent, device);
    }
}

static void device_reclaim(struct device *device)
{
    while (device->transmit_head != device->transmit_kicked) {
        uint32_t at = device->transmit_head % DEVICE_RING;
        if (device->transmit_done_ns[at] > world_now()) {
            return;
        }
        device->stack->call->packet_free(device->transmit[at]);
        device->transmit_head++;
        if (device->netif.transmit_stopped) {
            device->netif.transmit_stopped = false;
            device->stack->call->netif_transmit_resume(&device->netif);
        }
    }
}

static void device_receive_one(struct device *device, struct frame *frame)
{
    const struct stack_functions *call = device->stack->call;
    struct packet *packet = call->packet_alloc(PACKET_RECEIVE_HEADROOM);
    if (packet == NULL) {
        device->no_packet++;
    } else if (frame->length > BUFFER_SIZE - PACKET_RECEIVE_HEADROOM) {
        device->overruns++;
        call->packet_free(packet);
    } else {
        memcpy(call->packet_append(packet, frame->length), frame->bytes,
               frame->length);
        packet->netif = &device->netif;
        packet->time_ns = world_now();
        call->netif_receive(&device->netif, packet);
    }
    free(frame);
}

static size_t device_poll(struct netif *netif, size_t budget)
{
    struct device *device = device_of(netif);
    size_t count = 0;
    device_reclaim(device);
    while (count < budget && device->received_head != device->received_tail) {
        count++;
        device_receive_one(
            device, device->received[device->received_head++ % DEVICE_RING]);
    }
    return count;
}

static const struct netif_operations operations = {
    .transmit = device_transmit,
    .kick = device_kick,
    .poll = device_poll,
};

struct device *device_add(struct world_stack *stack, uint8_t number,
                          uint32_t features)
{
    struct device *device = calloc(1, sizeof(*device));
    if (device == NULL) {
        world_fail("no memory for a device");
    }
    device->stack = stack;
    device->port.arrive = device_arrive;
    device->netif.operations = &operations;
    device->netif.driver = device;
    device->netif.address = (struct ethernet_address){{2, 0, 0, 0, 0, number}};
    device->netif.features = features;
    device->netif.mtu = ETHERNET_MTU;
    device->netif.link_speed = 1000;
    device->netif.link_up = true;
    const struct stack_functions *call = world_enter(stack);
    if (call->netif_register(&device->netif) != 0) {
        world_fail("netif_register failed");
    }
    stack->is_locked = false;
    return device;
}

void device_set_link(struct device *device, bool up)
{
    const struct stack_functions *call = world_enter(device->stack);
    call->netif_link_changed(&device->netif, up);
    device->netif.link_up = up;
    world_leave(device->stack);
}
