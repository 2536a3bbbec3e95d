/* SPDX-License-Identifier: MIT */
/*
 * C begins here.
 */
#pragma once

#include <stdint.h>

/* From start.S: BOOT_PVH or BOOT_MULTIBOOT2, the physical address of what the
 * loader left, and the TSC at the first instruction. */
_Noreturn void kernel_main(int protocol, uint64_t information,
                           uint64_t entry_tsc);
