/* SPDX-License-Identifier: MIT */
/*
 * The readers of DNS and DHCP messages and of IP options, by themselves. The
 * first byte chooses; the message stands at the end of its own allocation, so
 * that a read past it is seen.
 */
#include "net/wire/dhcp.h"
#include "net/wire/dns.h"
#include "net/wire/ipv4.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void read_dns(const uint8_t *bytes, size_t length, enum dns_type type)
{
    struct dns_answer answer;
    char name[DNS_TEXT_SIZE];
    char again[DNS_TEXT_SIZE];
    uint8_t query[DNS_QUERY_MAX];
    uint16_t id = 0;

    if (length >= 2)
        id = (uint16_t)(bytes[0] << 8 | bytes[1]);
    if (dns_read_name(bytes, length, DNS_HEADER_LENGTH, name) == 0)
        return;
    must(strlen(name) <= DNS_TEXT_MAX);
    if (name[0] == '\0')
        return;
    /* What was read can be asked for, and reads the same again. */
    must(dns_normalise(name, again) && strcmp(name, again) == 0);
    size_t asked = dns_build_query(query, id, name, type);
    must(asked <= sizeof(query));
    must(dns_read_name(query, asked, DNS_HEADER_LENGTH, again) == asked - 4);
    must(strcmp(name, again) == 0);
    if (dns_parse_answer(bytes, length, id, name, type, &answer) ==
        DNS_IS_ANSWER) {
        must(answer.count <= DNS_ADDRESSES);
        must(strlen(answer.name) <= DNS_TEXT_MAX);
        must(strlen(answer.pointer) <= DNS_TEXT_MAX);
    }
}

static void read_dhcp(const uint8_t *bytes, size_t length)
{
    struct dhcp_reply reply;

    if (dhcp_parse(bytes, length, &reply)) {
        must(reply.router_count <= DHCP_LIST_MAX);
        must(reply.dns_count <= DHCP_LIST_MAX);
    }
}

static void read_options(const uint8_t *bytes, size_t length)
{
    struct ipv4_options options;

    if (length < IPV4_HEADER_LENGTH || length > IPV4_HEADER_MAX)
        return;
    if (!ipv4_check_options(bytes, length, &options))
        must(options.error_offset >= IPV4_HEADER_LENGTH &&
             options.error_offset < length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy;

    if (size == 0)
        return 0;
    copy = malloc(size - 1 == 0 ? 1 : size - 1);
    must(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
        read_dns(copy, size - 1, DNS_TYPE_A);
        break;
    case 1:
        read_dns(copy, size - 1, DNS_TYPE_PTR);
        break;
    case 2:
        read_dhcp(copy, size - 1);
        break;
    default:
        read_options(copy, size - 1);
        break;
    }
    free(copy);
    return 0;
}
