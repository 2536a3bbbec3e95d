/* SPDX-License-Identifier: MIT */
/*
 * Words, numbers, comments.
 */
#include "tests/script/reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void reader_fail(const struct reader *reader, const char *format, ...)
{
    va_list values;

    fprintf(stderr, "%s:%u: ", reader->file, reader->line);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    exit(2);
}

void *reader_memory(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL)
        abort();
    return memory;
}

char *reader_copy(const char *from, size_t length)
{
    char *copy = reader_memory(length + 1);

    memcpy(copy, from, length);
    return copy;
}

static bool skip_comment(struct reader *reader)
{
    if (strncmp(reader->at, "//", 2) == 0 || *reader->at == '#') {
        while (*reader->at != '\0' && *reader->at != '\n')
            reader->at++;
        return true;
    }
    if (strncmp(reader->at, "/*", 2) != 0)
        return false;
    const char *end = strstr(reader->at + 2, "*/");
    if (end == NULL)
        reader_fail(reader, "a comment without an end");
    for (; reader->at < end + 2; reader->at++)
        reader->line += *reader->at == '\n';
    return true;
}

void reader_skip(struct reader *reader)
{
    for (;;) {
        if (skip_comment(reader))
            continue;
        if (!isspace((unsigned char)*reader->at))
            return;
        reader->line += *reader->at == '\n';
        reader->at++;
    }
}

void reader_blanks(struct reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t')
        reader->at++;
}

bool reader_take(struct reader *reader, const char *text)
{
    size_t length = strlen(text);

    reader_blanks(reader);
    if (strncmp(reader->at, text, length) != 0)
        return false;
    reader->at += length;
    return true;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool reader_take_word(struct reader *reader, const char *word)
{
    size_t length = strlen(word);

    reader_blanks(reader);
    if (strncmp(reader->at, word, length) != 0 || is_word(reader->at[length]))
        return false;
    reader->at += length;
    return true;
}

void reader_need(struct reader *reader, const char *text)
{
    if (!reader_take(reader, text))
        reader_fail(reader, "'%s' expected before '%.20s'", text, reader->at);
}

char *reader_word(struct reader *reader)
{
    reader_blanks(reader);
    const char *start = reader->at;
    while (is_word(*reader->at))
        reader->at++;
    return reader_copy(start, (size_t)(reader->at - start));
}

uint32_t reader_number(struct reader *reader)
{
    char *end;

    reader_blanks(reader);
    if (!isdigit((unsigned char)*reader->at))
        reader_fail(reader, "a number expected before '%.20s'", reader->at);
    unsigned long value = strtoul(reader->at, &end, 0);
    if (value > UINT32_MAX)
        reader_fail(reader, "a number of more than 32 bits");
    reader->at = end;
    return (uint32_t)value;
}
