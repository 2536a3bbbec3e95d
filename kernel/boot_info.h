/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader told us, in one form for both protocols: multiboot2
 * (GRUB) and PVH (qemu -kernel). Copied out of the loader's memory, which is
 * ordinary RAM afterwards; only the module stays where it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BOOT_RANGES = 128,
    BOOT_COMMAND_LINE_BYTES = 4096,
};

struct boot_range {
    uint64_t start, length;
};

struct boot_info {
    const char *loader; /* "multiboot2" or "PVH" */
    struct boot_range ram[BOOT_RANGES]; /* as told: any order, may overlap */
    size_t ram_count;
    struct boot_range reserved[BOOT_RANGES]; /* wins where they overlap */
    size_t reserved_count;
    struct boot_range module; /* length 0 when there is none */
    size_t modules_ignored;
    uint64_t rsdp; /* physical; 0 means search for it */
    uint64_t rsdp_length; /* bytes copied to rsdp_copy, 0 for none */
    uint8_t rsdp_copy[36];
    char command_line[BOOT_COMMAND_LINE_BYTES];
    size_t command_line_length;
    bool is_command_line_cut;
};

extern struct boot_info boot_info;
