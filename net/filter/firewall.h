/* SPDX-License-Identifier: MIT */
/*
 * The stateful firewall as the rest of the stack sees it: starts tracking,
 * translation and rules on the hooks, ages flows, and shows them. Who does not
 * call filter_start links none of it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/filter/balance.h"
#include "net/filter/rules.h"

struct netif;

/* Takes the memory, hangs everything on the hooks, and loads the closed
 * default: established and ICMP in, nothing forwarded. -ENOMEM. Boot. */
int filter_start(uint64_t now_ns) MUST_CHECK;

/* At boot: the rules of this file, or, if there is none (NULL) or it is bad,
 * the closed default, and says so loudly. */
void filter_boot(const char *name, const char *text, size_t length);

/* `net.netfilter.nf_conntrack_...` without `net.`: -ENOENT, -EINVAL. */
int filter_set(const char *name, unsigned value) MUST_CHECK;

/* The interface's address changed: what was masqueraded behind the old one
 * can not go on. */
void filter_address_changed(const struct netif *netif);

struct filter_flow_view {
    uint8_t protocol;
    const char *state; /* TCP: its name; else "" */
    uint32_t seconds_left;
    bool is_seen_reply;
    bool is_assured;
    /* Original, reply: as sent. ICMP: the identifier as source port, type and
     * code as the other one's octets. */
    struct {
        uint32_t source;
        uint32_t destination;
        uint16_t source_port;
        uint16_t destination_port;
        uint64_t packets;
        uint64_t bytes;
    } direction[2];
};

/* Up to `count` places of the table from `first` on; returns where to go on,
 * 0 when that was all. */
size_t filter_visit_flows(size_t first, size_t count, uint64_t now_ns,
                          void (*visit)(void *context,
                                        const struct filter_flow_view *flow),
                          void *context);

/* Every backend of every balancer of the rules, and what a health check makes
 * of one: all with this address, and this port unless it is 0. Returns how
 * many there were. States survive a reload. */
void filter_visit_backends(void (*visit)(void *context,
                                         const struct filter_backend *backend),
                           void *context);
size_t filter_backend_set(uint32_t address, uint16_t port,
                          enum filter_backend_state state);

/* Lines that the rules' limit kept from the log. */
uint64_t filter_logs_suppressed(void);
