/* SPDX-License-Identifier: MIT */
#include "kernel/firmware_code.h"

#include "kernel/memory.h"

#include <string.h>

#define ZONE_BYTES (UINT64_C(16) << 20)

enum {
    PLACES = 2,
    PLACE_PAGES = 256, /* code has 21 */
    WORD_BITS = 64,
};

static struct place {
    uint64_t first; /* page number; 0: none */
    uint64_t done[PLACE_PAGES / WORD_BITS];
} places[PLACES];

static void set_place(struct place *place, uint64_t middle)
{
    uint64_t page = middle >> PAGE_SHIFT;

    *place = (struct place){0};
    if (page > PLACE_PAGES)
        place->first = page - PLACE_PAGES / 2;
}

void firmware_code_start(uint64_t ram_end)
{
    set_place(&places[0], ram_end);
    set_place(&places[1], ram_end > ZONE_BYTES ? ram_end - ZONE_BYTES : 0);
}

void firmware_code_forget(uint8_t *block, uint64_t physical, size_t bytes)
{
    uint64_t start = physical >> PAGE_SHIFT;
    uint64_t end = (physical + bytes) >> PAGE_SHIFT; /* whole pages */

    if ((physical & (PAGE_BYTES - 1)) != 0)
        start++;
    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &places[i];
        uint64_t at = place->first > start ? place->first : start;

        if (place->first == 0)
            continue;
        for (; at < end && at < place->first + PLACE_PAGES; at++) {
            uint64_t number = at - place->first;
            uint64_t bit = UINT64_C(1) << number % WORD_BITS;

            if ((place->done[number / WORD_BITS] & bit) != 0)
                continue;
            place->done[number / WORD_BITS] |= bit;
            memset(block + ((at << PAGE_SHIFT) - physical), 0, PAGE_BYTES);
        }
    }
}
