/* SPDX-License-Identifier: MIT */
/*
 * ICMP messages (RFC 792, RFC 1191): format only.
 */
#pragma once

#include "net/wire/byteorder.h"

enum {
    ICMP_HEADER_LENGTH = 8,
    /* RFC 1812 4.3.2.3: as much as fits 576 bytes in all. */
    ICMP_ERROR_TOTAL_MAX = 576,
    /* RFC 792: what an error must at least quote after the inner header. */
    ICMP_QUOTE_MIN = 8,
};

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_DESTINATION_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO_REQUEST = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
    ICMP_TIMESTAMP = 13,
    ICMP_TIMESTAMP_REPLY = 14,
    ICMP_INFORMATION = 15,
    ICMP_INFORMATION_REPLY = 16,
    ICMP_ADDRESS_MASK = 17,
    ICMP_ADDRESS_MASK_REPLY = 18,
};

enum icmp_unreachable_code {
    ICMP_NET_UNREACHABLE = 0,
    ICMP_HOST_UNREACHABLE = 1,
    ICMP_PROTOCOL_UNREACHABLE = 2,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP_FRAGMENTATION_NEEDED = 4,
    ICMP_SOURCE_ROUTE_FAILED = 5,
    ICMP_NET_UNKNOWN = 6,
    ICMP_HOST_UNKNOWN = 7,
    ICMP_NET_PROHIBITED = 9,
    ICMP_HOST_PROHIBITED = 10,
    ICMP_NET_TOS = 11,
    ICMP_HOST_TOS = 12,
    ICMP_PROHIBITED = 13,
};

enum icmp_time_exceeded_code {
    ICMP_TTL_EXCEEDED = 0,
    ICMP_REASSEMBLY_EXCEEDED = 1,
};

struct icmp_header {
    uint8_t type;
    uint8_t code;
    struct be16 checksum;
    /* Echo: identifier and sequence. Errors: unused, pointer in the first
     * octet, or the MTU in the last two. */
    uint8_t rest[4];
};

_Static_assert(sizeof(struct icmp_header) == ICMP_HEADER_LENGTH,
               "as on the wire");
