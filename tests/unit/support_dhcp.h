/* SPDX-License-Identifier: MIT */
/*
 * A DHCP server at the peer of support_net.h, which a test can bend.
 */
#pragma once

#include "net/wire/dhcp.h"
#include "tests/unit/support_net.h"

enum dhcp_server_is {
    SERVER_HONEST,
    SERVER_SILENT,
    SERVER_REFUSES, /* NAK to every request */
};

struct dhcp_server {
    enum dhcp_server_is is;
    uint32_t offers; /* the address */
    uint32_t netmask;
    uint32_t router; /* 0: left out */
    uint32_t name_server;
    uint32_t lease_s;
    uint32_t t1_s; /* 0: left out */
    uint32_t t2_s;
    bool unicasts; /* to the address offered, unless asked to broadcast */
    /* What was heard, by type. */
    size_t heard[16];
    struct dhcp_request last; /* the last message, as far as it was read */
    uint32_t last_source;     /* of its packet */
    uint32_t last_destination;
    /* Changes a reply before it is sent: its bytes and their number. */
    size_t (*bend)(uint8_t *message, size_t length, enum dhcp_type type);
};

extern struct dhcp_server server;

/* A stack without an address, and the server switched on. */
void dhcp_world(void);
void dhcp_world_with(void (*prepare)(void));

bool has_address(uint32_t address);
