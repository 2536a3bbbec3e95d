/* SPDX-License-Identifier: MIT */
/*
 * Chooses the steps: the cheapest way from the first byte to the last, by the
 * prices that the turn before paid around there. For each place and length only
 * the nearest copy is looked at, and that at the last distance.
 */
#include "tools/pack/packer.h"

#include "tools/pack/coder.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURNS = 8,
    PRICES_EVERY = 32, /* bytes */
    COPY_LEAST = 2,
    COPY_MOST = 300, /* longer ones are several steps */
    PAIRS = 65536,
};

struct way {
    double price;
    struct step step; /* the last one */
    struct place place;
};

struct packer {
    const uint8_t *bytes;
    size_t length;
    struct way *ways;  /* for each number of bytes done, the cheapest */
    size_t *same_pair; /* place + 1 of the next earlier equal two bytes */
    struct coder coder;
    uint16_t (*chances)[UNPACK_CHANCES]; /* the last turn's, by place */
};

static void *take(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);

    if (memory == NULL)
        abort();
    return memory;
}

static void link_pairs(struct packer *p)
{
    size_t *last = take(PAIRS, sizeof(*last));

    for (size_t i = 0; i + 1 < p->length; i++) {
        size_t *pair = &last[p->bytes[i] << 8 | p->bytes[i + 1]];

        p->same_pair[i] = *pair;
        *pair = i + 1;
    }
    free(last);
}

static size_t equal_bytes(const struct packer *p, size_t place, size_t from)
{
    size_t count = 0;

    while (count < COPY_MOST && place + count < p->length &&
           p->bytes[place + count] == p->bytes[from + count])
        count++;
    return count;
}

static void try_step(struct packer *p, size_t place, struct step step)
{
    const struct way *here = &p->ways[place];
    struct way *there = &p->ways[place + step.length];
    double price = here->price + coder_price(&p->coder, &here->place, &step);

    if (price >= there->price)
        return;
    there->price = price;
    there->step = step;
    there->place =
        place_after(&here->place, &step, p->bytes[place + step.length - 1]);
}

static void try_copies(struct packer *p, size_t place, size_t least,
                       size_t most, size_t distance)
{
    for (size_t length = least; length <= most; length++) {
        try_step(p, place,
                 (struct step){.length = (uint32_t)length,
                               .distance = (uint32_t)distance});
    }
}

static void try_place(struct packer *p, size_t place)
{
    size_t last = p->ways[place].place.distance;
    size_t longest = COPY_LEAST - 1;

    try_step(p, place, (struct step){.length = 1, .byte = p->bytes[place]});
    if (last != 0 && last <= place)
        try_copies(p, place, 1, equal_bytes(p, place, place - last), last);
    for (size_t at = p->same_pair[place]; at != 0; at = p->same_pair[at - 1]) {
        size_t length = equal_bytes(p, place, at - 1);

        if (length <= longest)
            continue;
        if (place - (at - 1) != last)
            try_copies(p, place, longest + 1, length, place - (at - 1));
        longest = length;
        if (longest == COPY_MOST)
            break;
    }
}

static void choose(struct packer *p)
{
    for (size_t i = 0; i <= p->length; i++)
        p->ways[i].price = DBL_MAX;
    p->ways[0] = (struct way){.place.distance = 1};
    for (size_t i = 0; i < p->length; i++) {
        if (i % PRICES_EVERY == 0)
            memcpy(p->coder.chances, p->chances[i / PRICES_EVERY],
                   sizeof(p->coder.chances));
        try_place(p, i);
    }
}

/* Of the middle of the bytes that they are to be the price for. */
static void keep_chances(struct packer *p, size_t place)
{
    if (place % PRICES_EVERY == PRICES_EVERY / 2)
        memcpy(p->chances[place / PRICES_EVERY], p->coder.chances,
               sizeof(p->coder.chances));
}

/* Marks the places where a step of the cheapest way ends, and walks it. */
static void write_steps(struct packer *p)
{
    uint8_t *is_end = take(p->length + 1, 1);
    struct place place = {.distance = 1};

    for (size_t i = p->length; i > 0; i -= p->ways[i].step.length)
        is_end[i] = 1;
    free(p->coder.bytes);
    coder_start(&p->coder);
    for (size_t i = 1; i <= p->length; i++) {
        keep_chances(p, i);
        if (is_end[i] == 0)
            continue;
        coder_write(&p->coder, &place, &p->ways[i].step);
        place = place_after(&place, &p->ways[i].step, p->bytes[i - 1]);
    }
    coder_finish(&p->coder);
    free(is_end);
}

uint8_t *pack(const uint8_t *bytes, size_t length, size_t *packed)
{
    struct packer p = {.bytes = bytes, .length = length};

    p.ways = take(length + 1, sizeof(*p.ways));
    p.same_pair = take(length + 1, sizeof(*p.same_pair));
    p.chances = take(length / PRICES_EVERY + 1, sizeof(*p.chances));
    link_pairs(&p);
    coder_start(&p.coder);
    for (size_t i = 0; i <= length / PRICES_EVERY; i++)
        memcpy(p.chances[i], p.coder.chances, sizeof(*p.chances));
    for (unsigned i = 0; i < TURNS; i++) {
        choose(&p);
        write_steps(&p);
    }
    free(p.ways);
    free(p.same_pair);
    free(p.chances);
    *packed = p.coder.length;
    return p.coder.bytes;
}
