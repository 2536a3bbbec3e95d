/* SPDX-License-Identifier: MIT */
/*
 * SeaBIOS runs code that it copies to the end of RAM below 4 GiB, or 16 MiB
 * below that. QEMU's translator keeps what it made of it, and every write to
 * such a page, harmless as it is, goes a slow way for ever: where packets or
 * buffers lay there, a quarter of the rate was left. Overwritten once, code is
 * forgotten; that takes a millisecond for 4 pages, so it is done as they are
 * taken.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* `ram_end`: physical, of the RAM below 4 GiB. */
void firmware_code_start(uint64_t ram_end);

/* A block is taken, with nothing in it that matters: what may hold such code
 * is cleared, each page once. */
void firmware_code_forget(uint8_t *block, uint64_t physical, size_t bytes);
