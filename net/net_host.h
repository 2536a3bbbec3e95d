/* SPDX-License-Identifier: MIT */
/*
 * The wiring of what a host has and a router has no room for: MSG_ZEROCOPY. Who
 * never calls net_host_init links none of it (kernel/main_parts.h).
 */
#pragma once

/* Boot, right after net_init. */
void net_host_init(void);
