/* SPDX-License-Identifier: MIT */
/*
 * IP addresses to and from text: dotted quads as inet_pton wants them (four
 * decimal numbers, no leading zeros), the older forms of inet_aton, and IPv6
 * read as RFC 4291 2.2 and written as RFC 5952 4.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "libc/pure/format.h"

enum {
    GROUPS = 8, /* of 16 bits in an IPv6 address */
};

/* Four octets; returns what follows them, or NULL. */
static const char *parse_ipv4(const char *text, uint8_t octet[4])
{
    for (int i = 0; i < 4; ++i) {
        unsigned value = 0;
        const char *start = text;

        if (i > 0 && *text++ != '.')
            return NULL;
        start = text;
        for (; isdigit((unsigned char)*text) && text - start < 4; ++text)
            value = value * 10 + (unsigned)(*text - '0');
        if (text == start || value > 255 || (*start == '0' && text > start + 1))
            return NULL;
        octet[i] = (uint8_t)value;
    }
    return text;
}

/* One to four hexadecimal digits; returns what follows them, or NULL. */
static const char *parse_group(const char *text, uint16_t *group)
{
    char digits[5] = {0};
    size_t length = 0;

    while (length < 4 && isxdigit((unsigned char)text[length])) {
        digits[length] = text[length];
        ++length;
    }
    if (length == 0 || isxdigit((unsigned char)text[length]))
        return NULL;
    *group = (uint16_t)strtoul(digits, NULL, 16);
    return text + length;
}

/* Groups until the text ends or "::" comes; -1 when it is malformed. The last
 * two may be a dotted quad. */
static int parse_groups(const char **text, uint16_t *groups, int room)
{
    int count = 0;

    while (count < room && **text != '\0' && strncmp(*text, "::", 2) != 0) {
        const char *start = *text;
        const char *next;
        uint8_t octet[4];

        if (count > 0 && *start++ != ':')
            return -1;
        next = parse_ipv4(start, octet);
        if (next != NULL && *next == '\0' && count + 2 <= room) {
            groups[count++] = (uint16_t)(octet[0] << 8 | octet[1]);
            groups[count++] = (uint16_t)(octet[2] << 8 | octet[3]);
            *text = next;
            return count;
        }
        next = parse_group(start, &groups[count++]);
        if (next == NULL)
            return -1;
        *text = next;
    }
    return count;
}

static bool parse_ipv6(const char *text, uint8_t octet[16])
{
    uint16_t groups[GROUPS] = {0};
    uint16_t tail[GROUPS] = {0};
    int head_count = parse_groups(&text, groups, GROUPS);

    if (head_count < 0)
        return false;
    if (head_count < GROUPS && strncmp(text, "::", 2) == 0) {
        int room = GROUPS - 1 - head_count;
        int tail_count;

        text += 2;
        tail_count = parse_groups(&text, tail, room);
        if (tail_count < 0)
            return false;
        memcpy(groups + GROUPS - tail_count, tail,
               (size_t)tail_count * sizeof(tail[0]));
        head_count = GROUPS;
    }
    if (head_count != GROUPS || *text != '\0')
        return false;
    for (int i = 0; i < GROUPS; ++i) {
        octet[2 * i] = (uint8_t)(groups[i] >> 8);
        octet[2 * i + 1] = (uint8_t)groups[i];
    }
    return true;
}

int inet_pton(int family, const char *restrict text, void *restrict address)
{
    uint8_t octet[16];
    const char *end;

    switch (family) {
    case AF_INET:
        end = parse_ipv4(text, octet);
        if (end == NULL || *end != '\0')
            return 0;
        memcpy(address, octet, 4);
        return 1;
    case AF_INET6:
        if (!parse_ipv6(text, octet))
            return 0;
        memcpy(address, octet, 16);
        return 1;
    default:
        errno = EAFNOSUPPORT;
        return -1;
    }
}

/* The longest run of at least two zero groups, the first of equals. */
static int find_zero_run(const uint16_t groups[GROUPS], int *run_length)
{
    int best = -1;
    int start = 0;

    *run_length = 1;
    for (int i = 0; i < GROUPS; ++i) {
        if (groups[i] != 0) {
            start = i + 1;
        } else if (i + 1 - start > *run_length) {
            best = start;
            *run_length = i + 1 - start;
        }
    }
    return best;
}

static size_t write_ipv4(char *text, size_t size, const uint8_t octet[4])
{
    return format_print(text, size, "%u.%u.%u.%u", octet[0], octet[1], octet[2],
                        octet[3]);
}

static size_t write_ipv6(char *text, const uint8_t octet[16])
{
    uint16_t groups[GROUPS];
    int run_length;
    int run;
    size_t used = 0;
    bool is_mapped;

    for (int i = 0; i < GROUPS; ++i)
        groups[i] = (uint16_t)(octet[2 * i] << 8 | octet[2 * i + 1]);
    run = find_zero_run(groups, &run_length);
    /* RFC 5952 5: the mapped (and the old compatible) form keeps its quad. */
    is_mapped = run == 0 &&
                ((run_length == 5 && groups[5] == 0xffff) || run_length == 6);
    for (int i = 0; i < GROUPS; ++i) {
        if (i == run) {
            used += format_print(text + used, INET6_ADDRSTRLEN - used, "::");
            i += run_length - 1;
            continue;
        }
        if (i > 0 && i != run + run_length)
            text[used++] = ':';
        if (i == 6 && is_mapped)
            return used +
                   write_ipv4(text + used, INET6_ADDRSTRLEN - used, octet + 12);
        used +=
            format_print(text + used, INET6_ADDRSTRLEN - used, "%x", groups[i]);
    }
    return used;
}

const char *inet_ntop(int family, const void *restrict address,
                      char *restrict text, socklen_t size)
{
    char whole[INET6_ADDRSTRLEN];
    size_t length;

    switch (family) {
    case AF_INET:
        length = write_ipv4(whole, sizeof(whole), address);
        break;
    case AF_INET6:
        length = write_ipv6(whole, address);
        break;
    default:
        errno = EAFNOSUPPORT;
        return NULL;
    }
    if (length >= size) {
        errno = ENOSPC;
        return NULL;
    }
    memcpy(text, whole, length);
    text[length] = '\0';
    return text;
}

int inet_aton(const char *text, struct in_addr *address)
{
    unsigned long part[4];
    unsigned long value;
    int count = 0;
    char *end;

    do {
        if (count == 4 || !isdigit((unsigned char)*text))
            return 0;
        part[count] = strtoul(text, &end, 0);
        text = end + 1;
    } while (part[count++] <= UINT32_MAX && *end == '.');
    if (*end != '\0' && !isspace((unsigned char)*end))
        return 0;
    /* The last number fills all the octets that are left. */
    value = part[count - 1];
    if (value > UINT32_MAX >> (8 * (count - 1)))
        return 0;
    for (int i = 0; i < count - 1; ++i) {
        if (part[i] > 255)
            return 0;
        value |= part[i] << (24 - 8 * i);
    }
    address->s_addr = htonl((uint32_t)value);
    return 1;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;

    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
    static char text[INET_ADDRSTRLEN];

    write_ipv4(text, sizeof(text), (const uint8_t *)&address);
    return text;
}
