/* SPDX-License-Identifier: MIT */
/*
 * Strings: plain and short, since nothing hot uses them. strtok keeps the one
 * piece of state of the pure shelf and is for apps only.
 */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* ISO C returns a char * into what it took as const char *. */
static inline char *unconst(const char *text)
{
    return (char *)(uintptr_t)text;
}

size_t strlen(const char *text)
{
    const char *end = text;

    while (*end != '\0')
        ++end;
    return (size_t)(end - text);
}

size_t strnlen(const char *text, size_t limit)
{
    size_t length = 0;

    while (length < limit && text[length] != '\0')
        ++length;
    return length;
}

int strcmp(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        ++left;
        ++right;
    }
    return (unsigned char)*left - (unsigned char)*right;
}

int strncmp(const char *left, const char *right, size_t limit)
{
    for (; limit > 0; --limit, ++left, ++right) {
        if (*left != *right)
            return (unsigned char)*left - (unsigned char)*right;
        if (*left == '\0')
            return 0;
    }
    return 0;
}

int strcasecmp(const char *left, const char *right)
{
    return strncasecmp(left, right, SIZE_MAX);
}

int strncasecmp(const char *left, const char *right, size_t limit)
{
    for (; limit > 0; --limit, ++left, ++right) {
        int a = tolower((unsigned char)*left);
        int b = tolower((unsigned char)*right);

        if (a != b || a == '\0')
            return a - b;
    }
    return 0;
}

char *stpcpy(char *restrict destination, const char *restrict source)
{
    size_t length = strlen(source);

    memcpy(destination, source, length + 1);
    return destination + length;
}

char *strcpy(char *restrict destination, const char *restrict source)
{
    stpcpy(destination, source);
    return destination;
}

char *strncpy(char *restrict destination, const char *restrict source,
              size_t size)
{
    size_t length = strnlen(source, size);

    memcpy(destination, source, length);
    memset(destination + length, 0, size - length);
    return destination;
}

char *strcat(char *restrict destination, const char *restrict source)
{
    stpcpy(destination + strlen(destination), source);
    return destination;
}

char *strncat(char *restrict destination, const char *restrict source,
              size_t limit)
{
    char *end = destination + strlen(destination);
    size_t length = strnlen(source, limit);

    memcpy(end, source, length);
    end[length] = '\0';
    return destination;
}

char *strchrnul(const char *text, int character)
{
    while (*text != '\0' && *text != (char)character)
        ++text;
    return unconst(text);
}

char *strchr(const char *text, int character)
{
    char *found = strchrnul(text, character);

    return *found == (char)character ? found : NULL;
}

char *strrchr(const char *text, int character)
{
    return memrchr(text, character, strlen(text) + 1);
}

char *strstr(const char *haystack, const char *needle)
{
    return memmem(haystack, strlen(haystack), needle, strlen(needle));
}

char *strcasestr(const char *haystack, const char *needle)
{
    size_t length = strlen(needle);

    for (;; ++haystack) {
        if (strncasecmp(haystack, needle, length) == 0)
            return unconst(haystack);
        if (*haystack == '\0')
            return NULL;
    }
}

size_t strspn(const char *text, const char *accepted)
{
    size_t length = 0;

    while (text[length] != '\0' && strchr(accepted, text[length]) != NULL)
        ++length;
    return length;
}

size_t strcspn(const char *text, const char *rejected)
{
    size_t length = 0;

    while (text[length] != '\0' && strchr(rejected, text[length]) == NULL)
        ++length;
    return length;
}

char *strpbrk(const char *text, const char *accepted)
{
    text += strcspn(text, accepted);
    return *text != '\0' ? unconst(text) : NULL;
}

char *strsep(char **text, const char *separators)
{
    char *start = *text;
    char *end;

    if (start == NULL)
        return NULL;
    end = start + strcspn(start, separators);
    if (*end == '\0') {
        *text = NULL;
    } else {
        *end = '\0';
        *text = end + 1;
    }
    return start;
}

char *strtok_r(char *restrict text, const char *restrict separators,
               char **restrict rest)
{
    char *end;

    if (text == NULL)
        text = *rest;
    text += strspn(text, separators);
    end = text + strcspn(text, separators);
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    return text == end ? NULL : text;
}

char *strtok(char *restrict text, const char *restrict separators)
{
    static char *rest;

    return strtok_r(text, separators, &rest);
}

int ffs(int value)
{
    return __builtin_ffs(value);
}
