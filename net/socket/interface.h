/* SPDX-License-Identifier: MIT */
/*
 * What sockets tell about network interfaces: the requests of netdevice(7)
 * that only ask. The numbers and the layout are Linux's.
 */
#pragma once

#include "net/attributes.h"

#include <stdbool.h>
#include <sys/socket.h>

struct netif;

/* SO_BINDTODEVICE: a name, which need not end in a zero; none: NULL. -ENODEV:
 * there is no such interface. App, locked. */
int interface_of_option(const char *value, socklen_t length,
                        struct netif **netif) MUST_CHECK;

/* Is this one of the requests below? */
bool interface_is_request(unsigned long request);

/* SIOCGIFADDR and its like: `answer` is a struct ifreq with a name in it.
 * -ENODEV: no such interface; -EADDRNOTAVAIL: it has no address. App, without
 * the lock. */
int interface_ask(unsigned long request, void *answer) MUST_CHECK;
