/* SPDX-License-Identifier: MIT */
/*
 * Integers from text (ISO C 7.22.1.4): one parser of sign, base and digits;
 * each strto* function only clamps its result. Nothing to read leaves `end`
 * at the start and sets no errno, as on Linux; a bad base is EINVAL.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

struct number {
    unsigned long long magnitude;
    bool is_negative;
    bool is_overflow;
};

static unsigned digit_value(char character)
{
    if (isdigit((unsigned char)character))
        return (unsigned)(character - '0');
    if (isalpha((unsigned char)character))
        return (unsigned)(tolower((unsigned char)character) - 'a') + 10;
    return UINT_MAX;
}

/* Skips "0x" when hexadecimal digits follow; finds the base when it is 0. */
static const char *parse_prefix(const char *text, unsigned *base)
{
    bool is_hexadecimal = text[0] == '0' &&
                          (text[1] == 'x' || text[1] == 'X') &&
                          isxdigit((unsigned char)text[2]);

    if (is_hexadecimal && (*base == 0 || *base == 16)) {
        *base = 16;
        return text + 2;
    }
    if (*base == 0)
        *base = text[0] == '0' ? 8 : 10;
    return text;
}

static struct number parse(const char *text, char **end, int base_argument)
{
    struct number number = {0, false, false};
    unsigned base = (unsigned)base_argument;
    const char *at = text;
    const char *digits;

    if (base_argument < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        at = digits = text;
    } else {
        while (isspace((unsigned char)*at))
            ++at;
        if (*at == '-' || *at == '+')
            number.is_negative = *at++ == '-';
        at = digits = parse_prefix(at, &base);
        for (; digit_value(*at) < base; ++at) {
            unsigned long long digit = digit_value(*at);

            if (number.magnitude > (ULLONG_MAX - digit) / base)
                number.is_overflow = true;
            number.magnitude = number.magnitude * base + digit;
        }
    }
    if (end != NULL)
        *end = (char *)(uintptr_t)(at == digits ? text : at);
    return number;
}

static unsigned long long clamp_unsigned(struct number number)
{
    if (number.is_overflow) {
        errno = ERANGE;
        return ULLONG_MAX;
    }
    return number.is_negative ? 0 - number.magnitude : number.magnitude;
}

static long long clamp_signed(struct number number)
{
    unsigned long long limit =
        (unsigned long long)LLONG_MAX + (number.is_negative ? 1 : 0);

    if (number.is_overflow || number.magnitude > limit) {
        errno = ERANGE;
        return number.is_negative ? LLONG_MIN : LLONG_MAX;
    }
    return (long long)(number.is_negative ? 0 - number.magnitude
                                          : number.magnitude);
}

_Static_assert(sizeof(long) == sizeof(long long), "strtol is strtoll");

unsigned long long strtoull(const char *restrict text, char **restrict end,
                            int base)
{
    return clamp_unsigned(parse(text, end, base));
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
    return clamp_signed(parse(text, end, base));
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
    return strtoull(text, end, base);
}

long strtol(const char *restrict text, char **restrict end, int base)
{
    return strtoll(text, end, base);
}

uintmax_t strtoumax(const char *restrict text, char **restrict end, int base)
{
    return strtoull(text, end, base);
}

intmax_t strtoimax(const char *restrict text, char **restrict end, int base)
{
    return strtoll(text, end, base);
}

long long atoll(const char *text)
{
    return strtoll(text, NULL, 10);
}

long atol(const char *text)
{
    return strtol(text, NULL, 10);
}

int atoi(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

int abs(int value)
{
    return value < 0 ? -value : value;
}

long labs(long value)
{
    return value < 0 ? -value : value;
}

long long llabs(long long value)
{
    return value < 0 ? -value : value;
}

div_t div(int numerator, int denominator)
{
    return (div_t){numerator / denominator, numerator % denominator};
}

ldiv_t ldiv(long numerator, long denominator)
{
    return (ldiv_t){numerator / denominator, numerator % denominator};
}
