/* SPDX-License-Identifier: MIT */
/* /proc/ferrule/interfaces, neighbours, resolv.conf and firewall's files, for
 * apps that show or steer them. */
#pragma once

void main_views_register(void);
void main_firewall_register(void);
