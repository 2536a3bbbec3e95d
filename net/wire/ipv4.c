/* SPDX-License-Identifier: MIT */
/*
 * IPv4 options (RFC 791 3.1, RFC 1122 3.2.1.8) and addresses as text.
 */
#include "net/wire/ipv4.h"

enum {
    OPTION_LENGTH_MIN = 2,
    /* Record route and source routes: type, length, pointer, then addresses;
     * the pointer counts from 1. */
    ROUTE_POINTER_MIN = 4,
    ROUTE_LENGTH_MIN = 3,
    TIMESTAMP_POINTER_MIN = 5,
    TIMESTAMP_LENGTH_MIN = 4,
    TIMESTAMP_LENGTH_MAX = 40,
};

/* The offset, within the option, of what is wrong with it; 0 if nothing is. */
static size_t check_option(const uint8_t *option, size_t length)
{
    switch (option[0]) {
    case IPV4_OPTION_RECORD_ROUTE:
    case IPV4_OPTION_LOOSE_SOURCE_ROUTE:
    case IPV4_OPTION_STRICT_SOURCE_ROUTE:
        if (length < ROUTE_LENGTH_MIN)
            return 1;
        /* "Full" is one past the end; anything beyond is a lie. */
        if (option[2] < ROUTE_POINTER_MIN || option[2] > length + 1)
            return 2;
        return 0;
    case IPV4_OPTION_TIMESTAMP:
        if (length < TIMESTAMP_LENGTH_MIN || length > TIMESTAMP_LENGTH_MAX)
            return 1;
        if (option[2] < TIMESTAMP_POINTER_MIN || option[2] > length + 1)
            return 2;
        return 0;
    default:
        return 0;
    }
}

bool ipv4_check_options(const void *header, size_t header_length,
                        struct ipv4_options *options)
{
    const uint8_t *bytes = header;
    size_t at = IPV4_HEADER_LENGTH;

    *options = (struct ipv4_options){false, 0};
    while (at < header_length && bytes[at] != IPV4_OPTION_END) {
        size_t length;
        size_t wrong;

        if (bytes[at] == IPV4_OPTION_NOP) {
            at++;
            continue;
        }
        if (header_length - at < OPTION_LENGTH_MIN) {
            options->error_offset = at;
            return false;
        }
        length = bytes[at + 1];
        if (length < OPTION_LENGTH_MIN || length > header_length - at) {
            options->error_offset = at + 1;
            return false;
        }
        if (bytes[at] == IPV4_OPTION_LOOSE_SOURCE_ROUTE ||
            bytes[at] == IPV4_OPTION_STRICT_SOURCE_ROUTE)
            options->has_source_route = true;
        wrong = check_option(bytes + at, length);
        if (wrong != 0) {
            options->error_offset = at + wrong;
            return false;
        }
        at += length;
    }
    return true;
}

char *ipv4_format(struct be32 address, char text[IPV4_TEXT_SIZE])
{
    char *at = text;

    for (int i = 0; i < 4; i++) {
        unsigned value = address.octet[i];

        if (i != 0)
            *at++ = '.';
        if (value >= 100)
            *at++ = (char)('0' + value / 100);
        if (value >= 10)
            *at++ = (char)('0' + value / 10 % 10);
        *at++ = (char)('0' + value % 10);
    }
    *at = '\0';
    return text;
}

bool ipv4_parse(const char *text, size_t length, struct be32 *address)
{
    size_t at = 0;

    for (int i = 0; i < 4; i++) {
        unsigned value = 0;
        size_t digits = 0;

        if (i != 0 && (at >= length || text[at++] != '.'))
            return false;
        for (; at < length && text[at] >= '0' && text[at] <= '9'; at++) {
            value = value * 10 + (unsigned)(text[at] - '0');
            if (++digits > 3)
                return false;
        }
        if (digits == 0 || value > 255)
            return false;
        address->octet[i] = (uint8_t)value;
    }
    return at == length;
}
