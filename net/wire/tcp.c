/* SPDX-License-Identifier: MIT */
/*
 * TCP options, in and out. Every length is compared with what is left before
 * the option is read (RFC 9293 3.2, MUST-6, MUST-7).
 */
#include "net/wire/tcp.h"

#include <string.h>

/* Lengths of whole options, kind and length octets included. */
enum {
    MSS_LENGTH = 4,
    WINDOW_SCALE_LENGTH = 3,
    SACK_PERMITTED_LENGTH = 2,
    TIMESTAMP_LENGTH = 10,
    SACK_HEADER_LENGTH = 2,
    SACK_BLOCK_LENGTH = 8,
};

static uint32_t read_32(const uint8_t *bytes)
{
    return be32_get((struct be32){{bytes[0], bytes[1], bytes[2], bytes[3]}});
}

static uint8_t *write_32(uint8_t *bytes, uint32_t value)
{
    struct be32 wire = be32_from(value);

    memcpy(bytes, wire.octet, sizeof(wire.octet));
    return bytes + sizeof(wire.octet);
}

static void parse_timestamp(const uint8_t *option,
                            struct tcp_header_options *options)
{
    if (options->has_timestamp)
        return;
    options->has_timestamp = true;
    options->timestamp = read_32(option + 2);
    options->timestamp_echo = read_32(option + 6);
}

static void parse_sack(const uint8_t *option, size_t length,
                       struct tcp_header_options *options)
{
    size_t count = (length - SACK_HEADER_LENGTH) / SACK_BLOCK_LENGTH;

    if (options->sack_count != 0 || count == 0 ||
        length != SACK_HEADER_LENGTH + count * SACK_BLOCK_LENGTH)
        return;
    for (size_t i = 0; i < count && i < TCP_SACK_BLOCKS; i++) {
        const uint8_t *block =
            option + SACK_HEADER_LENGTH + i * SACK_BLOCK_LENGTH;
        options->sack[i].left = seq_from(read_32(block));
        options->sack[i].right = seq_from(read_32(block + 4));
        options->sack_count++;
    }
}

/* RFC 7323 2.3: larger values count as 14. */
static uint8_t limit_scale(uint8_t scale)
{
    return scale > TCP_WINDOW_SCALE_MAX ? TCP_WINDOW_SCALE_MAX : scale;
}

static void parse_syn_option(const uint8_t *option, size_t length,
                             struct tcp_header_options *options)
{
    uint8_t kind = option[0];

    if (kind == TCP_KIND_MSS && length == MSS_LENGTH && options->mss == 0) {
        options->mss = be16_get((struct be16){{option[2], option[3]}});
    } else if (kind == TCP_KIND_WINDOW_SCALE && length == WINDOW_SCALE_LENGTH &&
               !options->has_window_scale) {
        options->has_window_scale = true;
        options->window_scale = limit_scale(option[2]);
    } else if (kind == TCP_KIND_SACK_PERMITTED &&
               length == SACK_PERMITTED_LENGTH) {
        options->has_sack_permitted = true;
    }
}

/* The SYN of most hosts: MSS, SACK permitted, timestamps, NOP, window scale.
 * False when it is another. */
static bool parse_usual_syn(const uint8_t *bytes, size_t length,
                            struct tcp_header_options *options)
{
    if (length != 5 * sizeof(uint32_t))
        return false;
    uint32_t mss = read_32(bytes) ^ TCP_MSS_WORD;
    uint32_t scale = read_32(bytes + 16) ^ TCP_WINDOW_SCALE_WORD;
    if (mss > UINT16_MAX || scale > UINT8_MAX ||
        read_32(bytes + 4) != TCP_SACK_TIMESTAMP_WORD)
        return false;
    options->mss = (uint16_t)mss;
    options->has_sack_permitted = true;
    options->has_timestamp = true;
    options->timestamp = read_32(bytes + 8);
    options->timestamp_echo = read_32(bytes + 12);
    options->has_window_scale = true;
    options->window_scale = limit_scale((uint8_t)scale);
    return true;
}

void tcp_options_parse(const uint8_t *bytes, size_t length, bool is_syn,
                       struct tcp_header_options *options)
{
    static const uint8_t usual[4] = {TCP_KIND_NOP, TCP_KIND_NOP,
                                     TCP_KIND_TIMESTAMP, TIMESTAMP_LENGTH};
    size_t at = 0;

    tcp_options_clear(options);
    if (length == TCP_TIMESTAMP_SPACE &&
        memcmp(bytes, usual, sizeof(usual)) == 0) {
        parse_timestamp(bytes + 2, options);
        return;
    }
    if (is_syn && parse_usual_syn(bytes, length, options))
        return;
    while (at < length && bytes[at] != TCP_KIND_END) {
        size_t left = length - at;
        const uint8_t *option = bytes + at;
        if (option[0] == TCP_KIND_NOP) {
            at++;
            continue;
        }
        if (left < 2 || option[1] < 2 || option[1] > left)
            return;
        if (option[0] == TCP_KIND_TIMESTAMP && option[1] == TIMESTAMP_LENGTH)
            parse_timestamp(option, options);
        else if (option[0] == TCP_KIND_SACK)
            parse_sack(option, option[1], options);
        else if (is_syn)
            parse_syn_option(option, option[1], options);
        at += option[1];
    }
}

static uint8_t *emit_sack(const struct tcp_header_options *options, uint8_t *to,
                          size_t room)
{
    size_t count = options->sack_count;

    while (count > 0 &&
           2 + SACK_HEADER_LENGTH + count * SACK_BLOCK_LENGTH > room)
        count--;
    if (count == 0)
        return to;
    *to++ = TCP_KIND_NOP;
    *to++ = TCP_KIND_NOP;
    *to++ = TCP_KIND_SACK;
    *to++ = (uint8_t)(SACK_HEADER_LENGTH + count * SACK_BLOCK_LENGTH);
    for (size_t i = 0; i < count; i++) {
        to = write_32(to, options->sack[i].left.value);
        to = write_32(to, options->sack[i].right.value);
    }
    return to;
}

size_t tcp_options_emit(const struct tcp_header_options *options,
                        uint8_t bytes[TCP_OPTIONS_MAX])
{
    uint8_t *to = bytes;

    if (options->mss != 0)
        to = write_32(to, TCP_MSS_WORD | options->mss);
    if (options->has_timestamp) {
        to = write_32(to, options->has_sack_permitted ? TCP_SACK_TIMESTAMP_WORD
                                                      : TCP_TIMESTAMP_WORD);
        to = write_32(to, options->timestamp);
        to = write_32(to, options->timestamp_echo);
    } else if (options->has_sack_permitted) {
        to = write_32(to, TCP_SACK_PERMITTED_WORD);
    }
    if (options->has_window_scale)
        to = write_32(to, TCP_WINDOW_SCALE_WORD | options->window_scale);
    to = emit_sack(options, to, TCP_OPTIONS_MAX - (size_t)(to - bytes));
    return (size_t)(to - bytes);
}
