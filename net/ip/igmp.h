/* SPDX-License-Identifier: MIT */
/*
 * IGMP, the host's side (RFC 1112, 2236, 3376): which groups we hear, and
 * telling the routers. Linked only by who calls igmp_start.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct netif;

struct igmp_counters {
    uint64_t in_queries;
    uint64_t in_reports;
    uint64_t in_errors; /* malformed, or not from this link */
    uint64_t out_reports;
    uint64_t out_leaves;
};

extern struct igmp_counters igmp_counters;

/* Hangs itself into ip/ (ip_multicast). Boot, after ip_init. */
void igmp_start(void);

/* ip_multicast's set_membership. */
int igmp_set_membership(const void *owner, bool is_join, const void *value,
                        size_t length, uint64_t now_ns);

/* ...and its read_interface. */
int igmp_read_interface(const void *value, size_t length, struct netif **netif);

size_t igmp_group_count(void);
