/* SPDX-License-Identifier: MIT */
/*
 * Characters, lines and other small change of stdio, over stream.c.
 */
#include "libc/system/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_FIRST_SIZE = 128 };

int fputs(const char *restrict text, FILE *restrict stream)
{
    stream_write(stream, text, strlen(text));
    return stream_finish(stream);
}

int puts(const char *text)
{
    stream_write(stdout, text, strlen(text));
    stream_write(stdout, "\n", 1);
    return stream_finish(stdout);
}

int fputc(int character, FILE *stream)
{
    char byte = (char)character;

    stream_write(stream, &byte, 1);
    return stream_finish(stream) == 0 ? (unsigned char)byte : EOF;
}

int putc(int character, FILE *stream)
{
    return fputc(character, stream);
}

int putchar(int character)
{
    return fputc(character, stdout);
}

int getc(FILE *stream)
{
    return fgetc(stream);
}

int getchar(void)
{
    return fgetc(stdin);
}

char *fgets(char *restrict buffer, int size, FILE *restrict stream)
{
    int length = 0;
    int character = 0;

    while (length < size - 1 && character != '\n') {
        character = fgetc(stream);
        if (character == EOF)
            break;
        buffer[length++] = (char)character;
    }
    if (length == 0 || size < 1)
        return NULL;
    buffer[length] = '\0';
    return buffer;
}

ssize_t getline(char **restrict line, size_t *restrict size,
                FILE *restrict stream)
{
    size_t length = 0;
    int character = 0;

    while (character != '\n') {
        if (*line == NULL || *size < length + 2) {
            size_t larger = *line == NULL || *size < LINE_FIRST_SIZE
                                ? LINE_FIRST_SIZE
                                : *size * 2;
            char *moved = realloc(*line, larger);

            if (moved == NULL)
                return -1;
            *line = moved;
            *size = larger;
        }
        character = fgetc(stream);
        if (character == EOF)
            break;
        (*line)[length++] = (char)character;
    }
    (*line)[length] = '\0';
    return length > 0 ? (ssize_t)length : -1;
}

int fseek(FILE *stream, long offset, int origin)
{
    return fseeko(stream, offset, origin);
}

long ftell(FILE *stream)
{
    return ftello(stream);
}

void rewind(FILE *stream)
{
    (void)fseeko(stream, 0, SEEK_SET);
    clearerr(stream);
}

void setbuf(FILE *restrict stream, char *restrict buffer)
{
    (void)setvbuf(stream, buffer, buffer != NULL ? _IOFBF : _IONBF, BUFSIZ);
}

void perror(const char *prefix)
{
    int error = errno;

    if (prefix != NULL && prefix[0] != '\0')
        fprintf(stderr, "%s: %s\n", prefix, strerror(error));
    else
        fprintf(stderr, "%s\n", strerror(error));
}
