/* SPDX-License-Identifier: MIT */
/*
 * Memory blocks and strings (ISO C 7.24 and the POSIX additions in use). Pure
 * shelf: no state except strtok's, callable from every room and context.
 * No locale: strcoll and strxfrm are left out.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict destination, const void *restrict source,
             size_t length);
void *memmove(void *destination, const void *source, size_t length);
void *memset(void *destination, int value, size_t length);
int memcmp(const void *left, const void *right, size_t length);
void *memchr(const void *block, int value, size_t length);
void *memrchr(const void *block, int value, size_t length);
void *memmem(const void *haystack, size_t haystack_length, const void *needle,
             size_t needle_length);
void *mempcpy(void *restrict destination, const void *restrict source,
              size_t length);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t limit);
char *strcpy(char *restrict destination, const char *restrict source);
char *strncpy(char *restrict destination, const char *restrict source,
              size_t size);
char *stpcpy(char *restrict destination, const char *restrict source);
char *strcat(char *restrict destination, const char *restrict source);
char *strncat(char *restrict destination, const char *restrict source,
              size_t limit);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
char *strchrnul(const char *text, int character);
char *strstr(const char *haystack, const char *needle);
size_t strspn(const char *text, const char *accepted);
size_t strcspn(const char *text, const char *rejected);
char *strpbrk(const char *text, const char *accepted);
char *strtok(char *restrict text, const char *restrict separators);
char *strtok_r(char *restrict text, const char *restrict separators,
               char **restrict rest);
char *strsep(char **text, const char *separators);

/* English text for an errno value; never NULL. */
char *strerror(int error);

/* Allocated: system shelf, apps only. */
char *strdup(const char *text);
char *strndup(const char *text, size_t limit);
