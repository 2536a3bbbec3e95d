/* SPDX-License-Identifier: MIT */
/* Files read and written whole. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From malloc, with a 0 behind it; NULL with errno set. */
char *whole_file_read(const char *path, size_t *length);
/* In one write, as the machine's own files take it. False with errno set. */
bool whole_file_write(const char *path, const char *text, size_t length);
