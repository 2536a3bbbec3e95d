/* SPDX-License-Identifier: MIT */
/*
 * The doors that kernel/ (and the host world) uses: start the stack, run its
 * two softirqs, ask when it wants to run next, read its counters. net.c is
 * also the wiring diagram of the protocols.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"

/* Takes pool memory and starts every layer. -ENOMEM names what was short in
 * the log. Boot, before any device is registered. */
int net_init(uint64_t now_ns) MUST_CHECK;

/* The receive softirq: polls devices, lets transports answer, kicks devices.
 * Returns true when work was left over. */
bool net_receive_softirq(uint64_t now_ns);

/* The timer softirq: what is due, then as above. */
void net_timer_softirq(uint64_t now_ns);

/* When net_timer_softirq should run next; PLATFORM_NEVER if nothing waits. */
uint64_t net_next_deadline(void);

/* Sets one named setting (`net.NAME=VALUE` of the command line; Linux's
 * sysctl name where there is one). -ENOENT: no such setting; -EINVAL: not a
 * value it takes. */
int net_set(const char *name, const char *value) MUST_CHECK;

/* One word of the command line: `ip=` in Linux's nfsroot syntax, for one
 * interface. Call once per word, before net_start. -EINVAL after naming the
 * bad field in the log. */
int net_configure_ip(const char *value) MUST_CHECK;

/* Brings the interfaces up as configured; those without a configuration ask
 * DHCP. True if one does. After all devices are registered. */
bool net_start(uint64_t now_ns);

/* True once an interface has an address; `text` (>= 16 bytes) receives the
 * first one's, for people. */
bool net_is_configured(char *text, size_t size);

/* Every counter of every layer, in one table: name (with Prometheus labels
 * where a thing has several), value, one line of help. */
void net_visit_counters(void (*visit)(void *context, const char *name,
                                      uint64_t value, const char *help),
                        void *context);

/* The same of parts that not every image has; NULL: none. */
extern void (*net_visit_more_counters)(void (*visit)(void *context,
                                                     const char *name,
                                                     uint64_t value,
                                                     const char *help),
                                       void *context);
