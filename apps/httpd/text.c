/* SPDX-License-Identifier: MIT */
/*
 * Text building. Numbers are converted here, not by printf, as a response head
 * is written for every request.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { GROWTH_START = 4096, GROWTH_LIMIT = 1024 * 1024 };

struct text text_fixed(char *bytes, size_t capacity)
{
    return (struct text){.bytes = bytes, .capacity = capacity};
}

struct text text_growing(void)
{
    return (struct text){.is_growing = true};
}

static bool make_room(struct text *text, size_t length)
{
    size_t capacity = text->capacity ? text->capacity : GROWTH_START;
    char *bytes;

    if (text->is_cut)
        return false;
    if (length <= text->capacity - text->length)
        return true;
    text->is_cut = true;
    if (!text->is_growing || length > GROWTH_LIMIT - text->length)
        return false;
    while (capacity - text->length < length)
        capacity *= 2;
    bytes = malloc(capacity);
    if (!bytes)
        return false;
    if (text->length > 0)
        memcpy(bytes, text->bytes, text->length);
    free(text->bytes);
    text->bytes = bytes;
    text->capacity = capacity;
    text->is_cut = false;
    return true;
}

void text_add_slice(struct text *text, struct slice slice)
{
    if (!make_room(text, slice.length) || slice.length == 0)
        return;
    memcpy(text->bytes + text->length, slice.bytes, slice.length);
    text->length += slice.length;
}

void text_add_number(struct text *text, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_add_slice(text, (struct slice){digits + at, sizeof(digits) - at});
}

void text_add_json(struct text *text, struct slice slice)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < slice.length; i++) {
        unsigned char byte = (unsigned char)slice.bytes[i];
        char escaped[6] = {
            '\\', 'u', '0', '0', digits[byte >> 4 & 1], digits[byte & 15]};

        if (byte == '"' || byte == '\\') {
            escaped[1] = (char)byte;
            text_add_slice(text, (struct slice){escaped, 2});
        } else if (byte < ' ') {
            text_add_slice(text, (struct slice){escaped, 6});
        } else {
            text_add_slice(text, (struct slice){slice.bytes + i, 1});
        }
    }
}
