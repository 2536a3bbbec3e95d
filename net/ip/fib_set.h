/* SPDX-License-Identifier: MIT */
/*
 * Sets of paths, each kept once: thousands of prefixes share a handful.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/ip/route_table.h"
#include "net/limits.h"

enum {
    FIB_SET_NONE = 0, /* no path at all; also "no room" */
};

struct fib_path {
    struct ip_path path;
    uint32_t metric;
};

struct fib_set {
    uint32_t references; /* prefixes */
    uint8_t count;
    uint8_t active; /* the first so many have the least metric */
    struct fib_path paths[FIB_PATHS_MAX];
};

extern struct fib_set fib_sets[FIB_SETS_MAX];

/* Boot. */
void fib_sets_init(void);

/* The set with one path more, held; -EEXIST, -ENOSPC. `set` stays as it is. */
int fib_set_with(uint16_t set, const struct ip_path *path, uint32_t metric,
                 uint16_t *result);

/* The set without the paths of an interface, held; FIB_SET_NONE when nothing
 * is left. */
uint16_t fib_set_without(uint16_t set, const struct netif *netif);

bool fib_set_uses(uint16_t set, const struct netif *netif);

void fib_set_release(uint16_t set);

/* Which of the active paths: of the interface that has the address `source`,
 * else by a keyed hash of the flow, so that the packets of one keep together;
 * a link that is down is left out if another one is up. */
const struct ip_path *fib_set_choose(const struct fib_set *set,
                                     uint32_t destination, struct be32 source,
                                     const struct packet *packet);
