/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets: the UDP half of each call in socket.c. All with the lock
 * held, `*now_ns` kept current across waits. Private to net/socket.
 */
#pragma once

#include "net/socket/table.h"

#include <sys/socket.h>
#include <sys/types.h>

int datagram_open(struct socket *socket);
int datagram_bind(struct socket *socket, const struct tcp_endpoint *local);
int datagram_connect(struct socket *socket, const struct sockaddr *address,
                     socklen_t length);
ssize_t datagram_send(struct socket *socket, const struct msghdr *message,
                      uint64_t now_ns);
ssize_t datagram_receive(struct socket *socket, struct msghdr *message,
                         int flags, uint64_t *now_ns);
int datagram_shutdown(struct socket *socket, int how);
/* POLL* for enum udp_ready. */
short datagram_events(uint32_t ready);
short datagram_poll_events(const struct socket *socket);
struct tcp_endpoint datagram_local(const struct socket *socket);
int datagram_remote(const struct socket *socket, struct tcp_endpoint *remote);
