/* SPDX-License-Identifier: MIT */
/*
 * A stack with one card in the simulated world, and at the other end of its
 * cable a LAN whose every address answers ARP. IPv4 packets go in and come out
 * without their Ethernet headers, with the time they left the stack.
 */
#pragma once

#include "tests/host/device.h"

struct lan_packet {
    struct lan_packet *next;
    uint64_t time_ns;
    size_t length;
    uint8_t bytes[];
};

struct lan {
    struct world_port port;
    struct world_stack *stack;
    struct device *device;
    struct lan_packet *first; /* what the stack sent */
    struct lan_packet *last;
};

/* Starts the world; time stands where the stack has its address for sure.
 * `address` is dotted; the gateway is the last but one of its /16. */
void lan_start(struct lan *lan, const char *address);

/* One IPv4 packet for the stack. TCP longer than a frame is cut into several,
 * which arrive together, as a card with large receive would have joined
 * them. Takes effect with the next step of the world. */
void lan_inject(struct lan *lan, const uint8_t *packet, size_t length);

/* The oldest packet, or NULL; to be freed. */
struct lan_packet *lan_take(struct lan *lan);

/* The sum of 16-bit words, folded and complemented: 0 over what is right. */
uint16_t lan_checksum(const uint8_t *bytes, size_t length, uint32_t sum);

/* The pseudo-header's part of a transport's sum. */
uint32_t lan_pseudo_sum(const uint8_t *ip);
