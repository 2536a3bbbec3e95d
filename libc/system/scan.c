/* SPDX-License-Identifier: MIT */
/*
 * sscanf (ISO C 7.21.6.2, and what glibc makes of its open ends: a mismatch
 * takes nothing back). Left out: input from streams, wide characters, %m,
 * hexadecimal floats, positional arguments.
 */
#include <ctype.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    SET_BYTES = 256,
    FLOAT_TEXT = 256, /* of a number that a width cuts, so much is read */
};

struct scan {
    const char *start;
    const char *at;
    va_list arguments;
};

/* One conversion, as parsed: `%*5hd`. */
struct conversion {
    size_t width; /* SIZE_MAX: none given */
    bool is_suppressed;
    char length; /* 'H' hh, 'h', 'l', 'L' ll or L, 'j', 'z', 't', or 0 */
    char kind;
    bool set[SET_BYTES];
};

enum outcome {
    TAKEN,
    MISMATCH,
    AT_END, /* nothing left to read */
};

/* ---- the format ---------------------------------------------------------- */

static const char *parse_set(const char *format, struct conversion *conversion)
{
    bool is_listed = *format != '^';
    const char *first;

    if (!is_listed)
        format++;
    memset(conversion->set, !is_listed, sizeof(conversion->set));
    for (first = format; *format != '\0' && (*format != ']' || format == first);
         format++) {
        unsigned low = (unsigned char)*format;
        unsigned high = low;

        if (format[1] == '-' && format[2] != ']' && format[2] != '\0' &&
            (unsigned char)format[2] >= low) {
            format += 2;
            high = (unsigned char)*format;
        }
        for (; low <= high; low++)
            conversion->set[low] = is_listed;
    }
    return *format == ']' ? format + 1 : format;
}

static const char *parse_length(const char *format, char *length)
{
    if (*format == '\0' || strchr("hlLjztq", *format) == NULL)
        return format;
    *length = *format == 'q' ? 'L' : *format;
    if ((format[0] == 'h' || format[0] == 'l') && format[1] == format[0]) {
        *length = format[0] == 'h' ? 'H' : 'L';
        format++;
    }
    return format + 1;
}

/* From behind the percent sign; returns what follows the conversion. */
static const char *parse_conversion(const char *format,
                                    struct conversion *conversion)
{
    *conversion = (struct conversion){.width = SIZE_MAX};
    if (*format == '*') {
        conversion->is_suppressed = true;
        format++;
    }
    if (isdigit((unsigned char)*format)) {
        unsigned long width = 0;

        for (; isdigit((unsigned char)*format); format++)
            if (width <= INT_MAX)
                width = width * 10 + (unsigned long)(*format - '0');
        conversion->width = width == 0 ? SIZE_MAX : width;
    }
    format = parse_length(format, &conversion->length);
    conversion->kind = *format;
    if (*format == '\0')
        return format;
    return *format == '[' ? parse_set(format + 1, conversion) : format + 1;
}

/* ---- integers ------------------------------------------------------------ */

static unsigned digit_of(char character)
{
    if (isdigit((unsigned char)character))
        return (unsigned)(character - '0');
    if (isalpha((unsigned char)character))
        return (unsigned)(tolower((unsigned char)character) - 'a') + 10;
    return UINT_MAX;
}

static void store_integer(struct scan *scan, char length, uint64_t value)
{
    switch (length) {
    case 'H':
        *va_arg(scan->arguments, unsigned char *) = (unsigned char)value;
        return;
    case 'h':
        *va_arg(scan->arguments, unsigned short *) = (unsigned short)value;
        return;
    case 0:
        *va_arg(scan->arguments, unsigned *) = (unsigned)value;
        return;
    default:
        *va_arg(scan->arguments, uint64_t *) = value;
    }
}

static unsigned base_of(char kind)
{
    switch (kind) {
    case 'i':
        return 0;
    case 'o':
        return 8;
    case 'd':
    case 'u':
        return 10;
    default:
        return 16;
    }
}

/* Skips "0x"; finds the base when it is 0. The zero counts as a digit. */
static bool take_prefix(const char **at, const char *end, unsigned *base)
{
    if (*at == end || **at != '0')
        return false;
    (*at)++;
    if (*at < end && (**at == 'x' || **at == 'X') &&
        (*base == 0 || *base == 16)) {
        (*at)++;
        *base = 16;
    } else if (*base == 0) {
        *base = 8;
    }
    return true;
}

static enum outcome scan_integer(struct scan *scan,
                                 const struct conversion *conversion)
{
    const char *at = scan->at;
    const char *end = at + strnlen(at, conversion->width);
    bool is_signed = conversion->kind == 'd' || conversion->kind == 'i';
    bool is_negative = false, is_overflow = false, has_digits;
    unsigned base = base_of(conversion->kind);
    uint64_t value = 0;

    if (at < end && (*at == '-' || *at == '+'))
        is_negative = *at++ == '-';
    has_digits = take_prefix(&at, end, &base);
    if (base == 0)
        base = 10;
    for (; at < end && digit_of(*at) < base; at++) {
        has_digits = true;
        is_overflow |= value > (UINT64_MAX - digit_of(*at)) / base;
        value = value * base + digit_of(*at);
    }
    scan->at = at;
    if (!has_digits)
        return MISMATCH;
    if (is_signed && (is_overflow || value > INT64_MAX))
        value = is_negative ? (uint64_t)INT64_MIN : INT64_MAX;
    else if (is_overflow)
        value = UINT64_MAX;
    else if (is_negative)
        value = 0 - value;
    if (!conversion->is_suppressed)
        store_integer(scan, conversion->length, value);
    return TAKEN;
}

