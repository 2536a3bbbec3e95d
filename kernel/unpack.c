/* SPDX-License-Identifier: MIT */
/*
 * Unpacks what tools/pack packed (unpack.h has the form). Runs before the
 * image's constants are there: nothing here may use one.
 */
#include "kernel/unpack.h"

#include "kernel/attributes.h"

/* Copied into registers where many bits are taken. */
struct state {
    const uint8_t *at;
    uint32_t range;
    uint32_t code;
};

struct reader {
    struct state state;
    uint16_t chances[UNPACK_CHANCES];
};

static ALWAYS_INLINE unsigned state_bit(struct state *s, uint16_t *chance)
{
    uint32_t bound = (s->range >> UNPACK_CHANCE_BITS) * *chance;
    unsigned bit = s->code >= bound;

    if (bit != 0) {
        s->code -= bound;
        s->range -= bound;
        *chance = (uint16_t)(*chance - (*chance >> UNPACK_RATE));
    } else {
        s->range = bound;
        *chance +=
            (uint16_t)(((1U << UNPACK_CHANCE_BITS) - *chance) >> UNPACK_RATE);
    }
    /* Once is enough: no chance is below 15. */
    if (s->range < 1U << UNPACK_RANGE_LEAST) {
        s->range <<= 8;
        s->code = s->code << 8 | *s->at++;
    }
    return bit;
}

static unsigned take_bit(struct reader *r, unsigned which)
{
    return state_bit(&r->state, &r->chances[which]);
}

static unsigned take_tree(struct reader *r, unsigned base, unsigned bits)
{
    struct state s = r->state;
    uint16_t *chances = &r->chances[base];
    unsigned node = 1;

    while (node >> bits == 0)
        node = node << 1 | state_bit(&s, &chances[node]);
    r->state = s;
    return node - (1U << bits);
}

static uint32_t take_number(struct reader *r, unsigned base)
{
    unsigned bits = take_tree(r, base, UNPACK_SIZE_BITS);
    uint16_t *chances = &r->chances[base + (1 + bits) * UNPACK_NUMBER_SIZES];
    struct state s = r->state;
    uint32_t number = 1;

    while (bits-- > 0) {
        unsigned which =
            number < UNPACK_NUMBER_TREE ? number : UNPACK_NUMBER_TREE + bits;

        number = number << 1 | state_bit(&s, &chances[which]);
    }
    r->state = s;
    return number;
}

static void start(struct reader *r, const uint8_t *packed)
{
    r->state = (struct state){.at = packed, .range = UINT32_MAX};
    for (unsigned i = 0; i < sizeof(r->state.code); i++)
        r->state.code = r->state.code << 8 | *r->state.at++;
    for (unsigned i = 0; i < UNPACK_CHANCES; i++)
        r->chances[i] = UNPACK_EVEN;
}

void unpack(const uint8_t *packed, uint8_t *bytes, size_t length)
{
    struct reader r;
    size_t done = 0, distance = 1, count;
    unsigned was_copy = 0;

    start(&r, packed);
    while (done < length) {
        if (take_bit(&r, UNPACK_IS_COPY + was_copy) == 0) {
            unsigned before = done > 0 ? bytes[done - 1] : 0;

            before = before >> UNPACK_BEFORE_SHIFT << UNPACK_BYTE_BITS;
            bytes[done++] =
                (uint8_t)take_tree(&r, UNPACK_BYTES + before, UNPACK_BYTE_BITS);
            was_copy = 0;
            continue;
        }
        if (take_bit(&r, UNPACK_IS_AGAIN + was_copy) != 0) {
            count = take_number(&r, UNPACK_LENGTH_AGAIN);
        } else {
            count = take_number(&r, UNPACK_LENGTH) + 1;
            distance = take_number(&r, UNPACK_DISTANCE +
                                           (count > 2 ? UNPACK_NUMBER : 0));
        }
        was_copy = 1;
        for (; count > 0 && done < length && distance <= done; count--, done++)
            bytes[done] = bytes[done - distance];
    }
}
