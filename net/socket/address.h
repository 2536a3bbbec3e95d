/* SPDX-License-Identifier: MIT */
/*
 * struct sockaddr and the endpoints of the transports. Private to net/socket.
 */
#pragma once

#include "net/attributes.h"
#include "net/tcp/tcp.h"

#include <sys/socket.h>

/* -EINVAL too short, -EAFNOSUPPORT not AF_INET. */
int address_parse(const struct sockaddr *address, socklen_t length,
                  struct tcp_endpoint *endpoint) MUST_CHECK;

/* The same of a peer: 0.0.0.0 is this host, as on Linux and the BSDs. */
int address_parse_peer(const struct sockaddr *address, socklen_t length,
                       struct tcp_endpoint *endpoint) MUST_CHECK;

/* Stores as much as fits and sets *length to the whole length (POSIX
 * accept()). Nothing happens when address is NULL. */
void address_store(const struct tcp_endpoint *endpoint,
                   struct sockaddr *address, socklen_t *length);
