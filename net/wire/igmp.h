/* SPDX-License-Identifier: MIT */
/*
 * IGMP messages (RFC 2236 2, RFC 3376 4): format only.
 */
#pragma once

#include "net/wire/byteorder.h"

enum igmp_type {
    IGMP_QUERY = 0x11,
    IGMP_REPORT_1 = 0x12,
    IGMP_REPORT_2 = 0x16,
    IGMP_LEAVE_2 = 0x17,
    IGMP_REPORT_3 = 0x22,
};

enum igmp_record_type {
    IGMP_IS_EXCLUDE = 2,
    IGMP_TO_INCLUDE = 3,
    IGMP_TO_EXCLUDE = 4,
};

struct igmp_header {
    uint8_t type;
    uint8_t code; /* of a query: when to answer at the latest */
    struct be16 checksum;
    struct be32 group;
};

struct igmp_query {
    uint8_t type;
    uint8_t code;
    struct be16 checksum;
    struct be32 group;
    /* Version 3 only. */
    uint8_t flags;
    uint8_t interval;
    struct be16 source_count;
};

/* With one record, without sources. */
struct igmp_report {
    uint8_t type;
    uint8_t reserved;
    struct be16 checksum;
    struct be16 reserved_too;
    struct be16 record_count;
    uint8_t record_type;
    uint8_t auxiliary_length;
    struct be16 source_count;
    struct be32 group;
};

_Static_assert(sizeof(struct igmp_header) == 8, "as on the wire");
_Static_assert(sizeof(struct igmp_query) == 12, "as on the wire");
_Static_assert(sizeof(struct igmp_report) == 16, "as on the wire");
