/* SPDX-License-Identifier: MIT */
/*
 * Where a script is played: before a stack in this process (stage_world.c),
 * or before the shared object, through packetdrill's interface
 * (tests/packetdrill/stage_object.c). Which one is chosen at the link, and
 * with it who stands behind the functions of net/socket/socket.h that scripts
 * call, and behind app.h. Times are nanoseconds of the stage's own clock.
 */
#pragma once

#include "tests/script/script.h"

#include <poll.h>

struct stage_packet {
    struct stage_packet *next;
    uint64_t time_ns; /* when it was sent */
    size_t length;
    uint8_t bytes[]; /* from the IPv4 header on */
};

/* What of the script cannot be seen on this stage, or NULL. */
const char *stage_lacks(const struct script *script);

/* Once a process. NULL, or the setting it refuses. */
const char *stage_start(const struct script *script);

/* Begins to write what crosses the cable into a file of libpcap's format. */
void stage_capture(const char *file);

uint64_t stage_now(void);
void stage_run_until(uint64_t time_ns);

/* An IPv4 packet for the stack, dealt with before this returns. */
void stage_inject(const uint8_t *packet, size_t length);

/* The oldest packet not taken; waits until then for one. NULL, or to be
 * freed. */
struct stage_packet *stage_take(uint64_t until_ns);

/* poll(); descriptors are those of net/socket/socket.h, INT_MAX if closed. */
int stage_poll(struct pollfd *list, size_t count, int timeout_ms);

/* Linux's number of the state of peer 1's connection, whoever owns it. */
int stage_state(void);

/* One of net_visit_counters(). */
bool stage_counter(const char *name, uint64_t *value);

/* What the stack has not given back, as text; "" if all is there. */
const char *stage_leaks(void);
