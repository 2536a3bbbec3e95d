/* SPDX-License-Identifier: MIT */
/*
 * What the app asks about network interfaces, by name. Addresses are in host
 * order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False: there is no such interface, or it has no address yet. */
bool device_address(const char *name, uint32_t *address, uint32_t *netmask);
bool device_exists(const char *name);
