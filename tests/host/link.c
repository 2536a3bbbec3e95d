/* SPDX-License-Identifier: MIT */
/*
 * Simulated cables: rate, delay, queue, loss, duplication, corruption and
 * reordering, each by the world's seed; and the capture of what was sent, in
 * pcap format.
 */
#include "tests/host/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ETHERNET_OVERHEAD = 24, /* preamble, FCS, inter-frame gap */
};

struct flight {
    struct world_port *to;
    struct frame *frame;
};

static FILE *capture;

struct frame *frame_new(const void *bytes, size_t length)
{
    struct frame *frame = malloc(sizeof(*frame) + length);
    if (frame == NULL) {
        world_fail("no memory for a frame");
    }
    frame->length = length;
    if (bytes != NULL) {
        memcpy(frame->bytes, bytes, length);
    }
    return frame;
}

void world_port_join(struct world_port *a, struct world_port *b)
{
    a->other = b;
    b->other = a;
}

void world_capture(const char *path)
{
    static const uint32_t header[6] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 1};
    if (capture != NULL) {
        fclose(capture);
        capture = NULL;
    }
    if (path != NULL) {
        capture = fopen(path, "wb");
        if (capture == NULL) {
            world_fail("cannot write the capture");
        }
        fwrite(header, sizeof(header), 1, capture);
    }
}

static void capture_frame(const struct frame *frame)
{
    if (capture == NULL) {
        return;
    }
    uint32_t header[4] = {(uint32_t)(world_now() / NS_PER_S),
                          (uint32_t)(world_now() % NS_PER_S),
                          (uint32_t)frame->length, (uint32_t)frame->length};
    fwrite(header, sizeof(header), 1, capture);
    fwrite(frame->bytes, frame->length, 1, capture);
    fflush(capture);
}

static void flight_arrives(void *context)
{
    struct flight *flight = context;
    flight->to->arrive(flight->to, flight->frame);
    free(flight);
}

static void launch(struct world_port *port, struct frame *frame, uint64_t at_ns)
{
    struct flight *flight = malloc(sizeof(*flight));
    if (flight == NULL) {
        world_fail("no memory for a frame");
    }
    *flight = (struct flight){port->other, frame};
    world_at(at_ns, flight_arrives, flight);
}

/* ARP has no checksum of its own, and a real card would notice: only IPv4. */
static void corrupt(struct frame *frame)
{
    if (frame->length > 14 && frame->bytes[12] == 8 && frame->bytes[13] == 0) {
        size_t at = 14 + world_random() % (frame->length - 14);
        frame->bytes[at] ^= (uint8_t)(1U << world_random() % 8);
    }
}

uint64_t world_port_send(struct world_port *port, struct frame *frame)
{
    const struct world_path *path = &port->path;
    uint64_t now = world_now();
    uint64_t start = port->free_at_ns > now ? port->free_at_ns : now;
    uint64_t bits = 8 * (frame->length + ETHERNET_OVERHEAD);
    capture_frame(frame);
    port->sent++;
    if (path->rate_bits_s != 0) {
        uint64_t waiting = (start - now) * path->rate_bits_s / 8 / NS_PER_S;
        if (path->queue_bytes != 0 && waiting > path->queue_bytes) {
            port->lost++;
            free(frame);
            return now;
        }
        port->free_at_ns = start + bits * NS_PER_S / path->rate_bits_s;
    } else {
        port->free_at_ns = start;
    }
    uint64_t gone = port->free_at_ns;
    if (port->other == NULL || path->is_cut || world_chance(path->loss_ppm)) {
        port->lost++;
        free(frame);
        return gone;
    }
    uint64_t arrival = gone + path->delay_ns;
    if (world_chance(path->duplicate_ppm)) {
        launch(port, frame_new(frame->bytes, frame->length), arrival);
    }
    if (world_chance(path->corrupt_ppm)) {
        corrupt(frame);
    }
    if (world_chance(path->reorder_ppm)) {
        arrival += path->reorder_ns;
    }
    launch(port, frame, arrival);
    return gone;
}
