/* SPDX-License-Identifier: MIT */
/*
 * TCP_INFO, as Linux lays it out. App, lock held.
 */
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "net/attributes.h"

struct socket;

/* Of a stream socket: as many bytes as fit; *length becomes so many. */
int option_get_info(const struct socket *socket, void *value, socklen_t *length,
                    uint64_t now_ns) MUST_CHECK;
