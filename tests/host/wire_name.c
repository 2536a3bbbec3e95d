/* SPDX-License-Identifier: MIT */
/* A name is a kind, a place in the stream and how often it has come. */
#include "tests/host/wire_name.h"

#include <string.h>

enum kind { TEXT, SHORT_TEXT, ACK, OTHER };

/* Of what is OTHER. */
enum { PLACE_SYN, PLACE_ELSE };

enum {
    ETHERNET_HEADER = 14,
    IPV4_HEADER = 20,
    TCP_HEADER = 20,
    PROTOCOL_TCP = 6,
    FLAG_SYN = 2,
    KIND_SHIFT = 62,
    PLACE_SHIFT = 16,
};

struct segment {
    uint32_t ports;
    uint32_t seq;
    uint32_t ack;
    uint32_t length;
    uint8_t flags;
};

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

/* False: no TCP. */
static bool parse(struct segment *segment, const uint8_t *bytes, size_t length)
{
    const uint8_t *ip = bytes + ETHERNET_HEADER;
    if (length < ETHERNET_HEADER + IPV4_HEADER || get16(ip - 2) != 0x0800 ||
        ip[9] != PROTOCOL_TCP) {
        return false;
    }
    size_t header = (size_t)(ip[0] & 15) * 4;
    size_t total = get16(ip + 2);
    const uint8_t *tcp = ip + header;
    if (total > length - ETHERNET_HEADER || total < header + TCP_HEADER ||
        total - header < (size_t)(tcp[12] >> 4) * 4) {
        return false;
    }
    segment->ports = get32(tcp);
    segment->seq = get32(tcp + 4);
    segment->ack = get32(tcp + 8);
    segment->flags = tcp[13];
    segment->length = (uint32_t)(total - header) - (tcp[12] >> 4) * 4U;
    return true;
}

static uint64_t name(struct wire_names *names, enum kind kind, uint32_t place)
{
    uint16_t *passages = &names->passages[kind][place % WIRE_NAME_UNITS];
    return (uint64_t)kind << KIND_SHIFT | (uint64_t)place << PLACE_SHIFT |
           (*passages)++;
}

/* A connection begins, unless it is the same SYN again. */
static void begin(struct wire_names *names, const struct segment *segment)
{
    uint32_t first = segment->seq + 1;
    if (names->has_seq && names->first_seq == first &&
        names->ports == segment->ports) {
        return;
    }
    memset(names, 0, sizeof(*names));
    names->ports = segment->ports;
    names->first_seq = first;
    names->has_seq = true;
}

/* The multiple of a unit it holds, else where it begins. */
static uint64_t name_text(struct wire_names *names, uint32_t offset,
                          uint32_t length)
{
    uint32_t behind = offset % WIRE_NAME_UNIT;
    uint32_t place = offset / WIRE_NAME_UNIT;
    if (behind == 0) {
        return name(names, TEXT, place);
    }
    return WIRE_NAME_UNIT - behind < length ? name(names, TEXT, place + 1)
                                            : name(names, SHORT_TEXT, place);
}

uint64_t wire_name(struct wire_names *names, const uint8_t *bytes,
                   size_t length)
{
    struct segment segment;
    if (!parse(&segment, bytes, length)) {
        return name(names, OTHER, PLACE_ELSE);
    }
    if ((segment.flags & FLAG_SYN) != 0) {
        begin(names, &segment);
        return name(names, OTHER, PLACE_SYN);
    }
    if (!names->has_seq || segment.ports != names->ports) {
        return name(names, OTHER, PLACE_ELSE);
    }
    if (!names->has_ack) {
        names->first_ack = segment.ack;
        names->has_ack = true;
    }
    if (segment.length != 0) {
        return name_text(names, segment.seq - names->first_seq, segment.length);
    }
    return name(names, ACK, (segment.ack - names->first_ack) / WIRE_NAME_UNIT);
}
