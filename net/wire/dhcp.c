/* SPDX-License-Identifier: MIT */
/*
 * DHCP messages. Options are read from the options field and, when option 52
 * says so, from the file and server name fields, each at most once; lists are
 * cut to what we keep. Deliberately absent: long options in pieces (RFC 3396).
 */
#include "net/wire/dhcp.h"

#include <string.h>

enum {
    OPERATION_REQUEST = 1,
    OPERATION_REPLY = 2,
    HARDWARE_ETHERNET = 1,
    FLAG_BROADCAST = 0x8000,
};

struct dhcp_header {
    uint8_t operation;
    uint8_t hardware_type;
    uint8_t hardware_length;
    uint8_t hops;
    struct be32 transaction;
    struct be16 seconds;
    struct be16 flags;
    struct be32 client_address;
    struct be32 your_address;
    struct be32 server_address;
    struct be32 relay_address;
    struct ethernet_address client_hardware;
    uint8_t client_hardware_padding[10];
    uint8_t server_name[64];
    uint8_t file[128];
    uint8_t magic[4];
};

_Static_assert(sizeof(struct dhcp_header) == DHCP_FIXED_LENGTH,
               "as on the wire");

static const uint8_t magic[4] = {99, 130, 83, 99};

enum option {
    OPTION_PAD = 0,
    OPTION_NETMASK = 1,
    OPTION_ROUTERS = 3,
    OPTION_DNS = 6,
    OPTION_HOST = 12,
    OPTION_REQUESTED_ADDRESS = 50,
    OPTION_LEASE = 51,
    OPTION_OVERLOAD = 52,
    OPTION_TYPE = 53,
    OPTION_SERVER = 54,
    OPTION_PARAMETERS = 55,
    OPTION_MESSAGE_SIZE = 57,
    OPTION_T1 = 58,
    OPTION_T2 = 59,
    OPTION_CLIENT = 61,
    OPTION_END = 255,
};

/* Option 52. */
enum overload {
    OVERLOAD_FILE = 1,
    OVERLOAD_NAME = 2,
};

static bool read_be32(const uint8_t *value, size_t length, struct be32 *to)
{
    if (length != sizeof(*to))
        return false;
    memcpy(to, value, sizeof(*to));
    return true;
}

static bool read_seconds(const uint8_t *value, size_t length, uint32_t *to,
                         bool *has)
{
    struct be32 seconds;

    *has = read_be32(value, length, &seconds);
    if (*has)
        *to = be32_get(seconds);
    return *has;
}

/* As many whole addresses as there are and we keep. */
static void read_list(const uint8_t *value, size_t length, struct be32 *list,
                      size_t *count)
{
    while (length >= sizeof(*list) && *count < DHCP_LIST_MAX) {
        memcpy(&list[(*count)++], value, sizeof(*list));
        value += sizeof(*list);
        length -= sizeof(*list);
    }
}

static bool read_option(uint8_t option, const uint8_t *value, size_t length,
                        struct dhcp_reply *reply, uint8_t *overload)
{
    switch (option) {
    case OPTION_TYPE:
        if (length != 1)
            return false;
        reply->type = (enum dhcp_type)value[0];
        return true;
    case OPTION_OVERLOAD:
        if (length != 1)
            return false;
        *overload = value[0];
        return true;
    case OPTION_SERVER:
        reply->has_server = read_be32(value, length, &reply->server);
        return reply->has_server;
    case OPTION_NETMASK:
        reply->has_netmask = read_be32(value, length, &reply->netmask);
        return reply->has_netmask;
    case OPTION_LEASE:
        return read_seconds(value, length, &reply->lease_s, &reply->has_lease);
    case OPTION_T1:
        return read_seconds(value, length, &reply->t1_s, &reply->has_t1);
    case OPTION_T2:
        return read_seconds(value, length, &reply->t2_s, &reply->has_t2);
    case OPTION_ROUTERS:
        read_list(value, length, reply->routers, &reply->router_count);
        return true;
    case OPTION_DNS:
        read_list(value, length, reply->dns, &reply->dns_count);
        return true;
    default:
        return true;
    }
}

/* One field of options; it must end with END. */
static bool read_options(const uint8_t *bytes, size_t length,
                         struct dhcp_reply *reply, uint8_t *overload)
{
    size_t at = 0;

