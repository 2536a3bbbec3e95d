/* SPDX-License-Identifier: MIT */
/*
 * The balancer behind `dnat to jhash ... mod N map { 0 : ..., 1 : ... }`: which
 * of the map's backends a hash goes to, after Maglev (D. Eisenbud et al.,
 * NSDI 2016, section 3.4), whatever `mod` leaves on Linux.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/limits.h"

enum filter_backend_state {
    FILTER_BACKEND_UP,
    FILTER_BACKEND_DRAINING, /* gets no new flows, those it has live on */
    FILTER_BACKEND_DOWN,     /* loses those it has, too */
};

struct filter_backend {
    uint32_t address;
    uint16_t port; /* 0: whatever was asked for */
    enum filter_backend_state state;
    uint64_t flows; /* given to it so far */
};

struct balancer {
    struct balancer *next;
    uint32_t count;
    struct filter_backend backends[BALANCER_BACKENDS_MAX];
    uint8_t places[BALANCER_PLACES];
};

struct rule_set;
struct rule_nat;

/* For one statement, from its map. -EINVAL: not every number below `mod` is in
 * it; -ENOMEM. */
int balancer_make(struct rule_set *set, struct rule_nat *nat) MUST_CHECK;

/* The backend for a hash; none up: the one it would have been. */
struct filter_backend *balancer_choose(struct balancer *balancer,
                                       uint32_t hash);
