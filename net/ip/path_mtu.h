/* SPDX-License-Identifier: MIT */
/*
 * Path MTUs by destination (RFC 1191), for transports that have no
 * connection to keep them in. An image may have the table or not (path_mtu.c is
 * linked only by who starts it); without it paths are as wide as their first
 * link.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/ip/ip.h"

struct ip_path_mtu {
    /* A packet that a transport did send was too big. */
    void (*learn)(const struct ip_error_info *info, uint64_t now_ns);
    /* 0: not known. */
    uint32_t (*find)(const struct ip_address *remote, uint64_t now_ns);
};

/* NULL: there is no table. */
extern const struct ip_path_mtu *ip_path_mtu;

/* Only after the quoted packet was found to be a socket's (RFC 5927). */
static inline void ip_path_mtu_learn(const struct ip_error_info *info,
                                     uint64_t now_ns)
{
    if (ip_path_mtu != NULL)
        ip_path_mtu->learn(info, now_ns);
}

/* Bytes of an IP packet that fit the whole way. */
static inline uint32_t ip_path_mtu_of(const struct ip_route *route,
                                      const struct ip_address *remote,
                                      uint64_t now_ns)
{
    uint32_t mtu = ip_path_mtu == NULL ? 0 : ip_path_mtu->find(remote, now_ns);

    return mtu != 0 && mtu < route->mtu ? mtu : route->mtu;
}

/* ---- path_mtu.c -----------------------------------------------------------
 */

/* Boot, after ip_init. */
void path_mtu_start(void);

/* Settings: `route.min_pmtu` (68 to 1500 bytes), `route.mtu_expires` (s). */
int path_mtu_set_floor(unsigned bytes) MUST_CHECK;
int path_mtu_set_expiry(unsigned seconds) MUST_CHECK;

/* Each path that is known now. */
void path_mtu_visit(void (*visit)(void *context, struct be32 remote,
                                  uint32_t mtu, uint64_t expires_ns),
                    void *context, uint64_t now_ns);

struct path_mtu_counters {
    uint64_t learned;
    uint64_t ignored; /* claims that were no news, or made no sense */
    uint64_t evicted; /* younger ones took their place */
};

extern struct path_mtu_counters path_mtu_counters;
