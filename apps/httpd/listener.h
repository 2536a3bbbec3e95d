/* SPDX-License-Identifier: MIT */
/* The listening socket. */
#pragma once

struct options;

/* On the options' address and port. Returns the port, or -1 with errno set. */
int listener_open(const struct options *options);
/* Once per turn of the loop: listens again after a rest, or rests while no
 * connection can be spared. Returns the ms until it wants to be called, or -1.
 */
int listener_refresh(void);
