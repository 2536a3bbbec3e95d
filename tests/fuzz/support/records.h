/* SPDX-License-Identifier: MIT */
/* Inputs that are lists of records: a control byte, a length (two bytes,
 * little-endian, eleven bits), a frame. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Calls take for the first 64 records, in order; of a frame longer than
 * `longest` octets the beginning. The last one is cut where the input ends. */
void fuzz_each_record(const uint8_t *data, size_t size, size_t longest,
                      void (*take)(uint8_t control, const uint8_t *frame,
                                   size_t length));
