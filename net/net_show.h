/* SPDX-License-Identifier: MIT */
/*
 * What the stack shows of itself to people, thing by thing. Addresses are in
 * host order. Softirq, or app with the lock held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct net_interface_view {
    const char *name;
    const uint8_t *hardware; /* six bytes */
    uint32_t address;        /* 0: none */
    uint32_t netmask;
    uint32_t mtu;
    uint32_t speed; /* Mbit/s, 0: unknown */
    bool is_up;     /* has a link */
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, dropped;
};

/* The index-th interface; false: there is none. */
bool net_show_interface(size_t index, struct net_interface_view *view);

struct net_neighbour_view {
    const char *netif;
    uint32_t address;
    const uint8_t *hardware; /* six bytes, zero while it is not known */
    const char *state;       /* as `ip neigh` names it */
};

void net_show_neighbours(void (*visit)(void *context,
                                       const struct net_neighbour_view *view),
                         void *context);

/* Fills in the addresses of the resolvers in force, returns how many. */
size_t net_show_resolvers(uint32_t *addresses, size_t limit);
