/* SPDX-License-Identifier: MIT */
/*
 * Reads the table of tools/make-symbols.awk: the functions in order of address,
 * each by its distance from the one before (LEB128; the first counts from
 * text_start) and its name, ended by 0. A distance after the last function
 * reaches its end; its name is empty.
 */
#include "kernel/symbols.h"

#include "kernel/image.h"

enum {
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

bool symbol_find(uint64_t address, char name[SYMBOL_NAME_BYTES],
                 uint64_t *offset)
{
    const uint8_t *at = symbols_start;
    const uint8_t *found = NULL;
    uint64_t start = (uintptr_t)text_start, found_start = 0, distance;

    while (at < symbols_end) {
        at = read_distance(at, &distance);
        start += distance;
        if (start > address) {
            size_t length = 0;

            if (found == NULL)
                return false;
            while (*found != 0 && length < SYMBOL_NAME_BYTES - 1)
                name[length++] = (char)*found++;
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
