/* SPDX-License-Identifier: MIT */
/* Unpacking what gzip packed (RFC 1951, RFC 1952). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long the unpacked bytes say they are (RFC 1952 2.3.1: ISIZE); 0 when
 * this is no gzip member. */
size_t gzip_size(const uint8_t *packed, size_t length);

/* Unpacks one member without optional header fields. False when it is
 * malformed or does not fill `size` bytes exactly; their content is undefined
 * then. The CRC is not looked at. */
bool gzip_unpack(const uint8_t *packed, size_t length, uint8_t *bytes,
                 size_t size);
