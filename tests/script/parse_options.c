/* SPDX-License-Identifier: MIT */
/*
 * TCP options of a script, and their encoding: what is written is what is on
 * the wire, in the same order, padded with zeros to whole words.
 */
#include "tests/script/reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void put(struct reader *reader, struct segment *segment, uint32_t value,
                unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--) {
        if (segment->options_length == SCRIPT_OPTIONS_MAX)
            reader_fail(reader, "more than 40 bytes of options");
        segment->options[segment->options_length++] =
            (uint8_t)(value >> (8 * (i - 1)));
    }
}

/* raw 0303ff: bytes as they are, for what is malformed. */
static void parse_raw(struct reader *reader, struct segment *segment)
{
    const char *digits = reader_word(reader);

    if (strlen(digits) % 2 != 0 || *digits == '\0')
        reader_fail(reader, "raw takes an even number of hex digits");
    for (; *digits != '\0'; digits += 2) {
        char pair[3] = {digits[0], digits[1], '\0'};
        char *end;
        uint32_t value = (uint32_t)strtoul(pair, &end, 16);
        if (*end != '\0')
            reader_fail(reader, "raw takes hex digits");
        put(reader, segment, value, 1);
    }
}

static void parse_sack(struct reader *reader, struct segment *segment)
{
    size_t length_at = segment->options_length + 1;

    put(reader, segment, 5, 1);
    put(reader, segment, 2, 1);
    reader_blanks(reader);
    while (isdigit((unsigned char)*reader->at)) {
        put(reader, segment, reader_number(reader), 4);
        reader_need(reader, ":");
        put(reader, segment, reader_number(reader), 4);
        segment->options[length_at] =
            (uint8_t)(segment->options[length_at] + 8);
        reader_blanks(reader);
    }
}

static void parse_option(struct reader *reader, struct segment *segment)
{
    if (reader_take_word(reader, "mss")) {
        put(reader, segment, 0x0204, 2);
        put(reader, segment, reader_number(reader), 2);
    } else if (reader_take_word(reader, "wscale")) {
        put(reader, segment, 0x0303, 2);
        put(reader, segment, reader_number(reader), 1);
    } else if (reader_take_word(reader, "sackOK")) {
        put(reader, segment, 0x0402, 2);
    } else if (reader_take_word(reader, "TS")) {
        put(reader, segment, 0x080a, 2);
        if (reader_take_word(reader, "val"))
            put(reader, segment, reader_number(reader), 4);
        if (reader_take_word(reader, "ecr"))
            put(reader, segment, reader_number(reader), 4);
    } else if (reader_take_word(reader, "sack")) {
        parse_sack(reader, segment);
    } else if (reader_take_word(reader, "nop")) {
        put(reader, segment, 1, 1);
    } else if (reader_take_word(reader, "eol")) {
        put(reader, segment, 0, 1);
    } else if (reader_take_word(reader, "raw")) {
        parse_raw(reader, segment);
    } else {
        reader_fail(reader, "unknown option before '%.20s'", reader->at);
    }
}

void parse_options(struct reader *reader, struct segment *segment)
{
    if (reader_take(reader, "...")) {
        segment->any_options = true;
        reader_need(reader, ">");
        return;
    }
    do {
        parse_option(reader, segment);
    } while (reader_take(reader, ","));
    reader_need(reader, ">");
    while (segment->options_length % 4 != 0)
        put(reader, segment, 0, 1);
}
