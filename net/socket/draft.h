/* SPDX-License-Identifier: MIT */
/*
 * What a stream socket was told before it listens or connects: where it is
 * bound, its options. Most are told nothing (those that accept() makes above
 * all), so it is kept in an object of its own, from a small pool. Private to
 * net/socket.
 */
#pragma once

#include "net/socket/table.h"

struct stream_draft {
    struct tcp_endpoint local;
    struct tcp_options options;
};

int drafts_init(size_t sockets) MUST_CHECK;
size_t drafts_used(void);

/* The socket's, to be written; NULL: none is to be had. */
struct stream_draft *draft_of(struct socket *socket) MUST_CHECK;

/* The same to be read: what holds for who was told nothing. */
struct stream_draft draft_read(const struct socket *socket);

int draft_set_option(struct socket *socket, enum tcp_option option,
                     int value) MUST_CHECK;
int draft_get_option(const struct socket *socket, enum tcp_option option);

/* It is no longer needed. */
void draft_release(struct socket *socket);
