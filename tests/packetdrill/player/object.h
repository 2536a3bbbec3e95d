/* SPDX-License-Identifier: MIT */
/*
 * The loaded shared object, for the files that stand in packetdrill's place.
 */
#pragma once

#include "tests/packetdrill/interface.h"

#include <stdint.h>

extern struct packetdrill_interface object;

/* The object's clock. Reading it lets 1 us pass on the main thread. */
uint64_t object_now(void);
