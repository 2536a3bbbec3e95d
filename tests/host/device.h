/* SPDX-License-Identifier: MIT */
/*
 * A simulated network card: a struct netif with a transmit ring, whose
 * packets stay with it until their last bit has left, and a receive ring that
 * is emptied by poll.
 */
#pragma once

#include "tests/host/world.h"

enum {
    DEVICE_RING = 256,
};

struct device {
    struct netif netif;
    struct world_port port;
    struct world_stack *stack;
    struct frame *received[DEVICE_RING];
    uint32_t received_head;
    uint32_t received_tail;
    struct packet *transmit[DEVICE_RING];
    uint64_t transmit_done_ns[DEVICE_RING]; /* 0: not kicked yet */
    uint32_t transmit_head;                 /* the next to be reclaimed */
    uint32_t transmit_kicked;
    uint32_t transmit_tail;
    uint64_t overruns;  /* frames the receive ring had no room for */
    uint64_t no_packet; /* frames the pool had no packet for */
    uint64_t kicks;
    uint64_t moderation_ns; /* a frame's interrupt comes so much later */
    bool is_moderating;     /* one is on its way */
};

/* A card in that stack. `number` makes its address 02:00:00:00:00:number. */
struct device *device_add(struct world_stack *stack, uint8_t number,
                          uint32_t features);

/* Pulls the cable, or puts it back; the card notices. */
void device_set_link(struct device *device, bool up);
