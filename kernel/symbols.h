/* SPDX-License-Identifier: MIT */
/*
 * Names of functions by address, from the table that tools/make-symbols.awk
 * writes between the two passes of the link.
 */
#pragma once

#include "kernel/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SYMBOL_NAME_BYTES = 64 };

/* The function this address lies in; a longer name is cut. */
MUST_CHECK bool symbol_find(uint64_t address, char name[SYMBOL_NAME_BYTES],
                            uint64_t *offset);
