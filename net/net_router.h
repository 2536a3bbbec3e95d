/* SPDX-License-Identifier: MIT */
/*
 * The wiring of what only a router has: a forwarding table for many prefixes,
 * forwarding, source validation, rejects. Who never calls net_router_init
 * links none of it (kernel/main_parts.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"

/* Makes a router of the host. -ENOMEM after naming in the log what was short.
 * Boot, right after net_init. */
int net_router_init(uint64_t now_ns) MUST_CHECK;
