/* SPDX-License-Identifier: MIT */
/*
 * Strings, character classes and numbers from text, against the host's.
 */
#include <criterion/criterion.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/unit/support_text.h"

#define strlen      ferrule_strlen
#define strnlen     ferrule_strnlen
#define strcmp      ferrule_strcmp
#define strncmp     ferrule_strncmp
#define strcasecmp  ferrule_strcasecmp
#define strncasecmp ferrule_strncasecmp
#define stpcpy      ferrule_stpcpy
#define strcpy      ferrule_strcpy
#define strncpy     ferrule_strncpy
#define strcat      ferrule_strcat
#define strncat     ferrule_strncat
#define strchrnul   ferrule_strchrnul
#define strchr      ferrule_strchr
#define strrchr     ferrule_strrchr
#define strstr      ferrule_strstr
#define strcasestr  ferrule_strcasestr
#define strspn      ferrule_strspn
#define strcspn     ferrule_strcspn
#define strpbrk     ferrule_strpbrk
#define strsep      ferrule_strsep
#define strtok_r    ferrule_strtok_r
#define strtok      ferrule_strtok
#define ffs         ferrule_ffs
int strcasecmp(const char *left, const char *right);
int strncasecmp(const char *left, const char *right, size_t limit);
#include "libc/pure/string.c"
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strcasecmp
#undef strncasecmp
#undef stpcpy
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat
#undef strchrnul
#undef strchr
#undef strrchr
#undef strstr
#undef strcasestr
#undef strspn
#undef strcspn
#undef strpbrk
#undef strsep
#undef strtok_r
#undef strtok
#undef ffs

#undef isdigit
#undef islower
#undef isupper
#undef isalpha
#undef isalnum
#undef isxdigit
#undef isascii
#undef isblank
#undef isspace
#undef iscntrl
#undef isprint
#undef isgraph
#undef ispunct
#undef tolower
#undef toupper
#define isdigit  ferrule_isdigit
#define islower  ferrule_islower
#define isupper  ferrule_isupper
#define isalpha  ferrule_isalpha
#define isalnum  ferrule_isalnum
#define isxdigit ferrule_isxdigit
#define isascii  ferrule_isascii
#define isblank  ferrule_isblank
#define isspace  ferrule_isspace
#define iscntrl  ferrule_iscntrl
#define isprint  ferrule_isprint
#define isgraph  ferrule_isgraph
#define ispunct  ferrule_ispunct
#define tolower  ferrule_tolower
#define toupper  ferrule_toupper
#include "libc/pure/ctype.c"
#undef isdigit
#undef islower
#undef isupper
#undef isalpha
#undef isalnum
#undef isxdigit
#undef isascii
#undef isblank
#undef isspace
#undef iscntrl
#undef isprint
#undef isgraph
#undef ispunct
#undef tolower
#undef toupper

#define strtol    ferrule_strtol
#define strtoll   ferrule_strtoll
#define strtoul   ferrule_strtoul
#define strtoull  ferrule_strtoull
#define strtoimax ferrule_strtoimax
#define strtoumax ferrule_strtoumax
#define atoi      ferrule_atoi
#define atol      ferrule_atol
#define atoll     ferrule_atoll
#define abs       ferrule_abs
#define labs      ferrule_labs
#define llabs     ferrule_llabs
#define div       ferrule_div
#define ldiv      ferrule_ldiv
#include "libc/pure/number.c"
#undef strtol
#undef strtoll
#undef strtoul
#undef strtoull
#undef strtoimax
#undef strtoumax
#undef atoi
#undef atol
#undef atoll
#undef abs
#undef labs
#undef llabs
#undef div
#undef ldiv

#define strtod ferrule_strtod
#define atof   ferrule_atof
#include "libc/system/strtod.c"
#undef strtod
#undef atof

enum { ROUNDS = 20000, TEXT = 24 };

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

