/* SPDX-License-Identifier: MIT */
/*
 * The formatting engine: parse a conversion, take its argument, write it with
 * its padding. ISO C 7.21.6.1, with glibc's text for NULL: "(null)", "(nil)".
 */
#include "libc/pure/format.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum {
    DIGITS_MAX = 24, /* 2^64 in octal has 22 */
};

struct text_sink {
    struct format_sink sink;
    char *buffer;
    size_t size;
};

void format_write(struct format_sink *sink, const char *bytes, size_t length)
{
    sink->written += length;
    if (length > 0)
        sink->write(sink, bytes, length);
}

void format_fill(struct format_sink *sink, char character, size_t count)
{
    char run[32];

    memset(run, character, count < sizeof(run) ? count : sizeof(run));
    while (count > 0) {
        size_t part = count < sizeof(run) ? count : sizeof(run);

        format_write(sink, run, part);
        count -= part;
    }
}

/* A decimal number of the format; sticks at INT_MAX instead of wrapping. */
static size_t parse_number(const char **format)
{
    size_t value = 0;

    for (; **format >= '0' && **format <= '9'; ++*format) {
        value = value * 10 + (size_t)(**format - '0');
        if (value > INT_MAX)
            value = INT_MAX;
    }
    return value;
}

static void parse_flags(const char **format, struct format_spec *spec)
{
    for (;; ++*format) {
        switch (**format) {
        case '-':
            spec->left = true;
            break;
        case '0':
            spec->zero = true;
            break;
        case '+':
            spec->plus = true;
            break;
        case ' ':
            spec->space = true;
            break;
        case '#':
            spec->alternate = true;
            break;
        default:
            return;
        }
    }
}

static void parse_width(const char **format, struct format_spec *spec,
                        struct format_arguments *arguments)
{
    int width;

    if (**format != '*') {
        spec->width = parse_number(format);
        return;
    }
    ++*format;
    width = va_arg(arguments->list, int);
    if (width < 0) {
        spec->left = true;
        spec->width = (size_t) - (long)width;
    } else {
        spec->width = (size_t)width;
    }
}

static void parse_precision(const char **format, struct format_spec *spec,
                            struct format_arguments *arguments)
{
    int precision;

    if (**format != '.')
        return;
    ++*format;
    if (**format != '*') {
        spec->has_precision = true;
        spec->precision = parse_number(format);
        return;
    }
    ++*format;
    precision = va_arg(arguments->list, int);
    if (precision >= 0) {
        spec->has_precision = true;
        spec->precision = (size_t)precision;
    }
}

static void parse_length(const char **format, struct format_spec *spec)
{
    char first = **format;

    switch (first) {
    case 'h':
    case 'l':
        ++*format;
        if (**format != first) {
            spec->length = first;
            return;
        }
        spec->length = first == 'h' ? 'H' : 'L';
        break;
    case 'L':
    case 'j':
    case 'z':
    case 't':
        spec->length = first;
        break;
    default:
        return;
    }
    ++*format;
}

static intmax_t take_signed(const struct format_spec *spec,
                            struct format_arguments *arguments)
{
    switch (spec->length) {
    case 'H':
        return (signed char)va_arg(arguments->list, int);
    case 'h':
        return (short)va_arg(arguments->list, int);
    case 'l':
        return va_arg(arguments->list, long);
    case 'L':
        return va_arg(arguments->list, long long);
    case 'j':
        return va_arg(arguments->list, intmax_t);
    case 'z':
        return (intmax_t)va_arg(arguments->list, size_t);
    case 't':
        return va_arg(arguments->list, ptrdiff_t);
    default:
        return va_arg(arguments->list, int);
    }
}

static uintmax_t take_unsigned(const struct format_spec *spec,
                               struct format_arguments *arguments)
{
    switch (spec->length) {
    case 'H':
        return (unsigned char)va_arg(arguments->list, unsigned);
    case 'h':
        return (unsigned short)va_arg(arguments->list, unsigned);
    case 'l':
        return va_arg(arguments->list, unsigned long);
    case 'L':
        return va_arg(arguments->list, unsigned long long);
    case 'j':
        return va_arg(arguments->list, uintmax_t);
    case 'z':
        return va_arg(arguments->list, size_t);
    case 't':
        return (uintmax_t)va_arg(arguments->list, ptrdiff_t);
    default:
        return va_arg(arguments->list, unsigned);
    }
}

/* Digits from the end of the buffer backwards; returns where they begin. */
static char *put_digits(char *end, uintmax_t value, unsigned base, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    for (; value > 0; value /= base)
        *--end = digits[value % base];
    return end;
}

/* Spaces, prefix (sign or 0x), zeros, body, spaces: what every conversion
 * comes down to. `zeros` are those the precision asks for. */
static void write_padded(struct format_sink *sink,
                         const struct format_spec *spec, const char *prefix,
                         size_t zeros, const char *body, size_t body_length)
{
    size_t prefix_length = strlen(prefix);
    size_t length = prefix_length + zeros + body_length;
    size_t padding = spec->width > length ? spec->width - length : 0;

    if (spec->zero && !spec->left) {
        zeros += padding;
        padding = 0;
    }
    if (!spec->left)
        format_fill(sink, ' ', padding);
    format_write(sink, prefix, prefix_length);
    format_fill(sink, '0', zeros);
    format_write(sink, body, body_length);
    if (spec->left)
        format_fill(sink, ' ', padding);
}

