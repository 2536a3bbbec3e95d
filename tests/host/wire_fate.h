/* SPDX-License-Identifier: MIT */
/*
 * What a bad wire does to one frame. The answer depends on the seed, the
 * direction and the frame's number in that direction, and on nothing else:
 * not on time, not on what happened to other frames. So a run can be repeated.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Shares are in parts per million of all frames. */
struct wire_settings {
    uint32_t loss_ppm;
    uint32_t duplicate_ppm;
    uint32_t reorder_ppm;
    uint32_t corrupt_ppm;
    uint64_t delay_ns;
    uint64_t jitter_ns;
    uint64_t reorder_by_ns; /* how long a reordered frame is held back */
    uint64_t rate_bps;      /* bits per second; 0 is no limit */
    uint64_t queue_bytes;   /* waiting for the rate limit; more is dropped */
};

struct wire_fate {
    bool is_lost;
    bool is_duplicated;
    bool is_reordered;
    bool is_corrupted;
    size_t corrupt_bit; /* which bit of the frame is turned over */
    uint64_t delay_ns;  /* delay and jitter, without reordering or rate */
};

struct wire_fate wire_fate_draw(const struct wire_settings *settings,
                                uint64_t seed, unsigned int direction,
                                uint64_t number, size_t length);
