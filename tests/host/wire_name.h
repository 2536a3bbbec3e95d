/* SPDX-License-Identifier: MIT */
/*
 * A number for a frame by what it carries instead of when it comes: two
 * senders of the same stream then meet the same losses in the same places of
 * it, however they cut time. For one TCP connection over IPv4 at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_NAME_UNIT = 1448,   /* octets: a full segment with timestamps */
    WIRE_NAME_UNITS = 65536, /* then their passages are counted together */
};

/* What has come in one direction; all zero at the start. */
struct wire_names {
    uint32_t ports;     /* of the last SYN */
    uint32_t first_seq; /* of the stream, and of the one acknowledged */
    uint32_t first_ack;
    bool has_seq;
    bool has_ack;
    uint16_t passages[4][WIRE_NAME_UNITS];
};

/* Text is named by the octet at a multiple of WIRE_NAME_UNIT that it holds
 * and how often that has come, text without one by where it begins, an ACK by
 * what it acknowledges and how often that was done; everything else, SYNs
 * too, by its number. */
uint64_t wire_name(struct wire_names *names, const uint8_t *bytes,
                   size_t length);
