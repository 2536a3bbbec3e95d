/* SPDX-License-Identifier: MIT */
/*
 * Raw, ping and packet sockets among the socket calls. Linked only by who calls
 * socket_raw_start.
 */
#pragma once

#include "net/attributes.h"

/* Takes the sockets, and makes them to be had. -ENOMEM. Boot. */
int socket_raw_start(void) MUST_CHECK;