Test(libc_string, comparisons_and_searches_agree_with_the_hosts)
{
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        char *a = random_text("abAB\xe9", 8);
        char *b = random_text("abAB\xe9", 4);
        size_t n = (size_t)rand() % 10;

        cr_assert_eq(ferrule_strlen(a), strlen(a));
        cr_assert_eq(ferrule_strnlen(a, n), strnlen(a, n));
        cr_assert_eq(sign(ferrule_strcmp(a, b)), sign(strcmp(a, b)));
        cr_assert_eq(sign(ferrule_strncmp(a, b, n)), sign(strncmp(a, b, n)));
        cr_assert_eq(sign(ferrule_strcasecmp(a, b)), sign(strcasecmp(a, b)));
        cr_assert_eq(sign(ferrule_strncasecmp(a, b, n)),
                     sign(strncasecmp(a, b, n)));
        cr_assert_eq(ferrule_strstr(a, b), strstr(a, b));
        cr_assert_eq(ferrule_strcasestr(a, b), strcasestr(a, b));
        cr_assert_eq(ferrule_strspn(a, b), strspn(a, b));
        cr_assert_eq(ferrule_strcspn(a, b), strcspn(a, b));
        cr_assert_eq(ferrule_strpbrk(a, b), strpbrk(a, b));
        for (const char *c = "aB\xe9z";; c++) {
            cr_assert_eq(ferrule_strchr(a, *c), strchr(a, *c));
            cr_assert_eq(ferrule_strrchr(a, *c), strrchr(a, *c));
            cr_assert_eq(ferrule_strchrnul(a, *c), strchrnul(a, *c));
            if (*c == '\0')
                break;
        }
        free(a);
        free(b);
    }
}

Test(libc_string, copies_agree_with_the_hosts)
{
    srand(2);
    for (int round = 0; round < ROUNDS; round++) {
        char ours[TEXT];
        char theirs[TEXT];
        char *text = random_text("xyz", 8);
        size_t n = (size_t)rand() % 12;

        memset(ours, '#', TEXT);
        memset(theirs, '#', TEXT);
        cr_assert_eq(ferrule_strcpy(ours, "ab"), ours);
        strcpy(theirs, "ab");
        cr_assert_eq(ferrule_strcat(ours, text), ours);
        strcat(theirs, text);
        cr_assert_eq(memcmp(ours, theirs, TEXT), 0);
        cr_assert_eq(ferrule_strncpy(ours, text, n), ours);
        strncpy(theirs, text, n);
        cr_assert_eq(memcmp(ours, theirs, TEXT), 0);
        ours[n] = theirs[n] = '\0';
        ferrule_strncat(ours, text, n);
        strncat(theirs, text, n);
        cr_assert_eq(memcmp(ours, theirs, TEXT), 0);
        cr_assert_eq(ferrule_stpcpy(ours, text), ours + strlen(text));
        free(text);
    }
}

Test(libc_string, taking_words_apart_agrees_with_the_host)
{
    srand(3);
    for (int round = 0; round < ROUNDS; round++) {
        char *ours = random_text("ab ,", 12);
        char *theirs = strdup(ours);
        char *ours_rest;
        char *theirs_rest;
        char *a = ferrule_strtok_r(ours, " ,", &ours_rest);
        char *b = strtok_r(theirs, " ,", &theirs_rest);

        while (a != NULL && b != NULL) {
            cr_assert_str_eq(a, b);
            a = ferrule_strtok_r(NULL, " ,", &ours_rest);
            b = strtok_r(NULL, " ,", &theirs_rest);
        }
        cr_assert_eq(a == NULL, b == NULL);
        free(ours);
        free(theirs);
    }
    char text[] = "a::b";
    char *rest = text;
    cr_assert_str_eq(ferrule_strsep(&rest, ":"), "a");
    cr_assert_str_eq(ferrule_strsep(&rest, ":"), "");
    cr_assert_str_eq(ferrule_strsep(&rest, ":"), "b");
    cr_assert_null(ferrule_strsep(&rest, ":"));
}

Test(libc_ctype, classes_are_those_of_the_c_locale)
{
    for (int c = -1; c < 256; c++) {
        cr_assert_eq(ferrule_isalnum(c), !!isalnum(c), "%d", c);
        cr_assert_eq(ferrule_isalpha(c), !!isalpha(c), "%d", c);
        cr_assert_eq(ferrule_isblank(c), !!isblank(c), "%d", c);
        cr_assert_eq(ferrule_iscntrl(c), !!iscntrl(c), "%d", c);
        cr_assert_eq(ferrule_isdigit(c), !!isdigit(c), "%d", c);
        cr_assert_eq(ferrule_isgraph(c), !!isgraph(c), "%d", c);
        cr_assert_eq(ferrule_islower(c), !!islower(c), "%d", c);
        cr_assert_eq(ferrule_isprint(c), !!isprint(c), "%d", c);
        cr_assert_eq(ferrule_ispunct(c), !!ispunct(c), "%d", c);
        cr_assert_eq(ferrule_isspace(c), !!isspace(c), "%d", c);
        cr_assert_eq(ferrule_isupper(c), !!isupper(c), "%d", c);
        cr_assert_eq(ferrule_isxdigit(c), !!isxdigit(c), "%d", c);
        cr_assert_eq(ferrule_tolower(c), tolower(c), "%d", c);
        cr_assert_eq(ferrule_toupper(c), toupper(c), "%d", c);
    }
}