/* ---- floating point ------------------------------------------------------ */

static const char *skip_digits(const char *at)
{
    while (isdigit((unsigned char)*at))
        at++;
    return at;
}

/* How many characters are a number; 0 when they are none. */
static size_t float_length(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+');
    const char *number = at;
    const char *point;

    if (strncasecmp(at, "inf", 3) == 0)
        return (size_t)(at - text) +
               (strncasecmp(at, "infinity", 8) == 0 ? 8 : 3);
    if (strncasecmp(at, "nan", 3) == 0)
        return (size_t)(at - text) + 3;
    point = at = skip_digits(at);
    if (*at == '.')
        at = skip_digits(at + 1);
    if (point == number && at <= point + 1)
        return 0;
    if (*at == 'e' || *at == 'E') {
        const char *digits = at + 1 + (at[1] == '-' || at[1] == '+');

        if (isdigit((unsigned char)*digits))
            at = skip_digits(digits);
    }
    return (size_t)(at - text);
}

static enum outcome scan_float(struct scan *scan,
                               const struct conversion *conversion)
{
    size_t length = float_length(scan->at);
    char cut[FLOAT_TEXT];
    const char *text = scan->at;
    double value;

    if (length > conversion->width) {
        length = conversion->width < sizeof(cut) ? conversion->width
                                                 : sizeof(cut) - 1;
        memcpy(cut, text, length);
        cut[length] = '\0';
        text = cut;
        length = float_length(cut);
    }
    if (length == 0)
        return MISMATCH;
    value = strtod(text, NULL);
    scan->at += length;
    if (conversion->is_suppressed)
        return TAKEN;
    if (conversion->length == 'L')
        *va_arg(scan->arguments, long double *) = value;
    else if (conversion->length == 'l')
        *va_arg(scan->arguments, double *) = value;
    else
        *va_arg(scan->arguments, float *) = (float)value;
    return TAKEN;
}

/* ---- characters ---------------------------------------------------------- */

/* %c, %s and %[: as many as the set and the width allow. */
static enum outcome scan_characters(struct scan *scan,
                                    struct conversion *conversion)
{
    const char *from = scan->at;
    size_t width = conversion->width;
    size_t length = 0;
    char *to;

    if (conversion->kind == 'c' && width == SIZE_MAX)
        width = 1;
    while (length < width && from[length] != '\0') {
        unsigned char next = (unsigned char)from[length];

        if (conversion->kind == 's'
                ? isspace(next)
                : conversion->kind == '[' && !conversion->set[next])
            break;
        length++;
    }
    if (length == 0)
        return MISMATCH;
    scan->at += length;
    if (conversion->is_suppressed)
        return TAKEN;
    to = va_arg(scan->arguments, char *);
    memcpy(to, from, length);
    if (conversion->kind != 'c')
        to[length] = '\0';
    return TAKEN;
}

/* ---- putting it together ------------------------------------------------- */

static void skip_blanks(struct scan *scan)
{
    while (isspace((unsigned char)*scan->at))
        scan->at++;
}

static enum outcome convert(struct scan *scan, struct conversion *conversion)
{
    if (conversion->kind != 'c' && conversion->kind != '[')
        skip_blanks(scan);
    if (*scan->at == '\0')
        return AT_END;
    if (conversion->kind == '%')
        return *scan->at == '%' ? (scan->at++, TAKEN) : MISMATCH;
    if (strchr("diouxXp", conversion->kind) != NULL) {
        if (conversion->kind == 'p')
            conversion->length = 'l';
        return scan_integer(scan, conversion);
    }
    if (strchr("cs[", conversion->kind) != NULL)
        return scan_characters(scan, conversion);
    if (strchr("fFeEgGaA", conversion->kind) != NULL)
        return scan_float(scan, conversion);
    return MISMATCH;
}

/* What stands in the format between conversions. */
static enum outcome match(struct scan *scan, char expected)
{
    if (isspace((unsigned char)expected)) {
        skip_blanks(scan);
        return TAKEN;
    }
    if (*scan->at == '\0')
        return AT_END;
    if (*scan->at != expected)
        return MISMATCH;
    scan->at++;
    return TAKEN;
}

static int scan_all(struct scan *scan, const char *format)
{
    int assigned = 0;

    while (*format != '\0') {
        struct conversion conversion;
        enum outcome outcome;

        if (*format != '%') {
            outcome = match(scan, *format++);
            conversion.is_suppressed = true;
        } else {
            format = parse_conversion(format + 1, &conversion);
            if (conversion.kind == 'n') {
                if (!conversion.is_suppressed)
                    store_integer(scan, conversion.length,
                                  (uint64_t)(scan->at - scan->start));
                continue;
            }
            outcome =
                conversion.kind != '\0' ? convert(scan, &conversion) : MISMATCH;
            conversion.is_suppressed |= conversion.kind == '%';
        }
        if (outcome == AT_END && assigned == 0)
            return EOF;
        if (outcome != TAKEN)
            return assigned;
        assigned += !conversion.is_suppressed;
    }
    return assigned;
}

int vsscanf(const char *restrict text, const char *restrict format,
            va_list arguments)
{
    struct scan scan = {.start = text, .at = text};
    int assigned;

    va_copy(scan.arguments, arguments);
    assigned = scan_all(&scan, format);
    va_end(scan.arguments);
    return assigned;
}

int sscanf(const char *restrict text, const char *restrict format, ...)
{
    va_list arguments;
    int assigned;

    va_start(arguments, format);
    assigned = vsscanf(text, format, arguments);
    va_end(arguments);
    return assigned;
}
