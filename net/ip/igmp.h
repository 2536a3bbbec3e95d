/* SPDX-License-Identifier: MIT */
/*
 * IGMP, the host's side (RFC 1112, 2236, 3376): which groups we hear, and
 * telling the routers. Linked only by who calls igmp_start.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

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

size_t igmp_group_count(void);
