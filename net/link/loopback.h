/* SPDX-License-Identifier: MIT */
/*
 * lo: what is sent on it comes back on the next poll.
 */
#pragma once

#include "net/attributes.h"
#include "net/link/netif.h"

/* Registers it: the first interface, up for ever. */
int loopback_init(void) MUST_CHECK;

struct netif *loopback_netif(void);
