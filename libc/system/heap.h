/* SPDX-License-Identifier: MIT */
/*
 * The apps' heap under malloc and its relatives. Blocks carry a checked
 * header, so that a second free, a foreign pointer or an overrun into the
 * next header stops the app with a message instead of corrupting it.
 */
#pragma once

#include <stddef.h>

/* NULL when memory is short. `alignment` is a power of two. */
void *heap_allocate(size_t size, size_t alignment);

/* Like realloc of a live block; NULL leaves the old one as it was. */
void *heap_resize(void *block, size_t size);

void heap_release(void *block);

/* Bytes in use by live blocks, with their headers. */
size_t heap_used(void);

/* Called with what was wrong; must not return. Malloc supplies it. */
_Noreturn void heap_corrupt(const char *what, const void *block);
