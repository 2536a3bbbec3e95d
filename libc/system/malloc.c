/* SPDX-License-Identifier: MIT */
/*
 * malloc and its relatives: the heap with errno, and what is built on it.
 */
#include "libc/system/heap.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void heap_corrupt(const char *what, const void *block)
{
    fprintf(stderr, "malloc: block %p: %s\n", block, what);
    abort();
}

static void *or_no_memory(void *block)
{
    if (block == NULL)
        errno = ENOMEM;
    return block;
}

void *malloc(size_t size)
{
    return or_no_memory(heap_allocate(size, 1));
}

void *calloc(size_t count, size_t size)
{
    void *block;

    if (size > 0 && count > SIZE_MAX / size)
        return or_no_memory(NULL);
    block = malloc(count * size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

void *realloc(void *block, size_t size)
{
    if (block == NULL)
        return malloc(size);
    if (size == 0) {
        heap_release(block);
        return NULL;
    }
    return or_no_memory(heap_resize(block, size));
}

void *reallocarray(void *block, size_t count, size_t size)
{
    if (size > 0 && count > SIZE_MAX / size)
        return or_no_memory(NULL);
    return realloc(block, count * size);
}

void free(void *block)
{
    if (block != NULL)
        heap_release(block);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *result;

    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    result = heap_allocate(size, alignment);
    if (result == NULL)
        return ENOMEM;
    *block = result;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return or_no_memory(heap_allocate(size, alignment));
}

char *strndup(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit);
    char *copy = malloc(length + 1);

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return strndup(text, SIZE_MAX);
}
