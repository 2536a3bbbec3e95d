/* SPDX-License-Identifier: MIT */
/*
 * ARP for IPv4 over Ethernet (RFC 826): format only.
 */
#pragma once

#include <stddef.h>

#include "net/wire/byteorder.h"
#include "net/wire/ethernet.h"

enum {
    ARP_LENGTH = 28,
    ARP_HARDWARE_ETHERNET = 1,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

struct arp_message {
    struct be16 hardware_type;
    struct be16 protocol_type;
    uint8_t hardware_length;
    uint8_t protocol_length;
    struct be16 operation;
    struct ethernet_address sender_hardware;
    struct be32 sender_protocol;
    struct ethernet_address target_hardware;
    struct be32 target_protocol;
};

_Static_assert(sizeof(struct arp_message) == ARP_LENGTH, "as on the wire");

/* The message, if `bytes` hold a whole one for IPv4 over Ethernet that is a
 * request or a reply; else NULL. */
static inline const struct arp_message *arp_parse(const void *bytes,
                                                  size_t length)
{
    const struct arp_message *message = bytes;
    uint16_t operation;

    if (length < ARP_LENGTH ||
        be16_get(message->hardware_type) != ARP_HARDWARE_ETHERNET ||
        be16_get(message->protocol_type) != ETHERNET_TYPE_IPV4 ||
        message->hardware_length != sizeof(struct ethernet_address) ||
        message->protocol_length != sizeof(struct be32))
        return NULL;
    operation = be16_get(message->operation);
    if (operation != ARP_REQUEST && operation != ARP_REPLY)
        return NULL;
    return message;
}
