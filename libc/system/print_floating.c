/* SPDX-License-Identifier: MIT */
/*
 * %f, %e and %g, exactly: the double is turned into all of its decimal digits
 * (it has at most 309 before the point and 1074 behind) in base 10^9, then
 * rounded half to even where the conversion wants it. %a is left out; long
 * double is rounded to double first.
 */
#include "libc/system/print_floating.h"

#include <stdint.h>
#include <string.h>

enum {
    GROUP = 9, /* digits per word of base 10^9 */
    BASE = 1000000000,
    WHOLE_WORDS = 35,     /* 309 digits */
    FRACTION_WORDS = 120, /* 1074 digits */
    WHOLE_DIGITS = WHOLE_WORDS * GROUP,
    DIGITS_MAX = (WHOLE_WORDS + FRACTION_WORDS) * GROUP,
    EXPONENT_BIAS = 1075, /* of the mantissa as a whole number */
    EXPONENT_SPECIAL = 0x7ff,
    PRECISION_DEFAULT = 6,
};

/* All digits of a magnitude, most significant first; the point is after
 * digit[WHOLE_DIGITS - 1]. */
struct decimal {
    uint8_t digit[DIGITS_MAX + 1]; /* one in front for a carry */
    int first;                     /* first that is not 0; DIGITS_MAX: zero */
    int end;                       /* all from here on are 0 */
};

/* What is to be written. */
struct text {
    const char *prefix;
    char head[WHOLE_DIGITS + DIGITS_MAX + 16]; /* up to the last real digit */
    size_t head_length;
    size_t zeros; /* then these */
    char tail[8]; /* then the exponent */
    size_t tail_length;
};

static void unpack_group(uint8_t *digit, uint32_t group)
{
    for (int i = GROUP - 1; i >= 0; i--, group /= 10)
        digit[i] = (uint8_t)(group % 10);
}

/* mantissa * 2^exponent for exponent >= 0. */
static void expand_whole(struct decimal *decimal, uint64_t mantissa,
                         int exponent)
{
    uint32_t word[WHOLE_WORDS] = {0}; /* least significant first */
    int used = 0;

    for (; mantissa > 0; mantissa /= BASE)
        word[used++] = (uint32_t)(mantissa % BASE);
    while (exponent > 0) {
        int shift = exponent < 29 ? exponent : 29;
        uint64_t carry = 0;

        for (int i = 0; i < used; i++) {
            carry += (uint64_t)word[i] << shift;
            word[i] = (uint32_t)(carry % BASE);
            carry /= BASE;
        }
        if (carry > 0)
            word[used++] = (uint32_t)carry;
        exponent -= shift;
    }
    for (int i = 0; i < WHOLE_WORDS; i++)
        unpack_group(decimal->digit + 1 + i * GROUP, word[WHOLE_WORDS - 1 - i]);
}

/* mantissa * 2^-bits: whole part and fraction, bits from 1 to 1074. */
static void expand_fraction(struct decimal *decimal, uint64_t mantissa,
                            int bits)
{
    uint32_t word[FRACTION_WORDS] = {0}; /* most significant first */
    int used = 0;

    if (bits < 64) {
        expand_whole(decimal, mantissa >> bits, 0);
        mantissa &= (UINT64_C(1) << bits) - 1;
    } else {
        expand_whole(decimal, 0, 0);
    }
    /* Bit by bit from the least one: fraction = (bit + fraction) / 2. Nine at
     * a time, because 10^9 has nine factors of two. */
    while (bits > 0) {
        int step = bits < GROUP ? bits : GROUP;
        uint64_t rest = mantissa & ((UINT64_C(1) << step) - 1);

        mantissa >>= step;
        bits -= step;
        for (int i = 0; i <= used && i < FRACTION_WORDS; i++) {
            uint64_t value = rest * BASE + word[i];

            word[i] = (uint32_t)(value >> step);
            rest = value & ((UINT64_C(1) << step) - 1);
        }
        if (used < FRACTION_WORDS)
            used++;
    }
    for (int i = 0; i < FRACTION_WORDS; i++)
        unpack_group(decimal->digit + 1 + WHOLE_DIGITS + i * GROUP, word[i]);
}

