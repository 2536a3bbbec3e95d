/* SPDX-License-Identifier: MIT */
/*
 * Stream sockets: the TCP half of each call in socket.c. All with the lock
 * held, `*now_ns` kept current across waits. Private to net/socket.
 */
#pragma once

#include "net/socket/table.h"

#include <sys/socket.h>
#include <sys/types.h>

int stream_bind(struct socket *socket, const struct tcp_endpoint *local);
int stream_listen(struct socket *socket, int backlog);
int stream_accept(struct socket *socket, int flags, uint64_t *now_ns);
int stream_connect(struct socket *socket, const struct tcp_endpoint *remote,
                   uint64_t *now_ns);
/* `always`: enum tcp_write_flags, beside those that follow from `flags`. */
ssize_t stream_send(struct socket *socket, const struct iovec *pieces,
                    size_t count, int flags, uint32_t always, uint64_t *now_ns);
ssize_t stream_receive(struct socket *socket, const struct iovec *pieces,
                       size_t count, int flags, uint64_t *now_ns);
bool stream_is_connected(const struct socket *socket);
int stream_shutdown(struct socket *socket, int how, uint64_t now_ns);
void stream_close(struct socket *socket, uint64_t *now_ns);
/* POLL* for enum tcp_ready. */
short stream_events(uint32_t ready);
short stream_poll_events(const struct socket *socket);
