/* SPDX-License-Identifier: MIT */
/*
 * TCP headers and options (RFC 9293 3.1, 7323, 2018): format only. Parsing
 * takes any bytes; of options it does not know, or that are malformed, it
 * keeps nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire/byteorder.h"
#include "net/wire/sequence.h"

enum {
    TCP_HEADER_LENGTH = 20,
    TCP_HEADER_MAX = 60,
    TCP_OPTIONS_MAX = TCP_HEADER_MAX - TCP_HEADER_LENGTH,
    TCP_TIMESTAMP_SPACE = 12, /* the option and two NOPs */
    TCP_MSS_DEFAULT = 536,    /* RFC 9293 3.7.1, when none was received */
    TCP_WINDOW_SCALE_MAX = 14,
    TCP_WINDOW_MAX = 65535, /* unscaled */
    TCP_SACK_BLOCKS = 4,    /* as many as fit; 3 beside timestamps */
};

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

enum tcp_option_kind {
    TCP_KIND_END = 0,
    TCP_KIND_NOP = 1,
    TCP_KIND_MSS = 2,
    TCP_KIND_WINDOW_SCALE = 3,
    TCP_KIND_SACK_PERMITTED = 4,
    TCP_KIND_SACK = 5,
    TCP_KIND_TIMESTAMP = 8,
};

/* Options as everybody writes them, filled up with NOPs: whole words, to which
 * the value is added, or before which it stands. */
enum {
    TCP_MSS_WORD = TCP_KIND_MSS << 24 | 4 << 16,
    TCP_WINDOW_SCALE_WORD =
        TCP_KIND_NOP << 24 | TCP_KIND_WINDOW_SCALE << 16 | 3 << 8,
    TCP_SACK_PERMITTED_WORD = TCP_KIND_NOP << 24 | TCP_KIND_NOP << 16 |
                              TCP_KIND_SACK_PERMITTED << 8 | 2,
    TCP_TIMESTAMP_WORD =
        TCP_KIND_NOP << 24 | TCP_KIND_NOP << 16 | TCP_KIND_TIMESTAMP << 8 | 10,
    TCP_SACK_TIMESTAMP_WORD =
        TCP_KIND_SACK_PERMITTED << 24 | 2 << 16 | TCP_KIND_TIMESTAMP << 8 | 10,
};

struct tcp_header {
    struct be16 source_port;
    struct be16 destination_port;
    struct be32 sequence;
    struct be32 acknowledgement;
    uint8_t data_offset; /* upper four bits, in words */
    uint8_t flags;
    struct be16 window;
    struct be16 checksum;
    struct be16 urgent;
};

_Static_assert(sizeof(struct tcp_header) == TCP_HEADER_LENGTH,
               "as on the wire");

static inline size_t tcp_header_length(const struct tcp_header *header)
{
    return (size_t)(header->data_offset >> 4) * 4;
}

struct tcp_sack_block {
    struct seq32 left;
    struct seq32 right; /* the first sequence number after the block */
};

/* The options of one segment, in host order. */
struct tcp_header_options {
    uint32_t timestamp;
    uint32_t timestamp_echo;
    uint16_t mss; /* 0: not there */
    uint8_t window_scale;
    uint8_t sack_count;
    bool has_window_scale;
    bool has_timestamp;
    bool has_sack_permitted;
    struct tcp_sack_block sack[TCP_SACK_BLOCKS]; /* so many as are counted */
};

/* None of them. */
static inline void tcp_options_clear(struct tcp_header_options *options)
{
    memset(options, 0, offsetof(struct tcp_header_options, sack));
}

/* The options behind a header: the first of a kind wins; MSS, window scale
 * and SACK-permitted count only if `is_syn`; a malformed length ends it. */
void tcp_options_parse(const uint8_t *bytes, size_t length, bool is_syn,
                       struct tcp_header_options *options);

/* Writes them, padded to words, and returns the length. What does not fit
 * TCP_OPTIONS_MAX is left out, SACK blocks first. Order and padding are those
 * of most hosts. */
size_t tcp_options_emit(const struct tcp_header_options *options,
                        uint8_t bytes[TCP_OPTIONS_MAX]);