static void find_bounds(struct decimal *decimal)
{
    decimal->first = 1;
    decimal->end = DIGITS_MAX + 1;
    while (decimal->first <= DIGITS_MAX && decimal->digit[decimal->first] == 0)
        decimal->first++;
    while (decimal->end > decimal->first &&
           decimal->digit[decimal->end - 1] == 0)
        decimal->end--;
}

static void expand(struct decimal *decimal, uint64_t bits)
{
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & EXPONENT_SPECIAL);

    memset(decimal, 0, sizeof(*decimal));
    if (exponent > 0)
        mantissa |= UINT64_C(1) << 52;
    else
        exponent = 1;
    exponent -= EXPONENT_BIAS;
    if (exponent >= 0)
        expand_whole(decimal, mantissa, exponent);
    else
        expand_fraction(decimal, mantissa, -exponent);
    find_bounds(decimal);
}

/* Keeps the digits before `cut`, rounding half to even. */
static void round_at(struct decimal *decimal, int cut)
{
    bool up;

    if (cut >= decimal->end)
        return;
    if (cut < 1)
        cut = 0; /* below half of the first digit kept, or nothing at all */
    up = cut > 0 && decimal->digit[cut] >= 5;
    if (up && decimal->digit[cut] == 5 && cut + 1 >= decimal->end)
        up = decimal->digit[cut - 1] % 2 != 0;
    memset(decimal->digit + cut, 0, (size_t)(DIGITS_MAX + 1 - cut));
    for (int i = cut - 1; up && i >= 0; i--) {
        up = decimal->digit[i] == 9;
        decimal->digit[i] = up ? 0 : (uint8_t)(decimal->digit[i] + 1);
    }
    find_bounds(decimal);
    if (decimal->digit[0] != 0)
        decimal->first = 0;
}

static void add_digits(struct text *text, const struct decimal *decimal,
                       int from, int to)
{
    for (int i = from; i < to; i++)
        text->head[text->head_length++] = (char)('0' + decimal->digit[i]);
}

/* Digits behind the point: real ones, then zeros that are only counted. */
static void add_fraction(struct text *text, const struct decimal *decimal,
                         int from, size_t precision, bool has_point)
{
    int last = decimal->end > from ? decimal->end : from;
    size_t real = (size_t)(last - from);

    if (real > precision)
        real = precision;
    if (precision > 0 || has_point)
        text->head[text->head_length++] = '.';
    add_digits(text, decimal, from, from + (int)real);
    text->zeros = precision - real;
}

static int clamp_cut(int base, size_t precision)
{
    return precision > DIGITS_MAX ? DIGITS_MAX + 1 : base + (int)precision;
}

static void make_fixed(struct text *text, struct decimal *decimal,
                       size_t precision, bool has_point)
{
    int point = WHOLE_DIGITS + 1;

    round_at(decimal, clamp_cut(point, precision));
    if (decimal->first < point)
        add_digits(text, decimal, decimal->first, point);
    else
        text->head[text->head_length++] = '0';
    add_fraction(text, decimal, point, precision, has_point);
}

/* The decimal exponent of the first digit; 0 for zero. */
static int exponent_of(const struct decimal *decimal)
{
    return decimal->first > DIGITS_MAX ? 0 : WHOLE_DIGITS - decimal->first;
}

static void make_scientific(struct text *text, struct decimal *decimal,
                            size_t precision, bool has_point, char letter)
{
    int exponent;
    unsigned magnitude;

    if (decimal->first <= DIGITS_MAX)
        round_at(decimal, clamp_cut(decimal->first + 1, precision));
    exponent = exponent_of(decimal);
    if (decimal->first > DIGITS_MAX)
        decimal->first = DIGITS_MAX; /* a zero to show */
    add_digits(text, decimal, decimal->first, decimal->first + 1);
    add_fraction(text, decimal, decimal->first + 1, precision, has_point);
    magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
    text->tail_length =
        format_print(text->tail, sizeof(text->tail), "%c%c%02u", letter,
                     exponent < 0 ? '-' : '+', magnitude);
}

