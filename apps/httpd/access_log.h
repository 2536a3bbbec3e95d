/* SPDX-License-Identifier: MIT */
/* The access log: a line per request on stdout. */
#pragma once

#include "slice.h"

struct access {
    uint32_t address; /* of the peer, network order */
    struct slice line;
    int status;
    uint64_t bytes; /* of the body, as sent */
    uint64_t started_ns;
};

/* False if neither the kernel's log level nor `is_wanted` lets it speak. */
void access_log_init(bool is_wanted);
void access_log_write(const struct access *access);
/* Once per turn of the loop: hands what was written on. */
void access_log_flush(void);
