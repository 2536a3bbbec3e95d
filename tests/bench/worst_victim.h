/* SPDX-License-Identifier: MIT */
/*
 * A stack with one connection, and a peer that is nobody's stack: it makes
 * every frame by hand. What the victim sends goes nowhere.
 */
#pragma once

#include "tests/bench/host_world.h"

enum {
    PORT = 80,
    MSS = 1460,
    FIN = 1,
    SYN = 2,
    RST = 4,
    ACK = 16,
};

struct victim {
    struct tcp_connection *connection;
    uint8_t frame[END_FRAME]; /* for the next poll */
    size_t frame_length;
    uint8_t options[40];
    size_t options_length;
    uint32_t their_seq; /* the victim's first byte */
    uint32_t our_seq;
    uint32_t sent; /* by the victim so far: bytes */
    uint16_t window;
};

extern struct victim victim;

/* The stack starts, and the peer connects. */
void victim_connect(void);

/* Sees what was sent, while the packets are there. */
void victim_note(void);

/* A poll with the frame that was built, or none. */
void victim_poll(void);

/* What earlier frames have left to do, which is not the next one's cost. */
void victim_rest(void);

void build_bytes(size_t at, uint32_t value, size_t length);
void build_ip(uint8_t protocol, uint32_t fragment, size_t length);

/* `seq` and `ack` count from the first bytes. */
void build(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload);
void segment(uint8_t flags, uint32_t seq, uint32_t ack, size_t payload);

/* One SACK block more in the options; `left` and `right` as above. */
void sack(uint32_t left, uint32_t right, size_t block);
