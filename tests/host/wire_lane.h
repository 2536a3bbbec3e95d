/* SPDX-License-Identifier: MIT */
/*
 * One direction of the relay: settings, frames under way and counters. Knows
 * no file descriptor and no clock; time is handed in.
 */
#pragma once

#include "tests/host/wire_fate.h"
#include "tests/host/wire_name.h"
#include "tests/host/wire_queue.h"

struct wire_counters {
    uint64_t received;
    uint64_t sent;
    uint64_t lost;
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t corrupted;
    uint64_t overflowed; /* did not fit the queue of the rate limit */
};

struct wire_lane {
    struct wire_settings settings;
    uint64_t seed;
    unsigned int direction;
    bool is_by_data; /* fates by what frames carry */
    struct wire_names names;
    uint64_t free_at_ns; /* when the rate limit lets the next bit go */
    uint64_t latest_ns;  /* keeps frames in order in spite of jitter */
    struct wire_counters counters;
    struct wire_queue queue;
};

/* A frame enters; it may be dropped, doubled, spoilt. Alters `bytes`. */
void wire_lane_receive(struct wire_lane *lane, uint64_t now_ns, uint8_t *bytes,
                       size_t length);
/* The next frame whose time has come, or NULL; the caller frees it. */
struct wire_frame *wire_lane_take(struct wire_lane *lane, uint64_t now_ns);
/* When the next frame is due; UINT64_MAX when none is under way. */
uint64_t wire_lane_next_ns(const struct wire_lane *lane);
/* Two frames (one and its double) can be taken in without overflow. */
bool wire_lane_has_room(const struct wire_lane *lane);
