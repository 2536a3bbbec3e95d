/* SPDX-License-Identifier: MIT */
/*
 * Socket options about groups that are more than a number. App, lock held.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/attributes.h"

struct socket;

bool option_is_of_group(int level, int number);

int option_set_group(struct socket *socket, int number, const void *value,
                     socklen_t length, uint64_t now_ns) MUST_CHECK;
int option_get_group(const struct socket *socket, int number, void *value,
                     socklen_t *length) MUST_CHECK;
