/* SPDX-License-Identifier: MIT */
/*
 * Questions the gateway answers by itself: names of leases and of the file,
 * what must not leave the LAN, and whom to ask otherwise.
 */
#pragma once

#include "config.h"
#include "dns_message.h"

struct dns_place {
    const struct config *config;
    const char *own_name; /* of the gateway: one label */
    uint32_t own_address;
    uint32_t netmask;
};

/* Writes the answer, at most DNS_UDP_SIZE bytes, and returns its length; 0
 * when somebody else must be asked. */
size_t dns_local_answer(const struct dns_place *place, const uint8_t *bytes,
                        const struct dns_query *query, uint64_t now_s,
                        uint8_t *reply);

/* The servers of the file for this name, those with the longest domain:
 * copies up to `limit`, returns how many; 0: the uplink's. */
size_t dns_local_servers(const struct config *config,
                         const struct dns_question *question,
                         struct config_server *servers, size_t limit);
