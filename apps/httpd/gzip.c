/* SPDX-License-Identifier: MIT */
/*
 * DEFLATE (RFC 1951), bit by bit: small rather than fast, for a page that is
 * unpacked once. Every read and write is checked.
 */
#include "gzip.h"

#include <string.h>

enum {
    HEADER_SIZE = 10, /* RFC 1952 2.3 */
    TRAILER_SIZE = 8,
    CODE_BITS_MAX = 15,
    LITERALS = 288,
    DISTANCES = 32,
    LENGTH_CODES = 19,
    END_OF_BLOCK = 256,
};

struct stream {
    const uint8_t *at, *end;
    unsigned bit; /* of *at */
    bool is_bad;
    uint8_t *out;
    size_t used, size;
};

/* A canonical code (RFC 1951 3.2.2): how many codes have each length, and
 * their symbols in order. */
struct code {
    uint16_t count[CODE_BITS_MAX + 1];
    uint16_t symbols[LITERALS];
};

static unsigned take_bits(struct stream *stream, unsigned count)
{
    unsigned value = 0;

    for (unsigned i = 0; i < count; i++) {
        if (stream->at == stream->end) {
            stream->is_bad = true;
            return 0;
        }
        value |= (unsigned)(*stream->at >> stream->bit & 1) << i;
        stream->at += stream->bit == 7;
        stream->bit = (stream->bit + 1) % 8;
    }
    return value;
}

static void make_code(struct code *code, const uint8_t *lengths, size_t count)
{
    uint16_t next[CODE_BITS_MAX + 1] = {0};

    memset(code->count, 0, sizeof(code->count));
    for (size_t i = 0; i < count; i++)
        code->count[lengths[i]]++;
    code->count[0] = 0;
    for (unsigned bits = 1; bits < CODE_BITS_MAX; bits++)
        next[bits + 1] = (uint16_t)(next[bits] + code->count[bits]);
    for (size_t i = 0; i < count; i++) {
        if (lengths[i] != 0)
            code->symbols[next[lengths[i]]++] = (uint16_t)i;
    }
}

/* Codes of one length are consecutive numbers; those of the next length go on
 * where they ended, doubled. */
static unsigned take_symbol(struct stream *stream, const struct code *code)
{
    unsigned value = 0, first = 0, index = 0;

    for (unsigned bits = 1; bits <= CODE_BITS_MAX; bits++) {
        value |= take_bits(stream, 1);
        if (value < first + code->count[bits])
            return code->symbols[index + value - first];
        index += code->count[bits];
        first = (first + code->count[bits]) * 2;
        value *= 2;
    }
    stream->is_bad = true;
    return END_OF_BLOCK;
}

static void put(struct stream *stream, unsigned byte)
{
    if (stream->used < stream->size)
        stream->out[stream->used++] = (uint8_t)byte;
    else
        stream->is_bad = true;
}

static void copy_back(struct stream *stream, size_t length, size_t distance)
{
    if (distance > stream->used)
        stream->is_bad = true;
    while (length-- > 0 && !stream->is_bad)
        put(stream, stream->out[stream->used - distance]);
}

/* RFC 1951 3.2.5: each pair of groups of codes has one bit more; the last
 * length is 258. */
static size_t take_length(struct stream *stream, unsigned symbol)
{
    unsigned code = symbol - END_OF_BLOCK - 1;
    unsigned extra = code < 8 ? 0 : code / 4 - 1;

    if (code == 28)
        return 258;
    if (code > 28) {
        stream->is_bad = true;
        return 0;
    }
    if (code < 8)
        return code + 3;
    return ((4U + code % 4) << extra) + 3 + take_bits(stream, extra);
}

static size_t take_distance(struct stream *stream, const struct code *code)
{
    unsigned symbol = take_symbol(stream, code);
    unsigned extra = symbol < 4 ? 0 : symbol / 2 - 1;

    if (symbol >= 30)
        stream->is_bad = true;
    if (stream->is_bad || symbol < 4)
        return symbol + 1;
    return ((2U + symbol % 2) << extra) + 1 + take_bits(stream, extra);
}

