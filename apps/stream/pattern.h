/* SPDX-License-Identifier: MIT */
/*
 * An endless stream of bytes for every seed, in which any place can be
 * computed directly: what was received can be checked without having been
 * stored. Shared by the app and its client on the host.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The stream's bytes [offset, offset + length). */
void pattern_fill(uint64_t seed, uint64_t offset, unsigned char *bytes,
                  size_t length);
/* How many of the given bytes, from the first one on, are the stream's. */
size_t pattern_match(uint64_t seed, uint64_t offset, const unsigned char *bytes,
                     size_t length);
