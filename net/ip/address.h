/* SPDX-License-Identifier: MIT */
/*
 * Addresses as the transports and sockets see them: what they are made of is
 * known here alone, so that nothing above ip/ assumes 4 bytes. IPv6 would make
 * them larger, and with them all that names both ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/wire/byteorder.h"

struct ip_address {
    struct be32 ipv4;
};

static inline struct ip_address ip_address_from_ipv4(struct be32 ipv4)
{
    return (struct ip_address){ipv4};
}

static inline struct be32 ip_address_ipv4(const struct ip_address *address)
{
    return address->ipv4;
}

static inline bool ip_address_equal(const struct ip_address *a,
                                    const struct ip_address *b)
{
    return be32_equal(a->ipv4, b->ipv4);
}

/* 0.0.0.0 (or, later, ::). */
static inline bool ip_address_is_any(const struct ip_address *address)
{
    return be32_get(ip_address_ipv4(address)) == 0;
}

/* 224.0.0.0/4 (or, later, ff00::/8). */
static inline bool ip_address_is_multicast(const struct ip_address *address)
{
    return (ip_address_ipv4(address).octet[0] & 0xf0) == 0xe0;
}
