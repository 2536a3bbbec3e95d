/* SPDX-License-Identifier: MIT */
/*
 * Decodes the table of tools/make-symbols.awk. First the pairs: a count, then
 * two bytes for each. Then the functions in order of address: distance from
 * the one before (LEB128; the first counts from text_start) and name, ended by
 * 0. In a name and in a pair, bytes from 128 on and below '0' stand for a pair;
 * one leads only to earlier ones. A distance after the last function reaches
 * its end; its name is empty.
 */
#include "kernel/symbols.h"

#include "kernel/image.h"

#define HIGH_CODES 128U /* codes 128 to 255 stand for the first pairs */

enum {
    NESTING_MAX = 16, /* pairs in pairs; what is deeper is left out */
    LEB_MORE = 0x80,
    LEB_BITS = 7,
};

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

static bool is_pair(uint8_t code)
{
    return code >= HIGH_CODES || code < '0';
}

static const uint8_t *pair_of(uint8_t code)
{
    unsigned index =
        code >= HIGH_CODES ? code - HIGH_CODES : code + HIGH_CODES - 1U;

    return symbols_start + 1 + (size_t)2 * index;
}

/* What stands for one byte of a packed name; returns the new length. */
static size_t append(char *name, size_t length, uint8_t code)
{
    uint8_t waiting[NESTING_MAX];
    unsigned count = 0;

    for (;;) {
        if (is_pair(code) && count < NESTING_MAX) {
            const uint8_t *pair = pair_of(code);

            code = pair[0];
            waiting[count++] = pair[1];
            continue;
        }
        if (length < SYMBOL_NAME_BYTES - 1 && !is_pair(code))
            name[length++] = (char)code;
        if (count == 0)
            return length;
        code = waiting[--count];
    }
}

bool symbol_find(uint64_t address, char name[SYMBOL_NAME_BYTES],
                 uint64_t *offset)
{
    const uint8_t *at = symbols_start + 1 + (size_t)2 * *symbols_start;
    const uint8_t *found = NULL;
    uint64_t start = (uintptr_t)text_start, found_start = 0, distance;

    while (at < symbols_end) {
        at = read_distance(at, &distance);
        start += distance;
        if (start > address) {
            size_t length = 0;

            if (found == NULL)
                return false;
            while (*found != 0)
                length = append(name, length, *found++);
            name[length] = '\0';
            *offset = address - found_start;
            return true;
        }
        found = at;
        found_start = start;
        at = skip_string(at);
    }
    return false;
}
