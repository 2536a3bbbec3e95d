/* SPDX-License-Identifier: MIT */
/*
 * Ethernet II frames and 802.1Q tags: format only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "net/wire/byteorder.h"

enum {
    ETHERNET_HEADER_LENGTH = 14,
    ETHERNET_MINIMUM_LENGTH = 60, /* without FCS */
    ETHERNET_VLAN_LENGTH = 4,
    ETHERNET_MTU = 1500,
};

enum ethernet_type {
    ETHERNET_TYPE_IPV4 = 0x0800,
    ETHERNET_TYPE_ARP = 0x0806,
    ETHERNET_TYPE_VLAN = 0x8100,
    ETHERNET_TYPE_QINQ = 0x88a8,
};

struct ethernet_address {
    uint8_t octet[6];
};

struct ethernet_header {
    struct ethernet_address destination;
    struct ethernet_address source;
    struct be16 type;
};

_Static_assert(sizeof(struct ethernet_header) == ETHERNET_HEADER_LENGTH,
               "as on the wire");

static inline bool ethernet_address_equal(const struct ethernet_address *a,
                                          const struct ethernet_address *b)
{
    uint32_t left;
    uint32_t right;
    uint16_t left_end;
    uint16_t right_end;

    memcpy(&left, a->octet, sizeof(left));
    memcpy(&right, b->octet, sizeof(right));
    memcpy(&left_end, a->octet + 4, sizeof(left_end));
    memcpy(&right_end, b->octet + 4, sizeof(right_end));
    return ((left ^ right) | (uint32_t)(left_end ^ right_end)) == 0;
}

/* Multicast or broadcast: the first bit on the wire. */
static inline bool
ethernet_address_is_group(const struct ethernet_address *address)
{
    return (address->octet[0] & 1) != 0;
}

static inline bool
ethernet_address_is_zero(const struct ethernet_address *address)
{
    static const struct ethernet_address zero;
    return ethernet_address_equal(address, &zero);
}

static inline bool
ethernet_address_is_broadcast(const struct ethernet_address *address)
{
    return (address->octet[0] & address->octet[1] & address->octet[2] &
            address->octet[3] & address->octet[4] & address->octet[5]) == 0xff;
}
