/* SPDX-License-Identifier: MIT */
/*
 * Generic receive offload: segments of one TCP flow that follow each other in
 * one turn of a device's poll go up as one packet, the others hanging on the
 * first (packet->train), without their headers. Each was checked as TCP would
 * have, so the first is marked VERIFIED for all. What a router passes on
 * becomes one large packet instead (gro_transit.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/packet.h"
#include "net/wire/ethernet.h"

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

/* For who forwards: what is not for the interface's own address, or, while
 * hooks may turn it elsewhere, anything. Off at the start. */
void gro_set_transit(bool enabled);

/* Takes a frame, and hands it on to ethernet_receive() now or, at the latest,
 * at the next gro_flush(). Softirq. */
void gro_receive(struct netif *netif, struct packet *packet);
void gro_flush(void);

/* --- between gro.c and gro_transit.c -------------------------------------- */

struct gro_transit {
    /* A frame of TCP that would begin a train. Borrows. */
    bool (*may_begin)(const struct packet *packet);
    /* The large packet with one segment more, made of `first` if that is none
     * yet. NULL: it does not go together, and both are as they were. */
    struct packet *(*join)(struct packet *first, struct packet *packet,
                           uint32_t header_length, uint32_t payload);
    /* A large packet is about to go up. */
    void (*finish)(struct packet *large);
};

void gro_use_transit(const struct gro_transit *transit);

/* --- what the device interface asks for each frame ------------------------ */

extern struct gro_state {
    uint32_t passing; /* so many frames of this turn go up at once */
    uint32_t held;    /* trains that wait for more */
    uint32_t off;     /* all bits: nothing is to be joined */
} gro_state;

/* A device's turn begins, of which a single frame is expected or more: the
 * first of a single one is not kept to wait for others. */
static inline void gro_begin_turn(bool is_lone)
{
    gro_state.passing = gro_state.off | is_lone;
}

enum { GRO_FRAME_MIN = 512 }; /* a shorter one is no bulk transfer */

/* Is it one for gro_receive()? TCP, as far as a glance tells; a small one only
 * when it may be the next of a train. */
static inline bool gro_wants(const struct packet *packet)
{
    enum { PROTOCOL_AT = ETHERNET_HEADER_LENGTH + 9, TCP = 6 };

    if (packet->length <= PROTOCOL_AT || packet->data[PROTOCOL_AT] != TCP ||
        (packet->length < GRO_FRAME_MIN && gro_state.held == 0))
        return false;
    if (gro_state.passing == 0)
        return true;
    gro_state.passing--;
    return false;
}
