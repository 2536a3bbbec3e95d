/* SPDX-License-Identifier: MIT */
/*
 * The one formatting engine: log lines of kernel and net, the text of their
 * reports, and printf (ISO C 7.21.6.1). Compiled with general registers only.
 * Floating point is therefore a hook: only code compiled with SSE may take a
 * double from a va_list, and only apps have such code. %n, wide characters
 * and positional arguments are left out.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Where the text goes. `written` counts all of it, kept or not. */
struct format_sink {
    void (*write)(struct format_sink *sink, const char *bytes, size_t length);
    size_t written;
};

/* One conversion, as parsed: `%-08.3lf`. */
struct format_spec {
    bool left;
    bool zero;
    bool plus;
    bool space;
    bool alternate;
    bool has_precision;
    size_t width;
    size_t precision; /* 0 unless has_precision */
    char length;      /* 'H' hh, 'h', 'l', 'L' ll or L, 'j', 'z', 't', or 0 */
    char conversion;
};

/* A va_list by reference: as a parameter, a bare one may decay to a pointer. */
struct format_arguments {
    va_list list;
};

/* Takes one double from the arguments and writes it. */
typedef void format_floating(struct format_sink *sink,
                             const struct format_spec *spec,
                             struct format_arguments *arguments);

/* Writes the text into the sink. `floating` may be NULL: %f and its kin are
 * then written as they stand and no argument is consumed. */
void format_to(struct format_sink *sink, const char *format, va_list arguments,
               format_floating *floating) __attribute__((format(printf, 2, 0)));

/* Into a buffer; always terminated when size > 0. Returns the length of the
 * whole text, which was cut if that is >= size. */
size_t format_text(char *buffer, size_t size, const char *format,
                   va_list arguments) __attribute__((format(printf, 3, 0)));
size_t format_print(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t format_text_floating(char *buffer, size_t size, const char *format,
                            va_list arguments, format_floating *floating)
    __attribute__((format(printf, 3, 0)));

/* For the hook. */
void format_write(struct format_sink *sink, const char *bytes, size_t length);
void format_fill(struct format_sink *sink, char character, size_t count);
