/* SPDX-License-Identifier: MIT */
/*
 * Memory as the rest of the kernel, the drivers and libc see it. All RAM has
 * one non-executable address in the direct map; the image has its own; no
 * byte has two. Everything is taken at boot; only malloc's pages come back.
 * The page tables are in paging.h, the block allocator in buddy.h.
 */
#pragma once

#include "kernel/attributes.h"

#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 4096, PAGE_SHIFT = 12 };

/*
 * Boot-time memory: zeroed, physically contiguous, never given back. The
 * alignment is a power of two (0 means 16). NULL when there is no such block.
 */
MUST_CHECK void *memory_take(size_t bytes, size_t alignment);

/*
 * The same with whatever was in it, for large pools that need no zeroes:
 * looking for what must be cleared takes 0.3 ms per MiB.
 */
MUST_CHECK void *memory_take_untouched(size_t bytes, size_t alignment);

/* What a bus master must be told to reach this byte of RAM or of the image. */
uint64_t memory_physical(const void *address);

/* The address of a byte of usable RAM. For anything else: the two below. */
void *memory_direct(uint64_t physical);

/*
 * Firmware tables (ACPI): cached, read-only. Any physical address will do;
 * mapping the same bytes twice is harmless. NULL when tables run out.
 */
MUST_CHECK const void *memory_map_firmware(uint64_t physical, size_t bytes);

/* Device registers: uncached, writable, never executable. NULL as above. */
MUST_CHECK void *memory_map_device(uint64_t physical, size_t bytes);

/* Bytes nobody has taken yet. */
size_t memory_available(void);

/* All usable RAM found at boot, taken or not: what pools are sized by. */
size_t memory_total(void);

/*
 * 2^order pages, not zeroed; NULL when there is no such block. App context
 * only (malloc). Freed with the order they were allocated with.
 */
MUST_CHECK void *pages_allocate(unsigned order);
void pages_free(void *block, unsigned order);
