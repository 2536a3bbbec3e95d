/* SPDX-License-Identifier: MIT */
/*
 * One end of the relay: a TAP interface, or a stream socket on which every
 * frame follows its length in four bytes, big end first (QEMU's -netdev
 * stream). Linux only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    WIRE_INPUT_BYTES = 256 * 1024,
    WIRE_OUTPUT_BYTES = 256 * 1024,
};

struct wire_port {
    const char *name; /* as given on the command line */
    int fd;
    int listener; /* -1 unless a peer is still to be accepted */
    bool is_stream;
    uint64_t refused; /* frames the interface would not take */
    size_t input_start, input_end;
    size_t output_start, output_end;
    uint8_t input[WIRE_INPUT_BYTES];
    uint8_t output[WIRE_OUTPUT_BYTES];
};

/* Opens "tap:NAME", "listen:PATH" or "connect:PATH"; prints why it cannot. */
bool wire_port_open(struct wire_port *port, const char *name);
/* Waits for the peer of a listening port. */
bool wire_port_accept(struct wire_port *port);
/* Reads what is there without waiting. False when the peer is gone. */
bool wire_port_fill(struct wire_port *port);
/* The next whole frame read, valid until the next fill; NULL when none. */
uint8_t *wire_port_next(struct wire_port *port, size_t *length);
bool wire_port_has_frame(const struct wire_port *port);
/* Room for one more frame of any size. */
bool wire_port_can_send(const struct wire_port *port);
void wire_port_send(struct wire_port *port, const uint8_t *bytes,
                    size_t length);
/* Writes what waits, as far as it goes. False when the peer is gone. */
bool wire_port_flush(struct wire_port *port);
bool wire_port_is_waiting(const struct wire_port *port);
