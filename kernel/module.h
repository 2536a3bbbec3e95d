/* SPDX-License-Identifier: MIT */
/*
 * The boot module (-initrd, module2): a ustar archive (POSIX.1-1988, with
 * GNU and pax long names) of read-only files, served where it lies. A bad
 * archive or one cut short is named on the console and counts as absent.
 * Links and device nodes are left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names are relative ("www/index.html"): no "/" or "./" in front, no "..". */
struct module_file {
    const char *name;
    const uint8_t *content; /* valid for ever */
    size_t length;
    uint64_t modified_seconds; /* since 1970 */
    bool is_directory;
};

/* Reads the archive and builds the index; the bytes must stay. */
void module_start(const uint8_t *bytes, size_t length);

/* The files in byte order of their names. */
size_t module_count(void);
const struct module_file *module_at(size_t index);

/* By name, with or without a leading "/"; NULL when there is none. */
const struct module_file *module_find(const char *name);

/* First file whose name is not before this one (for listing a directory). */
size_t module_lower_bound(const char *name);