static void take_block(struct stream *stream, const struct code *literals,
                       const struct code *distances)
{
    while (!stream->is_bad) {
        unsigned symbol = take_symbol(stream, literals);

        if (symbol == END_OF_BLOCK)
            return;
        if (symbol < END_OF_BLOCK) {
            put(stream, symbol);
        } else {
            size_t length = take_length(stream, symbol);

            copy_back(stream, length, take_distance(stream, distances));
        }
    }
}

static void take_stored(struct stream *stream)
{
    size_t length;

    stream->at += stream->bit != 0;
    stream->bit = 0;
    length = take_bits(stream, 16);
    if ((take_bits(stream, 16) ^ 0xffff) != length)
        stream->is_bad = true;
    while (length-- > 0 && !stream->is_bad)
        put(stream, take_bits(stream, 8));
}

/* RFC 1951 3.2.6. */
static void make_fixed(struct code *literals, struct code *distances)
{
    uint8_t lengths[LITERALS];

    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    make_code(literals, lengths, LITERALS);
    memset(lengths, 5, DISTANCES);
    make_code(distances, lengths, DISTANCES);
}

/* RFC 1951 3.2.7. The lengths of both codes are one run. */
static void take_codes(struct stream *stream, struct code *literals,
                       struct code *distances)
{
    static const uint8_t order[LENGTH_CODES] = {
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    size_t literal_count = take_bits(stream, 5) + 257;
    size_t distance_count = take_bits(stream, 5) + 1;
    size_t length_count = take_bits(stream, 4) + 4;
    size_t all = literal_count + distance_count;
    uint8_t lengths[LITERALS + DISTANCES] = {0};
    struct code *code = distances; /* until it is made */

    if (literal_count > LITERALS - 2)
        stream->is_bad = true;
    for (size_t i = 0; i < length_count; i++)
        lengths[order[i]] = (uint8_t)take_bits(stream, 3);
    make_code(code, lengths, LENGTH_CODES);
    memset(lengths, 0, sizeof(lengths));
    for (size_t i = 0; i < all && !stream->is_bad;) {
        unsigned symbol = take_symbol(stream, code);
        size_t repeat = 1;
        uint8_t value = (uint8_t)symbol;

        if (symbol == 16) {
            value = i > 0 ? lengths[i - 1] : 0;
            repeat = 3 + take_bits(stream, 2);
        } else if (symbol > 16) {
            value = 0;
            repeat = symbol == 17 ? 3 + take_bits(stream, 3)
                                  : 11 + take_bits(stream, 7);
        }
        if (repeat > all - i)
            stream->is_bad = true;
        while (repeat-- > 0 && !stream->is_bad)
            lengths[i++] = value;
    }
    make_code(literals, lengths, literal_count);
    make_code(distances, lengths + literal_count, distance_count);
}

static size_t read32(const uint8_t *at)
{
    return (size_t)at[3] << 24 | (size_t)at[2] << 16 | (size_t)at[1] << 8 |
           at[0];
}

size_t gzip_size(const uint8_t *packed, size_t length)
{
    static const uint8_t start[] = {0x1f, 0x8b, 8, 0};

    if (length < HEADER_SIZE + TRAILER_SIZE ||
        memcmp(packed, start, sizeof(start)) != 0)
        return 0;
    return read32(packed + length - 4);
}

bool gzip_unpack(const uint8_t *packed, size_t length, uint8_t *bytes,
                 size_t size)
{
    struct stream stream = {.out = bytes, .size = size};
    struct code literals, distances;
    bool is_last = false;

    if (gzip_size(packed, length) != size)
        return false;
    stream.at = packed + HEADER_SIZE;
    stream.end = packed + length - TRAILER_SIZE;
    while (!is_last && !stream.is_bad) {
        unsigned kind;

        is_last = take_bits(&stream, 1) != 0;
        kind = take_bits(&stream, 2);
        if (kind == 0) {
            take_stored(&stream);
            continue;
        }
        if (kind == 1)
            make_fixed(&literals, &distances);
        else if (kind == 2)
            take_codes(&stream, &literals, &distances);
        else
            stream.is_bad = true;
        take_block(&stream, &literals, &distances);
    }
    return !stream.is_bad && stream.used == size;
}
