/* SPDX-License-Identifier: MIT */
/*
 * A table of prefixes, behind the addresses and the rules of route.c. Two
 * exist: a list for hosts (route_list.c) and a forwarding table for routers
 * (fib.c), which only those link who choose it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/link/netif.h"
#include "net/packet.h"
#include "net/wire/byteorder.h"

enum ip_path_kind {
    IP_PATH_UNICAST,
    IP_PATH_BLACKHOLE,   /* dropped without a word */
    IP_PATH_UNREACHABLE, /* the sender is told: no such host */
};

/* One way on. */
struct ip_path {
    struct netif *netif; /* NULL: not unicast */
    struct be32 gateway; /* 0.0.0.0: on-link */
    uint8_t kind;        /* enum ip_path_kind */
};

struct ip_prefix {
    uint32_t address;
    uint8_t length; /* 0 to 32 */
};

/* One route, for those who look at all of them. */
typedef void ip_route_visit(void *context, struct ip_prefix prefix,
                            const struct ip_path *path, uint32_t metric);

struct ip_route_table {
    /* The path of the longest prefix, or NULL. Among several the one whose
     * interface has the address `source`, else by the flow of `packet` (NULL:
     * of the addresses). Valid until something changes. */
    const struct ip_path *(*find)(uint32_t destination, struct be32 source,
                                  const struct packet *packet);
    /* -EEXIST, -ENOSPC. Of several metrics of one prefix the least counts. */
    int (*add)(struct ip_prefix prefix, const struct ip_path *path,
               uint32_t metric);
    /* Those of prefixes no longer than that. */
    void (*remove_of_netif)(const struct netif *netif, unsigned longest);
    size_t (*count)(void);
    void (*visit)(ip_route_visit *visit, void *context);
    /* An interface got or lost an address. May be NULL. */
    void (*addresses_changed)(void);
};

extern const struct ip_route_table ip_route_list;

/* Empties it. Boot. */
void ip_route_list_init(void);
