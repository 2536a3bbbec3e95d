/* SPDX-License-Identifier: MIT */
/*
 * The wiring of what only a router has: a forwarding table for many prefixes,
 * forwarding, source validation, rejects, queueing disciplines. Who never
 * calls net_router_init links none of it (kernel/main_parts.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"

/* Makes a router of the host. -ENOMEM after naming in the log what was short.
 * Boot, right after net_init. */
int net_router_init(uint64_t now_ns) MUST_CHECK;

/* One word of the command line, by its name ("route", "qdisc"). -EINVAL,
 * -ENOSPC, -ENOENT (no such word). Boot, after net_router_init. */
int net_router_word(const char *name, const char *value) MUST_CHECK;

/* A route as behind the word `route=`, at once and while all runs: -EINVAL,
 * -ENOSPC, -ENETUNREACH (no interface leads to its gateway now). It goes with
 * its interface's address. App, locked. */
int net_router_route_now(const char *value) MUST_CHECK;

/* All cards are registered, none is configured: disciplines are attached. */
void net_router_start(uint64_t now_ns);

/* Each route as a line of `ip route` would have it, without a newline; then
 * each path MTU that is known. */
void net_router_visit_routes(void (*visit)(void *context, const char *line),
                             void *context);

/* Each discipline's counters: interface, discipline, name, value. */
void net_router_visit_qdiscs(void (*visit)(void *context, const char *netif,
                                           const char *discipline,
                                           const char *name, uint64_t value),
                             void *context);