static const char *const number_texts[] = {
    "",
    "-",
    "+",
    "0",
    "-0",
    "7",
    "  \t42x",
    "0x",
    "0xg",
    "0x1F",
    "-0X1f",
    "00012",
    "08",
    "0777",
    "zz",
    "1_000",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "-18446744073709551615",
    "-1",
    "99999999999999999999999999",
    "-99999999999999999999999999",
    "+-1",
    "- 1",
};

Test(libc_number, strtol_and_strtoul_agree_with_the_hosts)
{
    static const int bases[] = {0, 2, 8, 10, 16, 36};

    for (size_t i = 0; i < sizeof(number_texts) / sizeof(char *); i++)
        for (size_t b = 0; b < sizeof(bases) / sizeof(bases[0]); b++) {
            const char *text = number_texts[i];
            char *our_end;
            char *their_end;
            int our_error;
            long ours;
            long theirs;
            unsigned long ours_unsigned;
            unsigned long theirs_unsigned;

            errno = 0;
            ours = ferrule_strtol(text, &our_end, bases[b]);
            our_error = errno;
            errno = 0;
            theirs = strtol(text, &their_end, bases[b]);
            cr_assert_eq(ours, theirs, "%s base %d", text, bases[b]);
            cr_assert_eq(our_error, errno, "%s base %d", text, bases[b]);
            cr_assert_eq(our_end, their_end, "%s base %d", text, bases[b]);

            errno = 0;
            ours_unsigned = ferrule_strtoul(text, &our_end, bases[b]);
            our_error = errno;
            errno = 0;
            theirs_unsigned = strtoul(text, &their_end, bases[b]);
            cr_assert_eq(ours_unsigned, theirs_unsigned, "%s base %d", text,
                         bases[b]);
            cr_assert_eq(our_error, errno, "%s base %d", text, bases[b]);
            cr_assert_eq(our_end, their_end, "%s base %d", text, bases[b]);
        }
}

Test(libc_number, random_digits_agree_with_the_host)
{
    srand(4);
    for (int round = 0; round < ROUNDS; round++) {
        char *text = random_text("0123456789abcxX-+ ", 22);
        char *our_end;
        char *their_end;
        int base = rand() % 37;

        base = base == 1 ? 0 : base;
        cr_assert_eq(ferrule_strtoll(text, &our_end, base),
                     strtoll(text, &their_end, base), "%s base %d", text, base);
        cr_assert_eq(our_end, their_end, "%s base %d", text, base);
        free(text);
    }
}

Test(libc_number, a_bad_base_is_einval)
{
    errno = 0;
    cr_assert_eq(ferrule_strtol("1", NULL, 37), 0);
    cr_assert_eq(errno, EINVAL);
}

/* Doubles in order, as whole numbers in the same order. */
static int64_t rank_of(double value)
{
    int64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    return bits < 0 ? INT64_MIN - bits : bits;
}

Test(libc_number, strtod_is_within_one_unit_in_the_last_place)
{
    static const char *const texts[] = {
        "0",
        "-0.0",
        "1",
        "0.1",
        "3.14159",
        "1e10",
        "1e-10",
        "1e308",
        "1e309",
        "1e-320",
        ".5",
        "5.",
        ".",
        "e5",
        "1e",
        "1e+",
        "12e-1x",
        "inf",
        "-INFx",
        "nan",
        "1.7976931348623157e308",
        "0.000001",
        "123456789012345678901234567890",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *our_end;
        char *their_end;
        double ours = ferrule_strtod(texts[i], &our_end);
        double theirs = strtod(texts[i], &their_end);

        cr_assert_eq(our_end, their_end, "%s", texts[i]);
        if (isnan(theirs))
            cr_assert(isnan(ours));
        else
            cr_assert_leq(llabs(rank_of(ours) - rank_of(theirs)), 1,
                          "%s: %.17g is not %.17g", texts[i], ours, theirs);
    }
}
