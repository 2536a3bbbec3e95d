/* SPDX-License-Identifier: MIT */
/*
 * What a DHCP server gives, put right: times that contradict each other, and
 * addresses no host can have.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/wire/dhcp.h"

/* All PLATFORM_NEVER: infinite. */
struct lease_times {
    uint64_t t1_ns; /* renew */
    uint64_t t2_ns; /* rebind; t1 <= t2 <= expires */
    uint64_t expires_ns;
};

/* Counted from when the request was sent (RFC 2131 4.4.1). */
void lease_compute_times(const struct dhcp_reply *reply, uint64_t sent_ns,
                         struct lease_times *times);

/* 1 to 32; only of a usable one. */
unsigned lease_prefix_length(const struct dhcp_reply *reply);

/* An address that a host can have, in the network it is said to be in. */
bool lease_is_usable(const struct dhcp_reply *reply);
