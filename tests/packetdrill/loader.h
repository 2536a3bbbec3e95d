/* SPDX-License-Identifier: MIT */
/*
 * What the loader knows of packets: TCP segments without options, from
 * 192.0.2.1 to 192.168.0.1.
 */
#pragma once

#include "tests/packetdrill/interface.h"

#include <stdbool.h>
#include <stdint.h>

enum segment_flags {
    FIN = 1,
    SYN = 2,
    RST = 4,
    PSH = 8,
    ACK = 16,
};

struct tcp {
    uint32_t seq;
    uint32_t ack;
    unsigned flags;
    uint16_t from; /* ports */
    uint16_t to;
    size_t length; /* of the payload, zeros */
    long long time_us;
};

/* The loaded table, and its pointer. */
extern struct packetdrill_interface t;
extern void *u;

int inject(const struct tcp *segment);

/* The next packet; false if none comes, or not TCP. */
bool receive(struct tcp *segment);
