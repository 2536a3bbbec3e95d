/* SPDX-License-Identifier: MIT */
/*
 * Where things lie in the 48-bit address space. Read by C and by the
 * assembler, hence plain macros; linker.ld has its own IMAGE_BASE and checks
 * that it is the same. Nothing is mapped in the lower half: a null pointer
 * plus any offset faults.
 */
#pragma once

/* The image runs this much above the physical address it is loaded at. */
#define IMAGE_BASE 0xffffffff80000000

/* Windows onto physical memory: address = base + physical address. */
#define DIRECT_BASE    0xffff800000000000 /* RAM: cached, writable */
#define FIRMWARE_BASE  0xffffa00000000000 /* tables: cached, read-only */
#define DEVICE_BASE    0xffffc00000000000 /* registers: uncached, writable */
#define PHYSICAL_LIMIT 0x0000100000000000 /* 16 TiB: what a window can show */

/* How start.S was entered: first argument of kernel_main. */
#define BOOT_MULTIBOOT2 1
#define BOOT_PVH        2

/* start.S maps this much of physical memory, before the real page tables. */
#define BOOT_MAPPED 0x100000000
