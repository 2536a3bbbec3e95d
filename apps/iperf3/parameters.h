/* SPDX-License-Identifier: MIT */
/*
 * What a client asks for, from its JSON to checked numbers. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONGESTION_NAME_SIZE = 16 }; /* Linux's TCP_CA_NAME_MAX */

struct parameters {
    bool is_udp;
    bool is_reverse;       /* we send */
    bool is_bidirectional; /* both do, each on streams of its own */
    bool has_long_counters;
    bool is_nodelay;
    unsigned streams; /* each way */
    unsigned omit_s;
    unsigned time_s; /* 0: until so many bytes or blocks, which they count */
    unsigned maximum_segment; /* 0: not asked for; the same below */
    unsigned type_of_service;
    unsigned buffer;          /* of sockets: -w */
    size_t block;             /* -l */
    uint64_t bits_per_second; /* of each stream; 0: as fast as it goes */
    uint64_t bytes;           /* -n */
    uint64_t blocks;          /* -k */
    char congestion[CONGESTION_NAME_SIZE];
};

/* NULL, or what is wrong with it. */
const char *parameters_read(const char *text, size_t length,
                            struct parameters *parameters);
