/* SPDX-License-Identifier: MIT */
/* Texts by chance, for comparisons with the host's libc. */
#pragma once

#include <stdlib.h>
#include <string.h>

/* Up to so many of the letters, by rand(); in memory of exactly its size, so
 * that the sanitizer sees its end. The caller frees it. */
static inline char *random_text(const char *letters, size_t longest)
{
    size_t length = (size_t)rand() % (longest + 1);
    char *text = malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        text[i] = letters[(size_t)rand() % strlen(letters)];
    text[length] = '\0';
    return text;
}
