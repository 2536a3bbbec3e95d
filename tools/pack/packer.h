/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Packs for kernel/unpack.c; the result is malloc's, its length in *packed. */
uint8_t *pack(const uint8_t *bytes, size_t length, size_t *packed);
