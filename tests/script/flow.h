/* SPDX-License-Identifier: MIT */
/*
 * Whom a script speaks for: peers @1 to @63, each one connection at a time;
 * and the numbers of a script against those on the wire. The peer's sequence
 * numbers are the script's plus --remote_isn; the stack's, and its
 * timestamps, are shifted by what its first SYN showed.
 */
#pragma once

#include "tests/script/script.h"

enum {
    FLOW_TIMESTAMPS = 256,
    SERVER_PORT = 8080,  /* where the script binds */
    CONNECT_PORT = 8080, /* where it connects to, for @1; then upwards */
    PEER_PORT = 40000,   /* where inbound connections come from, + peer */
};

struct flow {
    uint16_t remote_port;
    uint16_t local_port; /* 0: not known yet */
    bool is_active;
    bool is_new;            /* the next SYN of the stack sets the offset */
    uint32_t offset;        /* of the stack's numbers: wire - script */
    uint32_t remote_start;  /* script number of the peer's first byte */
    uint32_t offered_start; /* the same, by its last SYN */
    bool has_start;
    uint32_t local_start;
    bool has_timestamp;
    uint32_t timestamp_offset;
    struct {
        uint32_t script;
        uint32_t wire;
    } timestamps[FLOW_TIMESTAMPS];
    size_t timestamp_count;
};

extern struct flow flows[SCRIPT_FLOWS];
extern uint32_t flow_remote_isn;
extern bool flow_has_df; /* what the stack sends by TCP must have it */

void flows_init(uint32_t remote_isn);

/* The stack connects to this port: that peer is a server now. */
void flow_connect(uint16_t remote_port, uint16_t local_port);

/* Builds the packet a script injects. Returns its length. */
size_t flow_encode(const struct segment *segment, uint8_t *packet, size_t size);

/* Reads a packet of the stack in the script's numbers. NULL, or what is wrong
 * with it. `expected` may be NULL: then nothing is learnt from it. */
const char *flow_decode(const uint8_t *packet, size_t length,
                        const struct segment *expected,
                        struct segment *segment);

/* The byte at this offset of a stream, and whether these are. */
uint8_t stream_byte(uint64_t offset);
bool stream_matches(const uint8_t *bytes, size_t length, uint64_t offset);
void stream_fill(uint8_t *bytes, size_t length, uint64_t offset);
