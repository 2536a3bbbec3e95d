/* SPDX-License-Identifier: MIT */
/* The listening socket. */
#pragma once

#include <stdbool.h>

/* Returns the port, or -1 with errno set. */
int listener_open(unsigned port);
/* Once per turn of the loop: listens again after a rest, or rests while no
 * connection can be spared. Returns the ms until it wants to be called, or -1.
 */
int listener_refresh(void);
