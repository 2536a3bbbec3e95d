/* SPDX-License-Identifier: MIT */
/*
 * A stack with one card in the simulated world, and at the other end of its
 * cable a LAN whose every address answers ARP. IPv4 packets go in and come out
 * without their Ethernet headers, with the time they left the stack.
 */
#pragma once

#include "tests/host/device.h"
#include "tests/script/stage.h"

struct lan {
    struct world_port port;
    struct world_stack *stack;
    struct device *device;
    struct stage_packet *first; /* what the stack sent */
    struct stage_packet *last;
};

/* Starts the world; time stands where the stack has its address for sure.
 * `address` is dotted; the gateway is the last but one of its /16. */
void lan_start(struct lan *lan, const char *address);

/* One IPv4 packet for the stack. TCP longer than a frame is cut into several,
 * which arrive together, as a card with large receive would have joined
 * them; anything else comes in fragments. Takes effect with the next step of
 * the world. */
void lan_inject(struct lan *lan, const uint8_t *packet, size_t length);

/* The oldest packet, or NULL; to be freed. */
struct stage_packet *lan_take(struct lan *lan);
