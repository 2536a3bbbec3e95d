/* SPDX-License-Identifier: MIT */
/*
 * Ethernet: whose frame is it, and which protocol takes it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/link/netif.h"
#include "net/packet.h"
#include "net/wire/ethernet.h"

/* A protocol above, as net.c registers it. */
struct ethernet_receiver {
    uint16_t type;
    void (*receive)(struct packet *packet, uint64_t now_ns);
};

extern const struct ethernet_address ethernet_broadcast;

/* The table must live for ever. Boot. */
void ethernet_init(const struct ethernet_receiver *table, size_t count);

/* Who finds the interface of a VLAN; NULL as result: there is none. Boot, after
 * ethernet_init, which forgets it. */
typedef struct netif *ethernet_find_vlan(const struct netif *parent,
                                         uint16_t id);
void ethernet_set_vlans(ethernet_find_vlan *find_vlan);

/* A received frame. Softirq. */
void ethernet_receive(struct netif *netif, struct packet *packet);

/* Prepends the header and transmits. */
void ethernet_send(struct netif *netif, struct packet *packet,
                   const struct ethernet_address *destination, uint16_t type);

/* Frames for people. */
struct ethernet_counters {
    uint64_t rx_broadcast; /* group addresses of any kind */
    uint64_t rx_vlan;      /* tagged, and dropped or not */
};

extern struct ethernet_counters ethernet_counters;
