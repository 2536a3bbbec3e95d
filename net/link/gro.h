/* SPDX-License-Identifier: MIT */
/*
 * Generic receive offload: segments of one TCP flow that follow each other in
 * one turn of a device's poll go up as one packet, the others hanging on the
 * first (packet->train), without their headers. Each was checked as TCP would
 * have, so the first is marked VERIFIED for all.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/packet.h"

struct gro_counters {
    uint64_t trains;
    uint64_t segments; /* that hang on another */
};

extern struct gro_counters gro_counters;

void gro_init(void);

/* On at the start. Who looks at single packets above the link layer (filters,
 * connection tracking) says so. */
void gro_set_enabled(bool enabled);
void gro_set_hooked(bool hooked);

/* Takes a frame, and hands it on to ethernet_receive() now or, at the latest,
 * at the next gro_flush(). Softirq. */
void gro_receive(struct netif *netif, struct packet *packet);
void gro_flush(void);
