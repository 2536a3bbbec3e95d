/* SPDX-License-Identifier: MIT */
/*
 * The packet filter's rules: from the module's file, or built in, handed to
 * the machine as /proc/ferrule/nftables.
 */
#pragma once

#include <stdbool.h>

/* Loads the file, or without one the built-in rules. A file with an error
 * leaves the rules that are in force, and the console says where it is.
 * False: nothing was loaded. */
bool firewall_load(const char *path, const char *uplink, const char *lan);

/* What "log" rules said since the last call: to syslog. */
void firewall_forward_log(void);
