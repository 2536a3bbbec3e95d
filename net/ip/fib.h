/* SPDX-License-Identifier: MIT */
/*
 * The forwarding table of a router: many prefixes, several paths for one.
 */
#pragma once

#include <stddef.h>

#include "net/attributes.h"
#include "net/ip/route_table.h"

/* Takes its memory, for as many routes as the machine's size allows. -ENOMEM.
 * Boot. */
int fib_init(void) MUST_CHECK;

extern const struct ip_route_table fib_table;

/* How many prefixes there is room for. */
size_t fib_capacity(void);
