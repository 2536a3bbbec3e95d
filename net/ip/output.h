/* SPDX-License-Identifier: MIT */
/*
 * The sending half of IPv4, as ip/ itself uses it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/ip/ip.h"
#include "net/packet.h"
#include "net/wire/ipv4.h"

/* Draws the keys. Boot. */
void ip_output_init(void);

/* The `ip_default_ttl` setting: 1 to 255. */
int ip_set_default_ttl(unsigned ttl) MUST_CHECK;

/* The Ethernet address of a group. */
struct ethernet_address ip_multicast_hardware(struct be32 group);

/* The end of every way out, data at the IP header: POSTROUTING, then whole or
 * in pieces to the link. */
void ip_finish_send(struct packet *packet, const struct ip_route *route,
                    uint64_t now_ns);

/* A packet whose header somebody else has made (data there, layer offsets set):
 * what is left of it to fill in, and the rest of ip_send. */
void ip_send_made(struct packet *packet, const struct ip_route *route,
                  uint64_t now_ns);

/* Gives a whole IP packet (data at the header) to the link. */
void ip_transmit(struct packet *packet, const struct ip_route *route,
                 uint64_t now_ns);

/* Boot. */
void ip_fragment_init(void);

/* Cuts a whole IP packet, header without options, into pieces of at most
 * `mtu` bytes and transmits each. */
void ip_fragment(struct packet *packet, const struct ip_route *route,
                 uint64_t now_ns);
