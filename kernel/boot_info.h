/* SPDX-License-Identifier: MIT */
/*
 * What the boot loader told us, in one form for both protocols: multiboot2
 * (GRUB) and PVH (qemu -kernel). Copied out of the loader's memory, which is
 * ordinary RAM afterwards; only the module stays where it is. Pure: loader
 * memory is reached through a function, and nothing in it is trusted.
 */
#pragma once

#include "kernel/attributes.h"
#include "kernel/ranges.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BOOT_COMMAND_LINE_BYTES = 4096,
    BOOT_RSDP_BYTES = 36, /* ACPI 2.0; the first 20 are ACPI 1.0 */
};

struct boot_info {
    const char *loader;  /* "multiboot2" or "PVH" */
    struct ranges ram;   /* usable, minus all that is reserved */
    struct range module; /* empty when there is none */
    unsigned modules_ignored;

    /* The ACPI root pointer: a copy, or where it lies, or neither (0). */
    uint8_t rsdp_copy[BOOT_RSDP_BYTES];
    size_t rsdp_copy_length;
    uint64_t rsdp_physical;

    char command_line[BOOT_COMMAND_LINE_BYTES]; /* NUL at the end */
    size_t command_line_length;
    bool is_command_line_cut;
};

/* Makes loader memory readable; NULL when it is out of reach. */
typedef const void *boot_memory(uint64_t physical, uint64_t bytes);

/* False when there is no memory map to start with. */
MUST_CHECK bool boot_info_read_multiboot2(struct boot_info *info,
                                          uint64_t physical,
                                          boot_memory *memory);
MUST_CHECK bool boot_info_read_pvh(struct boot_info *info, uint64_t physical,
                                   boot_memory *memory);

/* The one of this machine. */
extern struct boot_info boot_info;
