/* SPDX-License-Identifier: MIT */
/*
 * Health of the servers behind balanced rules: each is connected to every two
 * seconds. Two refusals or silences take it out, one connection brings it
 * back. Who drains a server decides until he says otherwise, reloads included.
 */
#pragma once

#include <stdbool.h>

/* Once a turn of the loop. */
void balancer_turn(void);
/* "ADDRESS:PORT": no new flows for it, or new ones again. False: there is no
 * such server. */
bool balancer_drain(const char *server, bool is_draining);
