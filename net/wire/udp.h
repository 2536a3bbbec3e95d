/* SPDX-License-Identifier: MIT */
/*
 * UDP headers (RFC 768): format only.
 */
#pragma once

#include "net/wire/byteorder.h"

enum {
    UDP_HEADER_LENGTH = 8,
    UDP_CHECKSUM_OFFSET = 6,
    UDP_PAYLOAD_MAX = 65535 - 20 - 8,
};

struct udp_header {
    struct be16 source_port;
    struct be16 destination_port;
    struct be16 length;
    struct be16 checksum; /* 0: none */
};

_Static_assert(sizeof(struct udp_header) == UDP_HEADER_LENGTH,
               "as on the wire");
