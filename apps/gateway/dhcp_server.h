/* SPDX-License-Identifier: MIT */
/*
 * What a DHCP server answers (RFC 2131 4.3), without sockets: a message in, a
 * message and its destination out.
 */
#pragma once

#include "config.h"
#include "lease.h"

struct dhcp_server {
    const struct config *config;
    uint32_t address; /* ours on the LAN, host order */
    uint32_t netmask;
};

/* What happened, for the log; `lease` may be NULL. */
struct dhcp_event {
    const char *what; /* "DHCPACK" and so on; NULL: nothing worth a line */
    const char *why;  /* NULL, or the reason of a refusal */
    uint32_t address; /* 0: none */
    uint8_t hardware[6];
    const struct lease *lease;
};

struct dhcp_counters {
    uint64_t malformed;
    uint64_t discovers, offers, requests, acks, naks;
    uint64_t declines, releases, informs;
    uint64_t exhausted; /* nothing left to give */
};

extern struct dhcp_counters dhcp_counters;

/* Returns the reply's length, 0 for none. `reply` has DHCP_MESSAGE_MAX bytes.
 * `*to` and `*port` say where it goes, host order; 255.255.255.255 is out of
 * the LAN's interface. */
size_t dhcp_server_answer(const struct dhcp_server *server,
                          const uint8_t *message, size_t length, uint64_t now_s,
                          uint8_t *reply, uint32_t *to, uint16_t *port,
                          struct dhcp_event *event);
