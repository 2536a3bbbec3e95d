/* SPDX-License-Identifier: MIT */
/*
 * A connection in a named state, between the stack on the bench and the
 * remote, as the starting point of a test.
 */
#pragma once

#include "tests/host/remote.h"

struct scene {
    struct bench bench;
    struct dialogue peer;
    struct tcp_listener *listener;
    struct tcp_connection *connection;
    uint32_t notified; /* every bit told to the connection's owner */
    uint32_t listener_notified;
};

enum scene_flags {
    SCENE_TIMESTAMPS = 1 << 0,
    SCENE_SACK = 1 << 1,
    SCENE_SCALE = 1 << 2, /* the remote's scale is 2 */
    SCENE_SMALL = 1 << 3, /* a machine of 8 MB */
};

enum {
    SCENE_PORT = 80,
    SCENE_REMOTE_PORT = 40000,
    SCENE_MSS = 1460,
};

/* The stack listens. */
void scene_listen(struct scene *scene, unsigned flags);

/* The remote has connected; the app accepted. */
void scene_established(struct scene *scene, unsigned flags);

/* The app has connected to the remote. */
void scene_connected(struct scene *scene, unsigned flags);

/* The app has called connect; the SYN was seen. */
void scene_syn_sent(struct scene *scene, unsigned flags);

/* The established connection brought into a closing state. The remote's and
 * the stack's numbers in `peer` count the FINs that were exchanged. */
void scene_in_state(struct scene *scene, enum tcp_state state, unsigned flags);

/* The remote sends; numbers relative to the dialogue's, `seq` advances by
 * what it takes. */
void scene_says(struct scene *scene, uint16_t flags, const void *payload,
                size_t length);

/* The app writes, reads, closes, aborts. */
int scene_write(struct scene *scene, const void *bytes, size_t length,
                uint32_t flags);
int scene_write_pattern(struct scene *scene, size_t length);
int scene_read(struct scene *scene, void *bytes, size_t length);
void scene_close(struct scene *scene);
void scene_abort(struct scene *scene);
int scene_set(struct scene *scene, enum tcp_option option, int value);
enum tcp_state scene_state(const struct scene *scene);
struct tcp_status scene_status(const struct scene *scene);

/* Forty octets are written one by one, each answered by `answer` a round trip
 * of so long later: the stack knows it then. */
void scene_measure(struct scene *scene, uint64_t rtt_ns, void (*answer)(void));

/* Nothing from the stack in this instant, or for so long. */
bool scene_is_silent(struct scene *scene);
bool scene_is_silent_for(struct scene *scene, uint64_t duration_ns);

/* A counter of tcp_visit_counters; UINT64_MAX when there is none. */
uint64_t scene_counter(const char *name);

/* Nothing is held by TCP or in flight: all packets and buffers are free. */
bool scene_is_clean(struct scene *scene);
