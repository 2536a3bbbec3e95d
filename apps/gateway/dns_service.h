/* SPDX-License-Identifier: MIT */
/*
 * The caching forwarder's face to the LAN: port 53 over UDP and TCP.
 */
#pragma once

#include "dns_local.h"

#include <stdbool.h>

struct dns_service_counters {
    uint64_t queries, malformed, local, cached, forwarded, failed, truncated;
    uint64_t streams, streams_refused, dropped;
};

extern struct dns_service_counters dns_service_counters;

/* The servers of the uplink, when the file names none for a question. */
void dns_service_set_uplink(const struct config_server *servers, size_t count);

/* Listens on the LAN's address, on `port`. `place` must stay. False: errno
 * says why. */
bool dns_service_start(const struct dns_place *place, unsigned port);

/* As dns_relay_*: also for slow clients over TCP. */
int dns_service_timeout_ms(void);
void dns_service_expire(void);
