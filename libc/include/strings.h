/* SPDX-License-Identifier: MIT */
/*
 * The POSIX leftovers of string handling: comparisons that ignore the case of
 * ASCII letters, and find-first-set.
 */
#pragma once

#include <stddef.h>

int strcasecmp(const char *left, const char *right);
int strncasecmp(const char *left, const char *right, size_t limit);
char *strcasestr(const char *haystack, const char *needle);
int ffs(int value);
