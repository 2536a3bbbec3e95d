/* SPDX-License-Identifier: MIT */
/*
 * Words of a configuration line, and what they can mean. Nothing here goes
 * beyond the word it is given.
 */
#include "words.h"

#include <ctype.h>
#include <string.h>

enum { LABEL_MAX = 63 };

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

struct word words_take(struct words *words, char separator)
{
    const char *from = words->at;
    const char *to = from;
    bool is_quoted = false;

    while (to < words->end && (is_quoted || *to != separator))
        is_quoted ^= *to++ == '"';
    words->has_next = to < words->end;
    words->at = to + words->has_next;
    while (from < to && is_blank(*from))
        from++;
    while (to > from && is_blank(to[-1]))
        to--;
    is_quoted = to - from >= 2 && *from == '"';
    return (struct word){from + is_quoted, (size_t)(to - from - 2 * is_quoted)};
}

/* The nearest byte that is no blank, going by `step`; \n at the ends. */
static char beside(const struct words *words, const char *at, int step)
{
    do
        at += step;
    while (at >= words->start && at < words->end && is_blank(*at));
    return at >= words->start && at < words->end ? *at : '\n';
}

bool words_check_quotes(struct words *words)
{
    const char *open = NULL;

    for (const char *at = words->start; at < words->end; at++) {
        if (*at == '\\' && open != NULL)
            return words_fail(words, at, "quotes take no backslash");
        if (*at != '"')
            continue;
        if (strchr(open == NULL ? "=,/" : ",/#\n",
                   beside(words, at, open == NULL ? -1 : 1)) == NULL)
            return words_fail(words, at, "quotes stand around a whole word");
        open = open == NULL ? at : NULL;
    }
    return open == NULL || words_fail(words, open, "the quote is not closed");
}

bool words_have_more(const struct words *words)
{
    for (const char *at = words->at; at < words->end; at++) {
        if (!is_blank(*at))
            return true;
    }
    return false;
}

bool words_fail(struct words *words, const char *at, const char *error)
{
    if (words->error == NULL) {
        words->error = error;
        words->error_at = at;
    }
    return false;
}

bool word_is(struct word word, const char *text)
{
    return strlen(text) == word.length &&
           memcmp(word.bytes, text, word.length) == 0;
}

bool word_copy(struct word word, char *text, size_t size)
{
    if (word.length >= size)
        return false;
    for (size_t i = 0; i < word.length; i++)
        text[i] = (char)tolower((unsigned char)word.bytes[i]);
    text[word.length] = '\0';
    return true;
}

bool word_to_number(struct word word, uint32_t most, uint32_t *number)
{
    uint64_t value = 0;

    if (word.length == 0)
        return false;
    for (size_t i = 0; i < word.length; i++) {
        if (!isdigit((unsigned char)word.bytes[i]))
            return false;
        value = value * 10 + (uint64_t)(word.bytes[i] - '0');
        if (value > most)
            return false;
    }
    *number = (uint32_t)value;
    return true;
}

bool word_to_address(struct word word, uint32_t *address)
{
    struct words parts = {.at = word.bytes, .end = word.bytes + word.length};
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        struct word part = words_take(&parts, '.');
        uint32_t octet;

        if (part.length > 3 || !word_to_number(part, 255, &octet))
            return false;
        value = value << 8 | octet;
    }
    if (parts.at != parts.end || word.bytes[word.length - 1] == '.')
        return false;
    *address = value;
    return true;
}

static bool hexadecimal(char byte, unsigned *value)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, tolower((unsigned char)byte));

    if (byte == '\0' || at == NULL)
        return false;
    *value = (unsigned)(at - digits);
    return true;
}

bool word_to_hardware(struct word word, uint8_t hardware[6])
{
    if (word.length != 17)
        return false;
    for (size_t i = 0; i < 6; i++) {
        unsigned high, low;

        if (!hexadecimal(word.bytes[i * 3], &high) ||
            !hexadecimal(word.bytes[i * 3 + 1], &low) ||
            (i < 5 && word.bytes[i * 3 + 2] != ':'))
            return false;
        hardware[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool word_to_domain(struct word word, char *text, size_t size)
{
    size_t label = 0;

    if (word.length > 0 && word.bytes[word.length - 1] == '.')
        word.length--;
    if (word.length == 0 || !word_copy(word, text, size))
        return false;
    for (size_t i = 0; i < word.length; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte == '.' ? label == 0
                        : !isalnum(byte) && byte != '-' && byte != '_')
            return false;
        label = byte == '.' ? 0 : label + 1;
        if (label > LABEL_MAX)
            return false;
    }
    return label > 0;
}

bool word_to_duration(struct word word, uint32_t *seconds)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    uint32_t factor = 1;
    uint32_t number;

    if (word_is(word, "infinite")) {
        *seconds = UINT32_MAX;
        return true;
    }
    for (size_t i = 0; word.length > 0 && i < sizeof(units) / sizeof(units[0]);
         i++) {
        if (word.bytes[word.length - 1] == units[i].unit) {
            factor = units[i].seconds;
            word.length--;
            break;
        }
    }
    if (!word_to_number(word, (UINT32_MAX - 1) / factor, &number))
        return false;
    *seconds = number * factor;
    return true;
}
