/* SPDX-License-Identifier: MIT */
/*
 * What makes a router of a host. Linked only by who asks for it
 * (net_router.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/filter/filter.h"
#include "net/packet.h"

/* Hangs forwarding, source validation and rejects into ip/. Boot, after
 * ip_init. */
void ip_forward_start(void);

/* The settings `ip_forward` (0, 1) and `conf.all.rp_filter` (0: off, 1:
 * strict, 2: loose). */
int ip_forward_set(unsigned value) MUST_CHECK;
int ip_source_filter_set(unsigned value) MUST_CHECK;
/* `conf.all.proxy_arp` (0, 1): who asks for an address that is behind another
 * interface is answered (RFC 1027). */
int ip_proxy_arp_set(unsigned value) MUST_CHECK;

/* The setting `ip_forward_gro` (0, 1): segments of a flow are passed on as one
 * packet, and cut again on their way out. */
int ip_forward_gro_set(unsigned value) MUST_CHECK;

/* ip_router's `cut`. */
void ip_cut_train(struct packet *large,
                  void (*pass)(struct packet *packet, uint64_t now_ns),
                  uint64_t now_ns);

/* Tells the sender of a packet that a hook rejected it, by ICMP or by a TCP
 * reset. Borrows; its IP header stands at its network offset. */
void ip_refuse(const struct packet *packet, enum filter_verdict verdict,
               uint64_t now_ns);