static void write_integer(struct format_sink *sink, struct format_spec *spec,
                          const char *prefix, uintmax_t value, unsigned base)
{
    char buffer[DIGITS_MAX];
    char *end = buffer + sizeof(buffer);
    char *begin = put_digits(end, value, base, spec->conversion == 'X');
    size_t length = (size_t)(end - begin);
    size_t minimum = spec->has_precision ? spec->precision : 1;

    if (spec->has_precision)
        spec->zero = false;
    if (base == 8 && spec->alternate && length >= minimum)
        minimum = length + 1;
    write_padded(sink, spec, prefix, minimum > length ? minimum - length : 0,
                 begin, length);
}

static void write_signed(struct format_sink *sink, struct format_spec *spec,
                         struct format_arguments *arguments)
{
    intmax_t value = take_signed(spec, arguments);
    uintmax_t magnitude = (uintmax_t)value;
    const char *prefix = "";

    if (value < 0) {
        magnitude = 0 - magnitude;
        prefix = "-";
    } else if (spec->plus) {
        prefix = "+";
    } else if (spec->space) {
        prefix = " ";
    }
    write_integer(sink, spec, prefix, magnitude, 10);
}

static void write_unsigned(struct format_sink *sink, struct format_spec *spec,
                           struct format_arguments *arguments)
{
    uintmax_t value = take_unsigned(spec, arguments);
    const char *prefix = "";

    switch (spec->conversion) {
    case 'o':
        write_integer(sink, spec, prefix, value, 8);
        return;
    case 'x':
    case 'X':
        if (spec->alternate && value != 0)
            prefix = spec->conversion == 'x' ? "0x" : "0X";
        write_integer(sink, spec, prefix, value, 16);
        return;
    default:
        write_integer(sink, spec, prefix, value, 10);
    }
}

static void write_string(struct format_sink *sink, struct format_spec *spec,
                         const char *text)
{
    size_t limit = spec->has_precision ? spec->precision : SIZE_MAX;

    spec->zero = false;
    if (text == NULL)
        text = limit >= 6 ? "(null)" : "";
    write_padded(sink, spec, "", 0, text, strnlen(text, limit));
}

static void write_pointer(struct format_sink *sink, struct format_spec *spec,
                          const void *pointer)
{
    if (pointer == NULL) {
        spec->has_precision = false;
        write_string(sink, spec, "(nil)");
        return;
    }
    write_integer(sink, spec, "0x", (uintptr_t)pointer, 16);
}

static void write_character(struct format_sink *sink, struct format_spec *spec,
                            int character)
{
    char body = (char)character;

    spec->zero = false;
    write_padded(sink, spec, "", 0, &body, 1);
}

/* False: not a conversion this engine knows. */
static bool write_conversion(struct format_sink *sink, struct format_spec *spec,
                             struct format_arguments *arguments,
                             format_floating *floating)
{
    switch (spec->conversion) {
    case 'd':
    case 'i':
        write_signed(sink, spec, arguments);
        return true;
    case 'u':
    case 'o':
    case 'x':
    case 'X':
        write_unsigned(sink, spec, arguments);
        return true;
    case 's':
        write_string(sink, spec, va_arg(arguments->list, const char *));
        return true;
    case 'c':
        write_character(sink, spec, va_arg(arguments->list, int));
        return true;
    case 'p':
        write_pointer(sink, spec, va_arg(arguments->list, void *));
        return true;
    case '%':
        format_write(sink, "%", 1);
        return true;
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
        if (floating == NULL)
            return false;
        floating(sink, spec, arguments);
        return true;
    default:
        return false;
    }
}

void format_to(struct format_sink *sink, const char *format, va_list arguments,
               format_floating *floating)
{
    struct format_arguments own;

    va_copy(own.list, arguments);
    while (*format != '\0') {
        struct format_spec spec = {0};
        const char *start = format;

        if (*format != '%') {
            format = strchr(format, '%');
            if (format == NULL)
                format = start + strlen(start);
            format_write(sink, start, (size_t)(format - start));
            continue;
        }
        ++format;
        parse_flags(&format, &spec);
        parse_width(&format, &spec, &own);
        parse_precision(&format, &spec, &own);
        parse_length(&format, &spec);
        spec.conversion = *format;
        if (*format != '\0')
            ++format;
        if (!write_conversion(sink, &spec, &own, floating))
            format_write(sink, start, (size_t)(format - start));
    }
    va_end(own.list);
}

static void text_sink_write(struct format_sink *sink, const char *bytes,
                            size_t length)
{
    struct text_sink *text = (struct text_sink *)sink;
    size_t offset = sink->written - length;
    size_t room;

    if (text->size == 0 || offset >= text->size - 1)
        return;
    room = text->size - 1 - offset;
    memcpy(text->buffer + offset, bytes, length < room ? length : room);
}

size_t format_text_floating(char *buffer, size_t size, const char *format,
                            va_list arguments, format_floating *floating)
{
    struct text_sink text = {{text_sink_write, 0}, buffer, size};

    format_to(&text.sink, format, arguments, floating);
    if (size > 0) {
        size_t end = text.sink.written;

        buffer[end < size ? end : size - 1] = '\0';
    }
    return text.sink.written;
}

size_t format_text(char *buffer, size_t size, const char *format,
                   va_list arguments)
{
    return format_text_floating(buffer, size, format, arguments, NULL);
}

size_t format_print(char *buffer, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = format_text(buffer, size, format, arguments);
    va_end(arguments);
    return length;
}
