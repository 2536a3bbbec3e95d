/* SPDX-License-Identifier: MIT */
/*
 * Reading what clients send, byte by byte checked, and writing answers.
 * Option overloading (RFC 2132 9.3) is followed once into each of the two
 * fields, never further.
 */
#include "dhcp_message.h"

#include <ctype.h>
#include <string.h>

enum {
    BOOT_REQUEST = 1,
    BOOT_REPLY = 2,
    HARDWARE_ETHERNET = 1,
    AT_TRANSACTION = 4,
    AT_FLAGS = 10,
    FLAG_BROADCAST = 0x80, /* in the first octet */
    AT_CLIENT = 12,
    AT_YOUR = 16,
    AT_RELAY = 24,
    AT_HARDWARE = 28,
    AT_SERVER_NAME = 44,
    SERVER_NAME_SIZE = 64,
    AT_FILE = 108,
    FILE_SIZE = 128,
    AT_MAGIC = 236,
    OVERLOAD_FILE = 1,
    OVERLOAD_SERVER_NAME = 2,
};

static const uint8_t magic[4] = {99, 130, 83, 99};

static uint32_t read32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

static void write32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The first label, of what a host name may hold; else nothing. */
static void read_host(const uint8_t *bytes, size_t length, char *host)
{
    size_t count = 0;

    while (count < length && count < CONFIG_HOST_SIZE - 1 &&
           (isalnum(bytes[count]) || bytes[count] == '-')) {
        host[count] = (char)tolower(bytes[count]);
        count++;
    }
    if (count < length && bytes[count] != '.' && bytes[count] != '\0')
        count = 0;
    host[count] = '\0';
}

static void read_option(uint8_t code, const uint8_t *bytes, size_t length,
                        struct dhcp_request *request)
{
    switch (code) {
    case DHCP_OPTION_TYPE:
        if (length == 1)
            request->type = bytes[0];
        break;
    case DHCP_OPTION_REQUESTED:
        if (length == 4)
            request->requested = read32(bytes);
        break;
    case DHCP_OPTION_SERVER:
        if (length == 4)
            request->server = read32(bytes);
        break;
    case DHCP_OPTION_CLIENT:
        if (length >= 2 && length <= DHCP_ID_MAX) {
            memcpy(request->id, bytes, length);
            request->id_length = (uint8_t)length;
        }
        break;
    case DHCP_OPTION_PARAMETERS:
        if (length > DHCP_PARAMETERS_MAX)
            length = DHCP_PARAMETERS_MAX;
        memcpy(request->parameters, bytes, length);
        request->parameter_count = (uint8_t)length;
        break;
    case DHCP_OPTION_HOST:
        read_host(bytes, length, request->host);
        break;
    default:
        break;
    }
}

/* False when an option runs out of its field. `*overload` is what option 52
 * says, 0 if there is none. */
static bool read_field(const uint8_t *at, const uint8_t *end,
                       struct dhcp_request *request, unsigned *overload)
{
    while (at < end && *at != DHCP_OPTION_END) {
        size_t length;

        if (*at == 0) {
            at++;
            continue;
        }
        if (end - at < 2)
            return false;
        length = at[1];
        if (length > (size_t)(end - at) - 2)
            return false;
        if (*at == DHCP_OPTION_OVERLOAD && length == 1)
            *overload = at[2];
        else
            read_option(*at, at + 2, length, request);
        at += 2 + length;
    }
    return true;
}

static bool is_unicast_hardware(const uint8_t *hardware)
{
    static const uint8_t none[6];

    return (hardware[0] & 1) == 0 && memcmp(hardware, none, 6) != 0;
}

bool dhcp_message_parse(const uint8_t *bytes, size_t length,
                        struct dhcp_request *request)
{
    unsigned overload = 0;
    unsigned ignored = 0;

    memset(request, 0, sizeof(*request));
    if (length < DHCP_HEAD_SIZE || bytes[0] != BOOT_REQUEST ||
        bytes[1] != HARDWARE_ETHERNET || bytes[2] != 6 ||
        memcmp(bytes + AT_MAGIC, magic, sizeof(magic)) != 0 ||
        !is_unicast_hardware(bytes + AT_HARDWARE))
        return false;
    memcpy(request->hardware, bytes + AT_HARDWARE, 6);
    request->client_address = read32(bytes + AT_CLIENT);
    request->relay_address = read32(bytes + AT_RELAY);
    if (!read_field(bytes + DHCP_HEAD_SIZE, bytes + length, request, &overload))
        return false;
    if ((overload & OVERLOAD_FILE) != 0 &&
        !read_field(bytes + AT_FILE, bytes + AT_FILE + FILE_SIZE, request,
                    &ignored))
        return false;
    if ((overload & OVERLOAD_SERVER_NAME) != 0 &&
        !read_field(bytes + AT_SERVER_NAME,
                    bytes + AT_SERVER_NAME + SERVER_NAME_SIZE, request,
                    &ignored))
        return false;
    return request->type >= DHCP_DISCOVER && request->type <= DHCP_INFORM;
}

void dhcp_reply_begin(struct dhcp_reply *reply, const uint8_t *request,
                      enum dhcp_type type, uint32_t your_address)
{
    uint8_t kind = (uint8_t)type;
    uint8_t *bytes = reply->bytes;

    memset(bytes, 0, DHCP_HEAD_SIZE);
    bytes[0] = BOOT_REPLY;
    bytes[1] = HARDWARE_ETHERNET;
    bytes[2] = 6;
    memcpy(bytes + AT_TRANSACTION, request + AT_TRANSACTION, 4);
    memcpy(bytes + AT_FLAGS, request + AT_FLAGS, 2);
    if (type == DHCP_NAK) /* RFC 2131 4.3.2: a relay must tell everybody */
        bytes[AT_FLAGS] |= FLAG_BROADCAST;
    if (type == DHCP_ACK) /* RFC 2131 table 3 */
        memcpy(bytes + AT_CLIENT, request + AT_CLIENT, 4);
    write32(bytes + AT_YOUR, your_address);
    memcpy(bytes + AT_RELAY, request + AT_RELAY, 4);
    memcpy(bytes + AT_HARDWARE, request + AT_HARDWARE, 16);
    memcpy(bytes + AT_MAGIC, magic, sizeof(magic));
    reply->length = DHCP_HEAD_SIZE;
    dhcp_reply_add(reply, DHCP_OPTION_TYPE, &kind, 1);
}

void dhcp_reply_add(struct dhcp_reply *reply, uint8_t code, const void *bytes,
                    size_t length)
{
    /* The end takes a byte, too. */
    if (length > UINT8_MAX ||
        length + 3 > (size_t)DHCP_MESSAGE_MAX - reply->length)
        return;
    reply->bytes[reply->length++] = code;
    reply->bytes[reply->length++] = (uint8_t)length;
    memcpy(reply->bytes + reply->length, bytes, length);
    reply->length += length;
}

void dhcp_reply_add_number(struct dhcp_reply *reply, uint8_t code,
                           uint32_t number)
{
    uint8_t bytes[4];

    write32(bytes, number);
    dhcp_reply_add(reply, code, bytes, sizeof(bytes));
}

void dhcp_reply_end(struct dhcp_reply *reply)
{
    reply->bytes[reply->length++] = DHCP_OPTION_END;
    while (reply->length < DHCP_MESSAGE_MIN)
        reply->bytes[reply->length++] = 0;
}