    while (at < length) {
        uint8_t option = bytes[at++];
        size_t size;

        if (option == OPTION_PAD)
            continue;
        if (option == OPTION_END)
            return true;
        if (at == length)
            return false;
        size = bytes[at++];
        if (size > length - at ||
            !read_option(option, bytes + at, size, reply, overload))
            return false;
        at += size;
    }
    return false;
}

bool dhcp_parse(const void *bytes, size_t length, struct dhcp_reply *reply)
{
    const struct dhcp_header *header = bytes;
    uint8_t overload = 0;
    uint8_t ignored = 0; /* an overload cannot overload again */

    memset(reply, 0, sizeof(*reply));
    if (length < DHCP_FIXED_LENGTH || header->operation != OPERATION_REPLY ||
        header->hardware_type != HARDWARE_ETHERNET ||
        header->hardware_length != sizeof(struct ethernet_address) ||
        memcmp(header->magic, magic, sizeof(magic)) != 0)
        return false;
    reply->transaction = be32_get(header->transaction);
    reply->client_hardware = header->client_hardware;
    reply->your_address = header->your_address;
    if (!read_options((const uint8_t *)bytes + DHCP_FIXED_LENGTH,
                      length - DHCP_FIXED_LENGTH, reply, &overload))
        return false;
    if ((overload & OVERLOAD_FILE) != 0 &&
        !read_options(header->file, sizeof(header->file), reply, &ignored))
        return false;
    if ((overload & OVERLOAD_NAME) != 0 &&
        !read_options(header->server_name, sizeof(header->server_name), reply,
                      &ignored))
        return false;
    return reply->type == DHCP_OFFER || reply->type == DHCP_ACK ||
           reply->type == DHCP_NAK;
}

static uint8_t *put(uint8_t *at, uint8_t option, const void *value,
                    size_t length)
{
    *at++ = option;
    *at++ = (uint8_t)length;
    memcpy(at, value, length);
    return at + length;
}

static uint8_t *put_address(uint8_t *at, uint8_t option, struct be32 address)
{
    if (be32_get(address) == 0)
        return at;
    return put(at, option, &address, sizeof(address));
}

size_t dhcp_build(uint8_t bytes[DHCP_SEND_MAX],
                  const struct dhcp_request *request)
{
    static const uint8_t parameters[] = {
        OPTION_NETMASK, OPTION_ROUTERS, OPTION_DNS, OPTION_LEASE,
        OPTION_SERVER,  OPTION_T1,      OPTION_T2};
    const struct be16 message_size = be16_from(DHCP_RECEIVE_MAX);
    uint8_t type = (uint8_t)request->type;
    uint8_t client[1 + sizeof(struct ethernet_address)] = {HARDWARE_ETHERNET};
    struct dhcp_header *header = (void *)bytes;
    uint8_t *at = bytes + DHCP_FIXED_LENGTH;
    size_t host_length = strlen(request->host);

    memset(bytes, 0, DHCP_SEND_MAX);
    header->operation = OPERATION_REQUEST;
    header->hardware_type = HARDWARE_ETHERNET;
    header->hardware_length = sizeof(struct ethernet_address);
    header->transaction = be32_from(request->transaction);
    header->seconds = be16_from(request->seconds);
    header->flags = be16_from(request->wants_broadcast ? FLAG_BROADCAST : 0);
    header->client_address = request->client_address;
    header->client_hardware = request->client_hardware;
    memcpy(header->magic, magic, sizeof(magic));

    at = put(at, OPTION_TYPE, &type, sizeof(type));
    memcpy(client + 1, &request->client_hardware,
           sizeof(request->client_hardware));
    at = put(at, OPTION_CLIENT, client, sizeof(client));
    at = put_address(at, OPTION_REQUESTED_ADDRESS, request->requested_address);
    at = put_address(at, OPTION_SERVER, request->server);
    if (host_length != 0 && host_length <= UINT8_MAX)
        at = put(at, OPTION_HOST, request->host, host_length);
    if (request->type != DHCP_DECLINE) {
        at = put(at, OPTION_MESSAGE_SIZE, &message_size, sizeof(message_size));
        at = put(at, OPTION_PARAMETERS, parameters, sizeof(parameters));
    }
    *at++ = OPTION_END;
    if (at - bytes < DHCP_SEND_MIN)
        return DHCP_SEND_MIN;
    return (size_t)(at - bytes);
}
