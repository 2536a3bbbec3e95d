/* SPDX-License-Identifier: MIT */
/*
 * Putting fragmented datagrams together again.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/packet.h"

/* Boot, after the buffers. */
void reassembly_init(void);

/* A fragment that is ours, data behind its IP header. Takes it; returns the
 * whole datagram when this was the missing piece (its IP header in front of
 * its data again), else NULL. */
struct packet *reassembly_receive(struct packet *packet,
                                  uint64_t now_ns) MUST_CHECK;

/* How many are being put together, and what they hold. */
size_t reassembly_count(void);
size_t reassembly_buffers(void);
