/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The section `name` of an ELF64 file that lies in memory; NULL if it lacks. */
uint8_t *elf_section(uint8_t *file, size_t file_length, const char *name,
                     size_t *length);

/* From now on the section, and a segment that holds it alone, has no bytes in
   the file: they are zero when it is loaded. */
bool elf_empty_section(uint8_t *file, size_t file_length, const char *name);
