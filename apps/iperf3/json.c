/* SPDX-License-Identifier: MIT */
/*
 * See json.h. One recursive walk knows the grammar; asking is walking over the
 * values that are not wanted.
 */
#include "json.h"

#include <string.h>

enum { DEPTH_MAX = 8 };

static bool skip_value(struct json *rest, unsigned depth);

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip_blanks(struct json *rest)
{
    while (rest->at < rest->end && is_blank(*rest->at))
        rest->at++;
}

static bool take(struct json *rest, char byte)
{
    skip_blanks(rest);
    if (rest->at == rest->end || *rest->at != byte)
        return false;
    rest->at++;
    return true;
}

static bool skip_word(struct json *rest, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(rest->end - rest->at) < length ||
        memcmp(rest->at, word, length) != 0)
        return false;
    rest->at += length;
    return true;
}

static bool skip_string(struct json *rest)
{
    if (!take(rest, '"'))
        return false;
    while (rest->at < rest->end && *rest->at != '"') {
        if ((unsigned char)*rest->at < ' ')
            return false;
        rest->at += *rest->at == '\\' ? 2 : 1;
    }
    if (rest->at >= rest->end)
        return false;
    rest->at++;
    return true;
}

static bool skip_digits(struct json *rest)
{
    const char *start = rest->at;

    while (rest->at < rest->end && is_digit(*rest->at))
        rest->at++;
    return rest->at > start;
}

static bool skip_number(struct json *rest)
{
    (void)skip_word(rest, "-");
    if (!skip_digits(rest))
        return false;
    if (skip_word(rest, ".") && !skip_digits(rest))
        return false;
    if (!skip_word(rest, "e") && !skip_word(rest, "E"))
        return true;
    if (!skip_word(rest, "-"))
        (void)skip_word(rest, "+");
    return skip_digits(rest);
}

static bool skip_object(struct json *rest, unsigned depth)
{
    rest->at++;
    if (take(rest, '}'))
        return true;
    do {
        if (!skip_string(rest) || !take(rest, ':') || !skip_value(rest, depth))
            return false;
    } while (take(rest, ','));
    return take(rest, '}');
}

static bool skip_array(struct json *rest, unsigned depth)
{
    rest->at++;
    if (take(rest, ']'))
        return true;
    do {
        if (!skip_value(rest, depth))
            return false;
    } while (take(rest, ','));
    return take(rest, ']');
}

static bool skip_value(struct json *rest, unsigned depth)
{
    skip_blanks(rest);
    if (rest->at == rest->end || depth == DEPTH_MAX)
        return false;
    switch (*rest->at) {
    case '{':
        return skip_object(rest, depth + 1);
    case '[':
        return skip_array(rest, depth + 1);
    case '"':
        return skip_string(rest);
    case 't':
        return skip_word(rest, "true");
    case 'f':
        return skip_word(rest, "false");
    case 'n':
        return skip_word(rest, "null");
    default:
        return skip_number(rest);
    }
}

/* The next value of a text that was checked. */
static struct json take_value(struct json *rest)
{
    struct json value;

    skip_blanks(rest);
    value.at = rest->at;
    (void)skip_value(rest, 0);
    value.end = rest->at;
    return value;
}

bool json_parse(const char *text, size_t length, struct json *value)
{
    struct json rest = {text, text + length};

    *value = rest;
    skip_blanks(value);
    if (!skip_value(&rest, 0))
        return false;
    value->end = rest.at;
    skip_blanks(&rest);
    return rest.at == rest.end;
}

bool json_member(struct json object, const char *name, struct json *value)
{
    size_t length = strlen(name);

    if (!take(&object, '{') || take(&object, '}'))
        return false;
    do {
        struct json key = take_value(&object);

        (void)take(&object, ':');
        *value = take_value(&object);
        if ((size_t)(key.end - key.at) == length + 2 &&
            memcmp(key.at + 1, name, length) == 0)
            return true;
    } while (take(&object, ','));
    return false;
}

bool json_next(struct json *rest, struct json *value)
{
    if (!take(rest, '[') && !take(rest, ','))
        return false;
    skip_blanks(rest);
    if (rest->at == rest->end || *rest->at == ']')
        return false;
    *value = take_value(rest);
    return true;
}

bool json_is_true(struct json value)
{
    return value.at < value.end && *value.at == 't';
}

bool json_integer(struct json value, int64_t *number)
{
    const int64_t limit = INT64_MAX / 10 - 1;
    bool is_negative = value.at < value.end && *value.at == '-';
    int64_t sum = 0;

    value.at += is_negative;
    if (value.at == value.end || !is_digit(*value.at))
        return false;
    for (; value.at < value.end && is_digit(*value.at); value.at++)
        sum = sum > limit ? limit * 10 : sum * 10 + (*value.at - '0');
    *number = is_negative ? -sum : sum;
    return true;
}

bool json_string(struct json value, char *text, size_t size)
{
    size_t length = (size_t)(value.end - value.at);

    if (length < 2 || *value.at != '"' || length - 2 >= size ||
        memchr(value.at, '\\', length) != NULL)
        return false;
    memcpy(text, value.at + 1, length - 2);
    text[length - 2] = '\0';
    return true;
}
