/* SPDX-License-Identifier: MIT */
/*
 * Runs of bytes: comparing, trimming, splitting lists (RFC 9110 5.6.1) and
 * reading numbers. Left out: quoted strings inside lists; the only list that
 * may hold them, entity tags, has its own reader in conditional.c.
 */
#include "slice.h"

#include <string.h>

bool slice_same(struct slice a, struct slice b)
{
    return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
}

/* Letters of both cases differ in one bit, and so do other bytes. */
static bool is_case(unsigned char a, unsigned char b)
{
    unsigned char small = a | 0x20;

    return (a ^ b) == 0x20 && small >= 'a' && small <= 'z';
}

bool slice_same_ignoring_case(struct slice a, struct slice b)
{
    if (a.length != b.length)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        if (a.bytes[i] != b.bytes[i] &&
            !is_case((unsigned char)a.bytes[i], (unsigned char)b.bytes[i]))
            return false;
    }
    return true;
}

bool slice_starts_with(struct slice a, const char *text)
{
    size_t length = strlen(text);

    return a.length >= length && memcmp(a.bytes, text, length) == 0;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

struct slice slice_trim(struct slice a)
{
    while (a.length > 0 && is_blank(a.bytes[0])) {
        a.bytes++;
        a.length--;
    }
    while (a.length > 0 && is_blank(a.bytes[a.length - 1]))
        a.length--;
    return a;
}

bool slice_next_element(struct slice *list, struct slice *element)
{
    while (list->length > 0) {
        const char *comma = memchr(list->bytes, ',', list->length);
        size_t length = comma ? (size_t)(comma - list->bytes) : list->length;
        size_t taken = comma ? length + 1 : length;

        *element = slice_trim((struct slice){list->bytes, length});
        list->bytes += taken;
        list->length -= taken;
        if (element->length > 0)
            return true;
    }
    return false;
}

bool slice_to_number(struct slice a, uint64_t *value)
{
    uint64_t number = 0;

    if (a.length == 0)
        return false;
    for (size_t i = 0; i < a.length; i++) {
        unsigned digit = (unsigned)(unsigned char)a.bytes[i] - '0';

        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *value = number;
    return true;
}
