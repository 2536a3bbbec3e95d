/* SPDX-License-Identifier: MIT */
/*
 * From the escaped path of a request to the name of a file, and back. The
 * only place where a path from the network becomes a path of the system.
 */
#pragma once

#include "slice.h"

/* Writes the unescaped, normalised path ("/a/b"; a slash at the end is kept)
 * with its NUL into `path`. False for a malformed escape, a NUL, a ".."
 * segment, escaped or not, or a name that does not fit. */
bool target_decode(struct slice escaped, char *path, size_t capacity);
/* True if a segment begins with a dot: hidden, except "/.well-known". */
bool target_is_hidden(const char *path);
/* Escapes a decoded path again; false if it does not fit. */
bool target_encode(const char *path, char *escaped, size_t capacity);
