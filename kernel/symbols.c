/* SPDX-License-Identifier: MIT */
/*
 * Decodes the table of tools/make-symbols.awk. First the tokens: a count,
 * then that many strings. Then the functions in order of address: distance
 * from the one before (LEB128; the first counts from text_start) and name,
 * ended by 0, in which a byte from 128 on stands for a token. A distance
 * after the last function reaches its end; its name is empty.
 */
#include "kernel/symbols.h"

#include "kernel/image.h"

enum { TOKEN_FIRST = 128, TOKENS_MAX = 128, LEB_MORE = 0x80, LEB_BITS = 7 };

extern const uint8_t symbols_start[], symbols_end[];

static const uint8_t *skip_string(const uint8_t *at)
{
    while (*at != 0)
        at++;
    return at + 1;
}

static const uint8_t *read_distance(const uint8_t *at, uint64_t *distance)
{
    unsigned shift = 0;

    *distance = 0;
    while ((*at & LEB_MORE) != 0) {
        *distance |= (uint64_t)(*at++ & ~LEB_MORE) << shift;
        shift += LEB_BITS;
    }
    *distance |= (uint64_t)*at++ << shift;
    return at;
}

static size_t append(char *name, size_t length, const uint8_t *text)
{
    while (*text != 0 && length < SYMBOL_NAME_BYTES - 1)
        name[length++] = (char)*text++;
    return length;
}

static void expand(char *name, const uint8_t *packed)
{
    size_t length = 0;

    for (; *packed != 0; packed++) {
        const uint8_t *token = symbols_start + 1;
        uint8_t plain[2] = {*packed, 0};

        if (*packed < TOKEN_FIRST) {
            length = append(name, length, plain);
            continue;
        }
        for (unsigned i = *packed; i > TOKEN_FIRST; i--)
            token = skip_string(token);
        length = append(name, length, token);
    }
    name[length] = '\0';
}

bool symbol_find(uint64_t address, char name[SYMBOL_NAME_BYTES],
                 uint64_t *offset)
{
    const uint8_t *at = symbols_start + 1, *found = NULL;
    uint64_t start = (uintptr_t)text_start, found_start = 0, distance;

    for (unsigned i = *symbols_start; i > 0; i--)
        at = skip_string(at);
    while (at < symbols_end) {
        at = read_distance(at, &distance);
        start += distance;
        if (start > address) {
            if (found == NULL)
                return false;
            expand(name, found);
            *offset = address - found_start;
            return true;
        }
        found = at;
        found_start = start;
        at = skip_string(at);
    }
    return false;
}
