/* SPDX-License-Identifier: MIT */
#include "tools/pack/coder.h"

#include <stdlib.h>

#define CERTAIN (1U << UNPACK_CHANCE_BITS)

#define LOG2_BITS 16 /* behind the point */

static double prices[CERTAIN + 1];

/* Without the mathematical library, which not every tool chain links alike. */
static double log2_of(double number)
{
    double logarithm = 0, bit = 1;

    for (; number >= 2; number /= 2)
        logarithm++;
    for (unsigned i = 0; i < LOG2_BITS; i++) {
        number *= number;
        bit /= 2;
        if (number >= 2) {
            number /= 2;
            logarithm += bit;
        }
    }
    return logarithm;
}

static void keep(struct coder *c, uint8_t byte)
{
    /* The first is always 0, and the unpacker does not read it. */
    if (c->is_first) {
        c->is_first = false;
        return;
    }
    if (c->length == c->room) {
        c->room = c->room * 2 + 4096;
        c->bytes = realloc(c->bytes, c->room);
        if (c->bytes == NULL)
            abort();
    }
    c->bytes[c->length++] = byte;
}

/* The highest byte leaves; a carry may turn 0xff bytes into 0 until then. */
static void shift_out(struct coder *c)
{
    if (c->low < UINT32_C(0xff000000) || c->low > UINT32_MAX) {
        uint8_t carry = (uint8_t)(c->low >> 32);

        keep(c, (uint8_t)(c->held + carry));
        for (; c->held_ffs > 0; c->held_ffs--)
            keep(c, (uint8_t)(0xff + carry));
        c->held = (uint8_t)(c->low >> 24);
    } else {
        c->held_ffs++;
    }
    c->low = c->low << 8 & UINT32_MAX;
}

static void put_bit(struct coder *c, unsigned which, unsigned bit)
{
    uint16_t *chance = &c->chances[which];
    uint32_t bound = (c->range >> UNPACK_CHANCE_BITS) * *chance;

    if (c->is_pricing) {
        c->price += prices[bit != 0 ? CERTAIN - *chance : *chance];
        return;
    }
    if (bit != 0) {
        c->low += bound;
        c->range -= bound;
        *chance = (uint16_t)(*chance - (*chance >> UNPACK_RATE));
    } else {
        c->range = bound;
        *chance = (uint16_t)(*chance + ((CERTAIN - *chance) >> UNPACK_RATE));
    }
    while (c->range < 1U << UNPACK_RANGE_LEAST) {
        c->range <<= 8;
        shift_out(c);
    }
}

static void put_tree(struct coder *c, unsigned base, unsigned bits,
                     unsigned value)
{
    unsigned node = 1;

    while (bits-- > 0) {
        put_bit(c, base + node, value >> bits & 1);
        node = node << 1 | (value >> bits & 1);
    }
}

static void put_number(struct coder *c, unsigned base, uint32_t number)
{
    unsigned bits = 31U - (unsigned)__builtin_clz(number);
    uint32_t value = 1;

    put_tree(c, base, UNPACK_SIZE_BITS, bits);
    base += (1 + bits) * UNPACK_NUMBER_SIZES;
    while (bits-- > 0) {
        unsigned which =
            value < UNPACK_NUMBER_TREE ? value : UNPACK_NUMBER_TREE + bits;

        put_bit(c, base + which, number >> bits & 1);
        value = value << 1 | (number >> bits & 1);
    }
}

void coder_write(struct coder *c, const struct place *place,
                 const struct step *step)
{
    bool is_again = step->distance == place->distance;

    put_bit(c, UNPACK_IS_COPY + place->was_copy, step->distance != 0);
    if (step->distance == 0) {
        unsigned context = place->before >> UNPACK_BEFORE_SHIFT
                                                << UNPACK_BYTE_BITS;

        put_tree(c, UNPACK_BYTES + context, UNPACK_BYTE_BITS, step->byte);
        return;
    }
    put_bit(c, UNPACK_IS_AGAIN + place->was_copy, is_again);
    if (is_again) {
        put_number(c, UNPACK_LENGTH_AGAIN, step->length);
        return;
    }
    put_number(c, UNPACK_LENGTH, step->length - 1);
    put_number(c, UNPACK_DISTANCE + (step->length > 2 ? UNPACK_NUMBER : 0),
               step->distance);
}

double coder_price(struct coder *c, const struct place *place,
                   const struct step *step)
{
    c->is_pricing = true;
    c->price = 0;
    coder_write(c, place, step);
    c->is_pricing = false;
    return c->price;
}

void coder_start(struct coder *c)
{
    *c = (struct coder){.range = UINT32_MAX, .is_first = true};
    for (unsigned i = 0; i < UNPACK_CHANCES; i++)
        c->chances[i] = UNPACK_EVEN;
    for (unsigned i = 1; i <= CERTAIN; i++)
        prices[i] = UNPACK_CHANCE_BITS - log2_of(i);
}

void coder_finish(struct coder *c)
{
    for (unsigned i = 0; i < sizeof(c->low) - 3; i++)
        shift_out(c);
}

struct place place_after(const struct place *place, const struct step *step,
                         uint8_t last)
{
    return (struct place){
        .distance = step->distance != 0 ? step->distance : place->distance,
        .was_copy = step->distance != 0,
        .before = last,
    };
}
