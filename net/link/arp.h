/* SPDX-License-Identifier: MIT */
/*
 * ARP messages in and out; what they mean is kept by neighbour.c and acd.c.
 */
#pragma once

#include <stdint.h>

#include "net/link/netif.h"
#include "net/packet.h"
#include "net/wire/byteorder.h"
#include "net/wire/ethernet.h"

struct arp_counters {
    uint64_t rx_requests;
    uint64_t rx_replies;
    uint64_t tx_requests;
    uint64_t tx_replies;
    uint64_t tx_probes;
    uint64_t tx_announcements;
};

extern struct arp_counters arp_counters;

/* Proxy ARP (RFC 1027): requests that `answers` says yes to are answered with
 * the interface's own hardware address. NULL, as at boot: only those for us. */
void arp_set_proxy(bool (*answers)(const struct netif *asked,
                                   struct be32 address));

/* ETHERNET_TYPE_ARP, as net.c registers it. */
void arp_receive(struct packet *packet, uint64_t now_ns);

/* "Who has `target`?" from the interface's own address. */
void arp_send_request(struct netif *netif, struct be32 target,
                      const struct ethernet_address *destination);

/* "Does anybody have `target`?" without naming a sender, and "`address` is
 * mine now" (RFC 5227 1.1). */
void arp_send_probe(struct netif *netif, struct be32 target);
void arp_send_announcement(struct netif *netif, struct be32 address);
