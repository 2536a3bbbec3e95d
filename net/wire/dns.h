/* SPDX-License-Identifier: MIT */
/*
 * DNS messages (RFC 1035 4): format only. Names are text in lower case,
 * without the last dot.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/byteorder.h"

enum {
    DNS_PORT = 53,
    DNS_HEADER_LENGTH = 12,
    DNS_MESSAGE_MAX = 512, /* over UDP, without EDNS */
    DNS_LABEL_MAX = 63,
    DNS_TEXT_MAX = 253, /* a name of 255 octets as text */
    DNS_TEXT_SIZE = DNS_TEXT_MAX + 1,
    DNS_QUERY_MAX = DNS_HEADER_LENGTH + 255 + 4,
    DNS_ADDRESSES = 8, /* kept of one answer */
    DNS_CHAIN_MAX = 8, /* CNAMEs followed */
};

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_CNAME = 5,
    DNS_TYPE_SOA = 6,
    DNS_TYPE_PTR = 12,
};

enum dns_code {
    DNS_CODE_OK = 0,
    DNS_CODE_NO_NAME = 3,
};

/* Checks a name and brings it to the form used here. False when it cannot be
 * asked for. */
bool dns_normalise(const char *name, char text[DNS_TEXT_SIZE]);

/* Reads the name at `at`, following compression strictly backwards. Returns
 * the offset behind it, or 0 when it is malformed. */
size_t dns_read_name(const uint8_t *message, size_t length, size_t at,
                     char text[DNS_TEXT_SIZE]);

/* Writes a query for a normalised name; returns its length. */
size_t dns_build_query(uint8_t bytes[DNS_QUERY_MAX], uint16_t id,
                       const char *name, enum dns_type type);

struct dns_answer {
    unsigned code; /* enum dns_code, others are failures */
    bool is_truncated;
    uint32_t ttl_s; /* the least of all; of the SOA if there is no answer */
    size_t count;   /* of addresses */
    struct be32 addresses[DNS_ADDRESSES];
    char name[DNS_TEXT_SIZE];    /* the end of the chain of CNAMEs */
    char pointer[DNS_TEXT_SIZE]; /* PTR: the name; empty: none */
};

enum dns_verdict {
    DNS_IS_ANSWER,
    DNS_NOT_FOR_US, /* another id or question: keep waiting */
    DNS_MALFORMED,
};

enum dns_verdict dns_parse_answer(const uint8_t *message, size_t length,
                                  uint16_t id, const char *name,
                                  enum dns_type type,
                                  struct dns_answer *answer);