/* %g: `precision` significant digits, in the shorter of the two forms. */
static void make_general(struct text *text, struct decimal *decimal,
                         size_t precision, bool keep_zeros, char letter)
{
    int exponent;
    size_t real;

    if (precision == 0)
        precision = 1;
    if (decimal->first <= DIGITS_MAX)
        round_at(decimal, clamp_cut(decimal->first, precision));
    exponent = exponent_of(decimal);
    real = decimal->end > decimal->first
               ? (size_t)(decimal->end - decimal->first)
               : 1;
    if (exponent < -4 || (exponent >= 0 && (size_t)exponent >= precision)) {
        size_t behind = keep_zeros ? precision - 1 : real - 1;

        make_scientific(text, decimal, behind, keep_zeros, letter);
    } else {
        /* Digits behind the point; `real` may end before it. */
        long wanted = (long)(keep_zeros ? precision : real) - 1 - exponent;

        make_fixed(text, decimal, wanted > 0 ? (size_t)wanted : 0, keep_zeros);
    }
}

static void make_special(struct text *text, bool is_nan, bool upper)
{
    const char *word =
        is_nan ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf");

    memcpy(text->head, word, 3);
    text->head_length = 3;
}

static const char *sign_of(const struct format_spec *spec, bool is_negative)
{
    if (is_negative)
        return "-";
    if (spec->plus)
        return "+";
    return spec->space ? " " : "";
}

static void write_out(struct format_sink *sink, const struct format_spec *spec,
                      const struct text *text, bool may_zero)
{
    size_t prefix_length = strlen(text->prefix);
    size_t length =
        prefix_length + text->head_length + text->zeros + text->tail_length;
    size_t padding = spec->width > length ? spec->width - length : 0;
    bool is_zero_padded = spec->zero && !spec->left && may_zero;

    if (!spec->left && !is_zero_padded)
        format_fill(sink, ' ', padding);
    format_write(sink, text->prefix, prefix_length);
    if (is_zero_padded)
        format_fill(sink, '0', padding);
    format_write(sink, text->head, text->head_length);
    format_fill(sink, '0', text->zeros);
    format_write(sink, text->tail, text->tail_length);
    if (spec->left)
        format_fill(sink, ' ', padding);
}

void print_floating(struct format_sink *sink, const struct format_spec *spec,
                    struct format_arguments *arguments)
{
    double value = spec->length == 'L'
                       ? (double)va_arg(arguments->list, long double)
                       : va_arg(arguments->list, double);
    size_t precision =
        spec->has_precision ? spec->precision : PRECISION_DEFAULT;
    bool is_upper = spec->conversion >= 'A' && spec->conversion <= 'Z';
    struct decimal decimal;
    struct text text;
    uint64_t bits;
    bool is_special;

    memcpy(&bits, &value, sizeof(bits));
    text.prefix = sign_of(spec, bits >> 63 != 0);
    text.head_length = text.zeros = text.tail_length = 0;
    is_special = (bits >> 52 & EXPONENT_SPECIAL) == EXPONENT_SPECIAL;
    if (is_special) {
        make_special(&text, (bits & ((UINT64_C(1) << 52) - 1)) != 0, is_upper);
    } else {
        expand(&decimal, bits);
        switch (spec->conversion) {
        case 'f':
        case 'F':
            make_fixed(&text, &decimal, precision, spec->alternate);
            break;
        case 'e':
        case 'E':
            make_scientific(&text, &decimal, precision, spec->alternate,
                            spec->conversion);
            break;
        default:
            make_general(&text, &decimal, precision, spec->alternate,
                         is_upper ? 'E' : 'e');
        }
    }
    write_out(sink, spec, &text, !is_special);
}
