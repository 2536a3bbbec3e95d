/* SPDX-License-Identifier: MIT */
/*
 * Addresses as the transports and sockets see them: 16 octets, an IPv4
 * address in its mapped form ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that
 * nothing above ip/ assumes 4 bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "net/wire/byteorder.h"

struct ip_address {
    uint8_t octet[16];
};

/* 00 00 ff ff in front of the four octets, as the machine reads them. */
#define IP_ADDRESS_MAPPED UINT64_C(0xffff0000)
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "written as words");

static inline struct ip_address ip_address_from_ipv4(struct be32 ipv4)
{
    uint64_t halves[2] = {0,
                          (uint64_t)be32_raw(ipv4) << 32 | IP_ADDRESS_MAPPED};
    struct ip_address address;

    memcpy(&address, halves, sizeof(address));
    return address;
}

static inline struct be32 ip_address_ipv4(const struct ip_address *address)
{
    struct be32 ipv4;

    memcpy(&ipv4, address->octet + 12, sizeof(ipv4));
    return ipv4;
}

static inline bool ip_address_equal(const struct ip_address *a,
                                    const struct ip_address *b)
{
    uint64_t left[2];
    uint64_t right[2];

    memcpy(left, a, sizeof(left));
    memcpy(right, b, sizeof(right));
    return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0;
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
