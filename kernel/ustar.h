/* SPDX-License-Identifier: MIT */
/*
 * Reads a tar archive in memory, entry by entry: POSIX.1-2001 pax, "ustar
 * Interchange Format", with the path record of extended headers and GNU tar's
 * long names. Pure: nothing in the archive is trusted, no read goes past the
 * end. Links, devices and names with ".." are left out and counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { USTAR_NAME_BYTES = 256 }; /* the NUL included; longer is left out */

struct ustar_reader {
    const uint8_t *bytes;
    size_t length;
    size_t offset;       /* of the next header */
    const char *trouble; /* why reading stopped early; NULL: it did not */
    size_t left_out;
    bool has_long_name;               /* for the next entry: */
    char long_name[USTAR_NAME_BYTES]; /* ... "" if it was too long */
    char name[USTAR_NAME_BYTES];      /* of the entry last read */
};

struct ustar_entry {
    const char *name; /* the reader's, valid until the next call */
    const uint8_t *content;
    size_t length;
    uint64_t modified_seconds;
    bool is_directory;
};

void ustar_start(struct ustar_reader *reader, const uint8_t *bytes,
                 size_t length);

/* False at the end, or in trouble. */
bool ustar_next(struct ustar_reader *reader, struct ustar_entry *entry);
