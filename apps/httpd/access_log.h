/* SPDX-License-Identifier: MIT */
/* The access log: a line per request on stdout. */
#pragma once

#include "options.h"
#include "slice.h"

struct access {
    uint32_t address; /* of the peer, network order */
    struct slice line;
    int status;
    uint64_t bytes; /* of the body, as sent */
    uint64_t started_ns;
};

void access_log_init(enum access_log_choice choice);
void access_log_write(const struct access *access);
/* Once per turn of the loop: hands what was written on. */
void access_log_flush(void);
