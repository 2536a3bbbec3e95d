/* SPDX-License-Identifier: MIT */
/*
 * The Internet checksum of what scripts inject and see.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The sum of 16-bit words, folded and complemented: 0 over what is right. */
uint16_t internet_checksum(const uint8_t *bytes, size_t length, uint32_t sum);

/* The pseudo-header's part of a transport's sum. */
uint32_t pseudo_sum(const uint8_t *ip);
