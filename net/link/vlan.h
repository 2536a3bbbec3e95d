/* SPDX-License-Identifier: MIT */
/*
 * VLAN interfaces (802.1Q): "eth0.10" is an interface of its own whose frames
 * travel over eth0 with the tag 10. Linked only by who creates one.
 */
#pragma once

#include "net/attributes.h"
#include "net/link/netif.h"

/* Forgets all, and hangs the lookup into the Ethernet layer. Boot. */
void vlan_init(void);

/* Creates "eth0.10". 0 as well when it exists. -EINVAL: not such a name, or
 * not a number from 1 to 4094; -ENODEV: no such parent (a VLAN's parent is no
 * VLAN: QinQ is refused); -ENOSPC. Boot, or app with the lock held. */
int vlan_create(const char *name) MUST_CHECK;
