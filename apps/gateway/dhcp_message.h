/* SPDX-License-Identifier: MIT */
/*
 * DHCP messages as a server sees them (RFC 2131 2, RFC 2132): format only.
 * Addresses are in host order.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_HEAD_SIZE = 240,        /* fixed part and magic number */
    DHCP_MESSAGE_MIN = 300,      /* RFC 1542 2.1: what old clients expect */
    DHCP_MESSAGE_MAX = 576 - 28, /* RFC 2131 2: what every client takes */
    DHCP_ID_MAX = 32,
    DHCP_PARAMETERS_MAX = 64,
};

enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM,
};

enum dhcp_option_code {
    DHCP_OPTION_NETMASK = 1,
    DHCP_OPTION_ROUTER = 3,
    DHCP_OPTION_DNS = 6,
    DHCP_OPTION_HOST = 12,
    DHCP_OPTION_DOMAIN = 15,
    DHCP_OPTION_BROADCAST = 28,
    DHCP_OPTION_REQUESTED = 50,
    DHCP_OPTION_LEASE = 51,
    DHCP_OPTION_OVERLOAD = 52,
    DHCP_OPTION_TYPE = 53,
    DHCP_OPTION_SERVER = 54,
    DHCP_OPTION_PARAMETERS = 55,
    DHCP_OPTION_T1 = 58,
    DHCP_OPTION_T2 = 59,
    DHCP_OPTION_CLIENT = 61,
    DHCP_OPTION_END = 255,
};

struct dhcp_request {
    enum dhcp_type type;
    uint8_t hardware[6];
    uint32_t client_address; /* ciaddr */
    uint32_t relay_address;  /* giaddr */
    uint32_t requested;      /* option 50; 0: none */
    uint32_t server;         /* option 54; 0: none */
    uint8_t id_length;       /* option 61; 0: none */
    uint8_t id[DHCP_ID_MAX];
    uint8_t parameter_count;
    uint8_t parameters[DHCP_PARAMETERS_MAX];
    char host[CONFIG_HOST_SIZE]; /* option 12, first label; "": none */
};

/* False for what is not a well-formed message of an Ethernet client. */
bool dhcp_message_parse(const uint8_t *bytes, size_t length,
                        struct dhcp_request *request);

/* A reply being written. Options that do not fit are left out. */
struct dhcp_reply {
    uint8_t *bytes; /* DHCP_MESSAGE_MAX of them */
    size_t length;
};

/* The head of an answer to `request`, and its type. */
void dhcp_reply_begin(struct dhcp_reply *reply, const uint8_t *request,
                      enum dhcp_type type, uint32_t your_address);
void dhcp_reply_add(struct dhcp_reply *reply, uint8_t code, const void *bytes,
                    size_t length);
void dhcp_reply_add_number(struct dhcp_reply *reply, uint8_t code,
                           uint32_t number);
/* Ends and pads it. */
void dhcp_reply_end(struct dhcp_reply *reply);
