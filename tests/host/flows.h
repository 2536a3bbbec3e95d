/* SPDX-License-Identifier: MIT */
/*
 * Many flows at once between the two stacks of a pair, each with its own
 * amount each way, every byte checked. An app looks at a flow only when it was
 * notified of it, so that a run costs what happens in it.
 */
#pragma once

#include "tests/host/pair.h"

enum {
    FLOW_PAIRS_MAX = 1024,
};

/* Connects `count` flows of that many bytes each way (0 and 0: until the end
 * of the run). False when one could not be made. */
bool flows_start(struct pair *pair, size_t count, uint64_t forth,
                 uint64_t back);

/* Runs until all are over; false after that time. */
bool flows_run(uint64_t limit_ns);

/* Bytes read so far by flow number so and so, both ends. */
uint64_t flows_moved(size_t number);

/* Closes what is open. False when a byte was wrong or a flow failed. */
bool flows_close(void);
