/* SPDX-License-Identifier: MIT */
/*
 * Two whole stacks, 10.0.0.1 and 10.0.0.2, joined by one cable, and apps on
 * them that move bytes and check every one.
 */
#pragma once

#include "tests/host/device.h"

enum {
    PAIR_FEATURES = NETIF_TX_CHECKSUM | NETIF_TX_FRAGMENTS,
};

struct pair {
    struct world_stack *stack[2];
    struct device *device[2];
};

struct pair pair_start(uint64_t seed, size_t memory_size);

/* Both directions of the cable. */
void pair_set_path(struct pair *pair, const struct world_path *path);

/* One end of a transfer: sends `to_send` bytes of the pattern `key`, then
 * shuts down writing; reads until the end of file. */
struct mover {
    struct world_stack *stack;
    struct tcp_connection *connection;
    uint64_t to_send;
    uint64_t to_receive;
    uint64_t sent;
    uint64_t received;
    uint64_t read_pause_ns; /* reads only so often; 0: at once */
    uint64_t next_read_ns;
    uint64_t send_key;
    uint64_t receive_key;
    uint64_t done_ns;
    size_t chunk; /* most bytes of one write or read */
    int error;
    bool did_shut;
    bool saw_end;
    bool is_wrong; /* a byte differed */
    bool is_static;
};

/* The byte at `offset` of the pattern. */
uint8_t pattern_byte(uint64_t key, uint64_t offset);

/* Does what can be done now. True when it is over, either way. */
bool mover_run(struct mover *mover);

/* A connection from stack 0 to a listener on stack 1, both ends accepted.
 * False when it could not be made within a minute. */
bool pair_connect(struct pair *pair, uint16_t port,
                  const struct tcp_options *client_options,
                  struct tcp_connection *ends[2]);

/* Runs both until they are over; false after that time. */
bool pair_move(struct mover movers[2], uint64_t limit_ns);

/* Closes both ends, waits until every TIME-WAIT is over, and tells whether
 * all pools of both stacks are back where they were at the start. */
bool pair_is_clean(struct pair *pair);
