/* SPDX-License-Identifier: MIT */
/*
 * Packets: [ip words] flags seq:end(length) ack N win N urg N <options>,
 * udp (length), icmp type code mtu N [quoted].
 */
#include "tests/script/reader.h"

#include <ctype.h>
#include <string.h>

static void parse_ip_word(struct reader *reader, struct segment *segment)
{
    static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

    for (int i = 0; i < 4; i++) {
        if (reader_take_word(reader, names[i])) {
            segment->ecn = i;
            return;
        }
    }
    if (reader_take_word(reader, "nodf"))
        segment->dont_fragment = 0;
    else if (reader_take_word(reader, "df"))
        segment->dont_fragment = 1;
    else if (reader_take_word(reader, "ttl"))
        segment->ttl = (int)reader_number(reader);
    else if (reader_take_word(reader, "tos"))
        segment->tos = (int)reader_number(reader);
    else if (reader_take_word(reader, "badsum"))
        segment->bad_checksum = true;
    else if (reader_take_word(reader, "doff"))
        segment->data_offset = (int)reader_number(reader);
    else
        reader_fail(reader,
                    "ttl, tos, ect0, ect1, ce, noecn, df, nodf, badsum or "
                    "doff expected before '%.20s'",
                    reader->at);
}

static void parse_ip(struct reader *reader, struct segment *segment)
{
    if (!reader_take(reader, "["))
        return;
    do {
        parse_ip_word(reader, segment);
    } while (reader_take(reader, ","));
    reader_need(reader, "]");
}

static void parse_peer(struct reader *reader, struct segment *segment)
{
    segment->peer = 1;
    if (!reader_take(reader, "@"))
        return;
    segment->peer = reader_number(reader);
    if (segment->peer == 0 || segment->peer >= SCRIPT_FLOWS)
        reader_fail(reader, "peers are @1 to @%d", SCRIPT_FLOWS - 1);
    if (reader_take(reader, ":"))
        segment->local_port = (uint16_t)reader_number(reader);
}

static void parse_flags(struct reader *reader, struct segment *segment)
{
    static const char letters[] = "FSRP.UEWA";

    reader_blanks(reader);
    if (*reader->at == '*') {
        segment->any_flags = true;
        reader->at++;
        return;
    }
    const char *start = reader->at;
    for (; *reader->at != ' ' && *reader->at != '\0'; reader->at++) {
        const char *letter = strchr(letters, *reader->at);
        if (*reader->at == '-')
            continue;
        if (letter == NULL)
            reader_fail(reader, "flags (FSRP.UEWA or -) expected, not '%.20s'",
                        start);
        segment->flags |= (uint16_t)(1U << (letter - letters));
    }
}

/* 1:1001(1000), or 1:1001 */
static void parse_range(struct reader *reader, struct segment *segment)
{
    if (reader_take(reader, "*")) {
        segment->any_seq = true;
        return;
    }
    segment->seq = reader_number(reader);
    reader_need(reader, ":");
    uint32_t end = reader_number(reader);
    segment->length = end - segment->seq;
    if (reader_take(reader, "(")) {
        uint32_t length = reader_number(reader);
        if (length != segment->length)
            reader_fail(reader, "%u:%u is not (%u)", segment->seq, end, length);
        reader_need(reader, ")");
    }
}

static void parse_tcp(struct reader *reader, struct segment *segment)
{
    segment->protocol = PROTOCOL_TCP;
    parse_flags(reader, segment);
    parse_range(reader, segment);
    if (reader_take_word(reader, "ack")) {
        segment->any_ack = reader_take(reader, "*");
        segment->ack = segment->any_ack ? 0 : reader_number(reader);
        segment->has_ack = true;
    }
    if (reader_take_word(reader, "win") && !reader_take(reader, "*")) {
        segment->window = reader_number(reader);
        segment->has_window = true;
    }
    if (reader_take_word(reader, "urg")) {
        segment->urgent = reader_number(reader);
        segment->has_urgent = true;
    }
    if (reader_take(reader, "<"))
        parse_options(reader, segment);
}

static void parse_udp(struct reader *reader, struct segment *segment)
{
    segment->protocol = PROTOCOL_UDP;
    reader_need(reader, "(");
    segment->length = reader_number(reader);
    reader_need(reader, ")");
}

static void parse_icmp(struct reader *reader, struct segment *segment)
{
    uint8_t numbers[2];

    segment->protocol = PROTOCOL_ICMP;
    const char *type = reader_word(reader);
    struct reader before = *reader;
    const char *code = reader_word(reader);
    if (!icmp_find(type, code, numbers)) {
        *reader = before;
        if (!icmp_find(type, "", numbers))
            reader_fail(reader, "unknown ICMP '%s %s'", type, code);
    }
    segment->type = numbers[0];
    segment->code = numbers[1];
    if (reader_take_word(reader, "mtu"))
        segment->mtu = reader_number(reader);
    if (!reader_take(reader, "["))
        return;
    segment->has_quote = true;
    segment->quoted = PROTOCOL_TCP;
    if (reader_take_word(reader, "udp")) {
        segment->quoted = PROTOCOL_UDP;
        reader_need(reader, "(");
        segment->length = reader_number(reader);
        reader_need(reader, ")");
    } else {
        parse_range(reader, segment);
    }
    reader_need(reader, "]");
}

void parse_packet(struct reader *reader, struct segment *segment)
{
    *segment = (struct segment){.ttl = -1,
                                .tos = -1,
                                .ecn = -1,
                                .dont_fragment = -1,
                                .data_offset = -1};
    parse_peer(reader, segment);
    parse_ip(reader, segment);
    if (reader_take_word(reader, "udp"))
        parse_udp(reader, segment);
    else if (reader_take_word(reader, "icmp"))
        parse_icmp(reader, segment);
    else
        parse_tcp(reader, segment);
    reader_blanks(reader);
}
