/* SPDX-License-Identifier: MIT */
/*
 * Listeners, seen from inside TCP.
 */
#pragma once

#include "net/tcp/internal.h"

struct tcp_listener {
    struct tcp_listener *next; /* of the same hash of the port, or free */
    struct tcp_endpoint local;
    void *owner;
    struct tcp_connection *accept_first;
    struct tcp_connection *accept_last;
    uint32_t accept_count;
    uint32_t backlog;
    uint32_t half_open_count;
    uint64_t cookies_until_ns; /* those that were sent are good no longer */
    struct tcp_options options;
};

/* Is there room in the accept queue? Counts when there is not. */
bool listener_has_room(const struct tcp_listener *listener);

/* Puts an established connection into the accept queue. */
void listener_offer(struct tcp_listener *listener, struct tcp_connection *c);

/* half_open.c: the listener is closed. */
void half_open_forget(const struct tcp_listener *listener);

/* A SYN for the listener, to be answered from identity.sequence on. */
struct half_open;
struct half_open *half_open_create(struct tcp_listener *listener,
                                   const struct tcp_tuple *tuple,
                                   const struct tcp_segment *segment,
                                   struct tcp_identity identity,
                                   uint64_t now_ns);

/* Owes a SYN-ACK or an ACK, in that packet or (NULL) in another. */
void half_open_owe(struct half_open *h, uint8_t flags, struct packet *packet,
                   uint64_t now_ns);

/* The same with nothing kept. */
bool half_open_wants_cookie(const struct tcp_listener *listener);
void half_open_send_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple, struct packet *packet,
                           const struct tcp_segment *segment, uint64_t now_ns);

/* An ACK for the listener: the packet is taken if it brings a cookie back,
 * else (false) it is still the caller's. */
bool half_open_take_cookie(struct tcp_listener *listener,
                           const struct tcp_tuple *tuple, struct packet *packet,
                           struct tcp_segment *segment,
                           uint64_t now_ns) MUST_CHECK;
