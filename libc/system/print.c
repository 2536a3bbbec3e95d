/* SPDX-License-Identifier: MIT */
/*
 * The printf family: the formatting engine, its floating point hook, and one
 * sink per kind of target.
 */
#include "libc/system/print_floating.h"
#include "libc/system/stream.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DPRINTF_BUFFER = 256 };

struct stream_sink {
    struct format_sink sink;
    FILE *stream;
};

static int result_of(size_t length)
{
    if (length > INT_MAX) {
        errno = EOVERFLOW;
        return -1;
    }
    return (int)length;
}

int vsnprintf(char *restrict buffer, size_t size, const char *restrict format,
              va_list arguments)
{
    return result_of(
        format_text_floating(buffer, size, format, arguments, print_floating));
}

int snprintf(char *restrict buffer, size_t size, const char *restrict format,
             ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}

int vsprintf(char *restrict buffer, const char *restrict format,
             va_list arguments)
{
    return vsnprintf(buffer, SIZE_MAX, format, arguments);
}

int sprintf(char *restrict buffer, const char *restrict format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsprintf(buffer, format, arguments);
    va_end(arguments);
    return length;
}

int vasprintf(char **text, const char *restrict format, va_list arguments)
{
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (*text == NULL)
        return -1;
    return vsnprintf(*text, (size_t)length + 1, format, arguments);
}

int asprintf(char **text, const char *restrict format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

static void write_to_stream(struct format_sink *sink, const char *bytes,
                            size_t length)
{
    stream_write(((struct stream_sink *)sink)->stream, bytes, length);
}

int vfprintf(FILE *restrict stream, const char *restrict format,
             va_list arguments)
{
    struct stream_sink target = {{write_to_stream, 0}, stream};

    format_to(&target.sink, format, arguments, print_floating);
    return stream_finish(stream) == 0 ? result_of(target.sink.written) : -1;
}

int fprintf(FILE *restrict stream, const char *restrict format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vfprintf(stream, format, arguments);
    va_end(arguments);
    return length;
}

int vprintf(const char *restrict format, va_list arguments)
{
    return vfprintf(stdout, format, arguments);
}

int printf(const char *restrict format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vprintf(format, arguments);
    va_end(arguments);
    return length;
}

int vdprintf(int descriptor, const char *restrict format, va_list arguments)
{
    char buffer[DPRINTF_BUFFER];
    struct file_stream stream = {
        .descriptor = descriptor,
        .mode = _IONBF,
        .pushed = EOF,
        .buffer = buffer,
        .size = sizeof(buffer),
    };

    return vfprintf(&stream, format, arguments);
}

int dprintf(int descriptor, const char *restrict format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vdprintf(descriptor, format, arguments);
    va_end(arguments);
    return length;
}
