/* SPDX-License-Identifier: MIT */
/* What httpd counts about itself; status.c gives each a name and a help. */
#pragma once

#include <stdint.h>

struct counters {
    uint64_t accepted;
    uint64_t open;
    uint64_t idle;
    uint64_t requests;
    uint64_t responses[6]; /* by the first digit of the status */
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t evicted;
    uint64_t header_timeouts;
    uint64_t idle_timeouts;
    uint64_t send_timeouts;
    uint64_t aborted;
    uint64_t short_of_memory;
};

extern struct counters counters;
