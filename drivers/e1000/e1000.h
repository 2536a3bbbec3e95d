/* SPDX-License-Identifier: MIT */
/*
 * The e1000 driver's doors to kernel/main.c. Two steps, because a card may
 * need a second to listen: probe as early as PCI is known, start once the
 * stack has its pools.
 */
#pragma once

#include <stddef.h>

/* One word of the command line, `e1000.NAME=VALUE` (docs/e1000.md lists
 * them); `name` without the prefix. Before e1000_probe_all; "rx_checksum"
 * before e1000_start_all. -ENOENT: no such option; -EINVAL: not a value it
 * takes. */
int e1000_set_option(const char *name, const char *value);

/* Finds every card, resets it and turns its receiver and transmitter on, with
 * no buffers yet. The first device action of the boot, as soon as PCI, memory
 * and clock_delay_us() work. Returns how many cards were found. */
size_t e1000_probe_all(void);

/* Fills the rings, connects the interrupts and registers each card as an
 * interface. After net_init(). Returns how many are in service. */
size_t e1000_start_all(void);
