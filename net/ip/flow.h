/* SPDX-License-Identifier: MIT */
/*
 * The keyed hash of a flow: where the tables of the transports keep it. IPv4
 * flows, whose addresses are mapped, cost two words instead of five.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "net/hash.h"
#include "net/ip/address.h"

static inline uint64_t ip_address_half(const struct ip_address *address,
                                       int half)
{
    uint64_t word;

    memcpy(&word, address->octet + 8 * half, sizeof(word));
    return word;
}

static inline uint64_t ip_flow_hash(const struct hash_key *key,
                                    const struct ip_address *local,
                                    uint16_t local_port,
                                    const struct ip_address *remote,
                                    uint16_t remote_port)
{
    uint64_t ports = (uint64_t)local_port << 16 | remote_port;
    uint64_t mapped = ip_address_half(local, 0) | ip_address_half(remote, 0);
    uint64_t words[5];

    if (mapped == 0)
        return hash_three(key,
                          ip_address_half(local, 1) >> 32 |
                              (ip_address_half(remote, 1) >> 32) << 32,
                          (uint32_t)ports);
    words[0] = ip_address_half(local, 0);
    words[1] = ip_address_half(local, 1);
    words[2] = ip_address_half(remote, 0);
    words[3] = ip_address_half(remote, 1);
    words[4] = ports;
    return hash_words(key, words, 5);
}
