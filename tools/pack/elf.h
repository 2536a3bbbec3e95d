/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_part {
    uint8_t *bytes;
    size_t length;
    uint64_t address; /* where it runs */
};

/* The section `name` of an ELF64 file that lies in memory, in which the result
   points; false if it lacks. */
bool elf_section(uint8_t *file, size_t file_length, const char *name,
                 struct elf_part *part);

/* From now on the section, with which the bytes end that a segment has in the
   file, has none there: they are zero when it is loaded. */
bool elf_empty_section(uint8_t *file, size_t file_length, const char *name);
