/* SPDX-License-Identifier: MIT */
/*
 * The DHCP server's socket on the LAN, and its log.
 */
#pragma once

#include "dhcp_server.h"

#include <stdbool.h>

/* `server` must stay. False: errno says why. */
bool dhcp_service_start(const struct dhcp_server *server, const char *device);
