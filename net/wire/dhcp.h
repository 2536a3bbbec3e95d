/* SPDX-License-Identifier: MIT */
/*
 * DHCP messages (RFC 2131 2, RFC 2132): format only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/byteorder.h"
#include "net/wire/ethernet.h"

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    /* The fixed part and the magic number of the options. */
    DHCP_FIXED_LENGTH = 240,
    /* What we send fits this; RFC 951 asks for at least 300. */
    DHCP_SEND_MAX = 548,
    DHCP_SEND_MIN = 300,
    DHCP_RECEIVE_MAX = 1472,
    DHCP_LIST_MAX = 4,
};

#define DHCP_LEASE_INFINITE UINT32_MAX

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER = 2,
    DHCP_REQUEST = 3,
    DHCP_DECLINE = 4,
    DHCP_ACK = 5,
    DHCP_NAK = 6,
    DHCP_RELEASE = 7,
    DHCP_INFORM = 8,
};

struct dhcp_reply {
    enum dhcp_type type;
    uint32_t transaction;
    struct ethernet_address client_hardware;
    struct be32 your_address;
    bool has_server;
    bool has_netmask;
    bool has_lease;
    bool has_t1;
    bool has_t2;
    struct be32 server;
    struct be32 netmask;
    uint32_t lease_s;
    uint32_t t1_s;
    uint32_t t2_s;
    size_t router_count;
    size_t dns_count;
    struct be32 routers[DHCP_LIST_MAX];
    struct be32 dns[DHCP_LIST_MAX];
};

/* False when it is not a well-formed message of a server. */
bool dhcp_parse(const void *bytes, size_t length, struct dhcp_reply *reply);

struct dhcp_request {
    enum dhcp_type type;
    uint32_t transaction;
    uint16_t seconds;
    bool wants_broadcast;
    struct ethernet_address client_hardware;
    struct be32 client_address;    /* 0.0.0.0: has none */
    struct be32 requested_address; /* 0.0.0.0: option left out */
    struct be32 server;            /* 0.0.0.0: option left out */
    const char *host;              /* empty: option left out */
};

/* Writes the message, DHCP_SEND_MAX bytes at most; returns its length. */
size_t dhcp_build(uint8_t bytes[DHCP_SEND_MAX],
                  const struct dhcp_request *request);
