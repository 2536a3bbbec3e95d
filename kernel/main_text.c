/* SPDX-License-Identifier: MIT */
/* Writing a report into a buffer that may be too small. */
#include "kernel/main_text.h"

#include "libc/pure/format.h"

#include <stdarg.h>
#include <string.h>

enum { LINE_BYTES = 320 };

void report_add_bytes(struct report_text *text, const char *bytes,
                      size_t length)
{
    if (text->length < text->size) {
        size_t room = text->size - text->length;

        memcpy(text->buffer + text->length, bytes,
               length < room ? length : room);
    }
    text->length += length;
}

void report_add(struct report_text *text, const char *format, ...)
{
    char line[LINE_BYTES];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = format_text(line, sizeof(line), format, arguments);
    va_end(arguments);
    report_add_bytes(text, line,
                     length < sizeof(line) ? length : sizeof(line) - 1);
}
