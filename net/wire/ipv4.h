/* SPDX-License-Identifier: MIT */
/*
 * IPv4 headers (RFC 791) and the classes of addresses (RFC 1122 3.2.1.3, RFC
 * 6890): format only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/byteorder.h"

enum {
    IPV4_HEADER_LENGTH = 20,
    IPV4_HEADER_MAX = 60,
    IPV4_TOTAL_MAX = 65535,
    IPV4_MINIMUM_MTU = 68,
    IPV4_DEFAULT_TTL = 64,
    IPV4_FRAGMENT_UNIT = 8,
};

/* Of the fragment field. */
enum ipv4_fragment_bits {
    IPV4_DONT_FRAGMENT = 0x4000,
    IPV4_MORE_FRAGMENTS = 0x2000,
    IPV4_FRAGMENT_OFFSET = 0x1fff,
};

enum ipv4_option {
    IPV4_OPTION_END = 0,
    IPV4_OPTION_NOP = 1,
    IPV4_OPTION_RECORD_ROUTE = 7,
    IPV4_OPTION_TIMESTAMP = 68,
    IPV4_OPTION_LOOSE_SOURCE_ROUTE = 131,
    IPV4_OPTION_STRICT_SOURCE_ROUTE = 137,
    IPV4_OPTION_ROUTER_ALERT = 148,
    IPV4_OPTION_COPIED = 0x80, /* the bit that says: into every fragment */
};

struct ipv4_header {
    uint8_t version_ihl;
    uint8_t tos;
    struct be16 total_length;
    struct be16 identification;
    struct be16 fragment;
    uint8_t ttl;
    uint8_t protocol;
    struct be16 checksum;
    struct be32 source;
    struct be32 destination;
};

_Static_assert(sizeof(struct ipv4_header) == IPV4_HEADER_LENGTH,
               "as on the wire");

static inline size_t ipv4_header_length(const struct ipv4_header *header)
{
    return (size_t)(header->version_ihl & 0xf) * 4;
}

static inline bool ipv4_is_fragment(const struct ipv4_header *header)
{
    static const struct be16 bits = {{0x3f, 0xff}};

    return (be16_raw(header->fragment) & be16_raw(bits)) != 0;
}

/* 0/8: "this host on this network". */
static inline bool ipv4_is_this_network(struct be32 address)
{
    return address.octet[0] == 0;
}

static inline bool ipv4_is_loopback(struct be32 address)
{
    return address.octet[0] == 127;
}

static inline bool ipv4_is_multicast(struct be32 address)
{
    return (address.octet[0] & 0xf0) == 0xe0;
}

/* 240/4, the limited broadcast included. */
static inline bool ipv4_is_class_e(struct be32 address)
{
    return address.octet[0] >= 240;
}

static inline bool ipv4_is_limited_broadcast(struct be32 address)
{
    return be32_get(address) == 0xffffffff;
}

/* May an interface have this address? */
static inline bool ipv4_is_unicast(struct be32 address)
{
    uint8_t network = address.octet[0]; /* 1 to 223, and not 127 */

    return (uint8_t)(network - 1) < 223 && network != 127;
}

/* Ones followed by zeros; /0 to /32. */
static inline bool ipv4_is_netmask(struct be32 mask)
{
    uint32_t inverse = ~be32_get(mask);

    return (inverse & (inverse + 1)) == 0;
}

static inline struct be32 ipv4_netmask(unsigned prefix_length)
{
    return be32_from(prefix_length == 0 ? 0
                                        : UINT32_MAX << (32 - prefix_length));
}

static inline unsigned ipv4_prefix_length(struct be32 mask)
{
    unsigned length = 0;

    for (uint32_t bits = be32_get(mask); (bits & 0x80000000) != 0; bits <<= 1)
        length++;
    return length;
}

static inline bool ipv4_same_network(struct be32 a, struct be32 b,
                                     struct be32 mask)
{
    return ((be32_get(a) ^ be32_get(b)) & be32_get(mask)) == 0;
}

/* What the options of a header say. */
struct ipv4_options {
    bool has_source_route;
    size_t error_offset; /* of a malformed octet, from the header's start */
};

/* Looks at every option; false when one is malformed (RFC 791 3.1: lengths
 * within the header, pointers within the option). Unknown ones are skipped. */
bool ipv4_check_options(const void *header, size_t header_length,
                        struct ipv4_options *options);

enum {
    IPV4_TEXT_SIZE = 16, /* "255.255.255.255" and its zero */
};

/* Dotted quad, for people: strictly four decimal numbers. `parse` takes
 * `length` characters and wants all of them. */
char *ipv4_format(struct be32 address, char text[IPV4_TEXT_SIZE]);
bool ipv4_parse(const char *text, size_t length, struct be32 *address);
