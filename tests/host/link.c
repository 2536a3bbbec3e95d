/* SPDX-License-Identifier: MIT */
/*
 * Simulated cables. Each kind of trouble draws from the world's random numbers
 * only when its path has it, so that adding one leaves other runs as they are.
 */
#include "tests/host/link.h"
#include "tests/host/world.h"

#include <stdlib.h>
#include <string.h>

enum {
    ETHERNET = 14,
    ETHERNET_OVERHEAD = 24, /* preamble, FCS, inter-frame gap */
    IPV4 = 20,
    ICMP_QUOTE = IPV4 + 8,
};

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

static void frame_arrives(void *context)
{
    struct frame *frame = context;
    frame->to->arrive(frame->to, frame);
}

static void launch(struct world_port *to, struct frame *frame, uint64_t at_ns)
{
    frame->to = to;
    world_at(at_ns, frame_arrives, frame);
}

static bool is_ipv4(const struct frame *frame)
{
    return frame->length >= ETHERNET + IPV4 && frame->bytes[12] == 8 &&
           frame->bytes[13] == 0;
}

/* ARP has no checksum of its own, and a real card would notice: only IPv4. */
static void corrupt(struct world_port *port, struct frame *frame)
{
    if (frame->length > ETHERNET && frame->bytes[12] == 8 &&
        frame->bytes[13] == 0) {
        size_t at = ETHERNET + world_random() % (frame->length - ETHERNET);
        frame->bytes[at] ^= (uint8_t)(1U << world_random() % 8);
        port->corrupted++;
    }
}

static void swap_words(struct frame *frame)
{
    size_t at = frame->length / 4 * 2;
    uint8_t word[2];

    if (!is_ipv4(frame) || frame->length < 200)
        return;
    memcpy(word, frame->bytes + at, 2);
    memcpy(frame->bytes + at, frame->bytes + at + 2, 2);
    memcpy(frame->bytes + at + 2, word, 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_checksum(uint8_t *bytes, size_t length, size_t field)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i += 2)
        sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    put16(bytes + field, ~sum);
}

/* RFC 1191 4: the router before the narrow part, with the address of the host
 * beyond it, says what would have fitted. */
static void say_too_long(struct world_port *port, const struct frame *frame)
{
    struct frame *reply = frame_new(NULL, ETHERNET + IPV4 + 8 + ICMP_QUOTE);
    uint8_t *ip = reply->bytes + ETHERNET;
    uint8_t *icmp = ip + IPV4;

    memset(reply->bytes, 0, reply->length);
    memcpy(reply->bytes, frame->bytes + 6, 6);
    memcpy(reply->bytes + 6, frame->bytes, 6);
    put16(reply->bytes + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, IPV4 + 8 + ICMP_QUOTE);
    ip[8] = 64;
    ip[9] = 1;
    memcpy(ip + 12, frame->bytes + ETHERNET + 16, 4);
    memcpy(ip + 16, frame->bytes + ETHERNET + 12, 4);
    put_checksum(ip, IPV4, 10);
    icmp[0] = 3;
    icmp[1] = 4;
    put16(icmp + 6, port->path.mtu);
    memcpy(icmp + 8, frame->bytes + ETHERNET, ICMP_QUOTE);
    put_checksum(icmp, 8 + ICMP_QUOTE, 2);
    capture_frame(reply);
    launch(port, reply, world_now() + 2 * port->path.delay_ns);
}

static bool is_too_long(struct world_port *port, const struct frame *frame)
{
    if (port->path.mtu == 0 || frame->length <= port->path.mtu + ETHERNET ||
        !is_ipv4(frame))
        return false;
    port->too_long++;
    if (!port->path.is_black_hole)
        say_too_long(port, frame);
    return true;
}

static bool is_down(const struct world_path *path)
{
    return path->is_cut || (path->flap_every_ns != 0 &&
                            world_now() % path->flap_every_ns >=
                                path->flap_every_ns - path->flap_down_ns);
}

static bool is_lost(struct world_port *port)
{
    const struct world_path *path = &port->path;

    if (path->burst_enter_ppm != 0)
        port->is_bad =
            world_chance(port->is_bad ? 1000000 - path->burst_leave_ppm
                                      : path->burst_enter_ppm);
    if (port->is_bad && world_chance(path->burst_loss_ppm))
        return true;
    return world_chance(path->loss_ppm);
}

static uint64_t arrival_time(struct world_port *port, uint64_t gone)
{
    uint64_t arrival = gone + port->path.delay_ns;

    if (port->path.jitter_ns == 0)
        return arrival;
    arrival += world_random() % port->path.jitter_ns;
    if (arrival < port->arrived_ns)
        arrival = port->arrived_ns;
    port->arrived_ns = arrival;
    return arrival;
}

/* When the last bit has left; false: the queue has no room for it. */
static bool serialise(struct world_port *port, size_t length, uint64_t *gone)
{
    const struct world_path *path = &port->path;
    uint64_t now = world_now();
    uint64_t start = port->free_at_ns > now ? port->free_at_ns : now;
    uint64_t bits = 8 * (length + ETHERNET_OVERHEAD);

    if (path->rate_bits_s == 0) {
        port->free_at_ns = start;
    } else {
        uint64_t waiting = (start - now) * path->rate_bits_s / 8 / NS_PER_S;
        *gone = now;
        if (path->queue_bytes != 0 && waiting > path->queue_bytes)
            return false;
        port->free_at_ns = start + bits * NS_PER_S / path->rate_bits_s;
    }
    *gone = port->free_at_ns;
    return true;
}

uint64_t world_port_send(struct world_port *port, struct frame *frame)
{
    const struct world_path *path = &port->path;
    uint64_t gone;

    capture_frame(frame);
    port->sent++;
    if (!serialise(port, frame->length, &gone) || port->other == NULL ||
        is_down(path) || is_too_long(port, frame) || is_lost(port)) {
        port->lost++;
        free(frame);
        return gone;
    }
    uint64_t arrival = arrival_time(port, gone);
    if (world_chance(path->duplicate_ppm)) {
        port->duplicated++;
        launch(port->other, frame_new(frame->bytes, frame->length), arrival);
    }
    if (world_chance(path->corrupt_ppm))
        corrupt(port, frame);
    if (world_chance(path->swap_ppm))
        swap_words(frame);
    if (world_chance(path->reorder_ppm)) {
        port->reordered++;
        arrival += path->reorder_ns;
    }
    launch(port->other, frame, arrival);
    return gone;
}
