/* SPDX-License-Identifier: MIT */
/*
 * Decimal text to double. Up to 19 digits are kept and scaled in extended
 * precision, so the result is within one unit in the last place and exact for
 * what people write. Hexadecimal floats are left out.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

enum {
    DIGITS_KEPT = 19,        /* fit 64 bits */
    EXPONENT_LIMIT = 100000, /* beyond it all is zero or infinite */
};

static long double scale(long double value, int exponent)
{
    bool is_negative = exponent < 0;
    long double power = 10;

    for (int left = is_negative ? -exponent : exponent; left > 0; left /= 2) {
        if (left % 2 != 0)
            value = is_negative ? value / power : value * power;
        power *= power;
    }
    return value;
}

static const char *parse_exponent(const char *text, int *exponent)
{
    const char *at = text + 1;
    bool is_negative = *at == '-';
    int value = 0;

    if (*at == '-' || *at == '+')
        at++;
    if (!isdigit((unsigned char)*at))
        return text;
    for (; isdigit((unsigned char)*at); at++) {
        if (value < EXPONENT_LIMIT)
            value = value * 10 + (*at - '0');
    }
    *exponent += is_negative ? -value : value;
    return at;
}

/* Returns what follows the number, or `text` when there is none. */
static const char *parse_decimal(const char *text, long double *result)
{
    uint64_t mantissa = 0;
    int kept = 0;
    int exponent = 0;
    bool has_digits = false;
    bool is_fraction = false;
    const char *at = text;

    for (;; at++) {
        if (*at == '.' && !is_fraction) {
            is_fraction = true;
            continue;
        }
        if (!isdigit((unsigned char)*at))
            break;
        has_digits = true;
        if (kept < DIGITS_KEPT) {
            mantissa = mantissa * 10 + (uint64_t)(*at - '0');
            kept += mantissa > 0;
            exponent -= is_fraction;
        } else if (exponent < EXPONENT_LIMIT) {
            exponent += !is_fraction;
        }
    }
    if (!has_digits)
        return text;
    if (*at == 'e' || *at == 'E')
        at = parse_exponent(at, &exponent);
    *result = mantissa > 0 ? scale((long double)mantissa, exponent) : 0;
    return at;
}

static const char *parse_word(const char *text, long double *result)
{
    if (strncasecmp(text, "infinity", 8) == 0) {
        *result = (long double)__builtin_inf();
        return text + 8;
    }
    if (strncasecmp(text, "inf", 3) == 0) {
        *result = (long double)__builtin_inf();
        return text + 3;
    }
    if (strncasecmp(text, "nan", 3) == 0) {
        *result = (long double)__builtin_nan("");
        return text + 3;
    }
    return text;
}

double strtod(const char *restrict text, char **restrict end)
{
    const char *at = text;
    const char *number;
    const char *after;
    bool is_negative = false;
    long double value = 0;
    double result;

    while (isspace((unsigned char)*at))
        at++;
    if (*at == '-' || *at == '+')
        is_negative = *at++ == '-';
    number = at;
    after = parse_decimal(number, &value);
    if (after == number)
        after = parse_word(number, &value);
    else if ((double)value > __DBL_MAX__ ||
             (value > 0 && (double)value < __DBL_MIN__))
        errno = ERANGE;
    result = (double)value;
    if (end != NULL)
        *end = (char *)(uintptr_t)(after == number ? text : after);
    return is_negative ? -result : result;
}

double atof(const char *text)
{
    return strtod(text, NULL);
}
