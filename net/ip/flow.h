/* SPDX-License-Identifier: MIT */
/*
 * The keyed hash of a flow: where the tables of the transports keep it.
 */
#pragma once

#include <stdint.h>

#include "net/hash.h"
#include "net/ip/address.h"

/* Both hosts in a word. */
static inline uint64_t ip_flow_hosts(const struct ip_address *local,
                                     const struct ip_address *remote)
{
    return be32_raw(ip_address_ipv4(local)) |
           (uint64_t)be32_raw(ip_address_ipv4(remote)) << 32;
}

static inline uint64_t ip_flow_hash(const struct hash_key *key,
                                    const struct ip_address *local,
                                    uint16_t local_port,
                                    const struct ip_address *remote,
                                    uint16_t remote_port)
{
    return hash_three(key, ip_flow_hosts(local, remote),
                      (uint32_t)local_port << 16 | remote_port);
}
