/* SPDX-License-Identifier: MIT */
/*
 * Segments in the notation of scripts.
 */
#include "tests/script/bytes.h"
#include "tests/script/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/attributes.h"

struct output {
    char *text;
    size_t size;
    size_t length;
};

static void add(struct output *out, const char *format, ...) PRINTF_LIKE(2, 3);

static void add(struct output *out, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    int length = vsnprintf(out->text + out->length, out->size - out->length,
                           format, values);
    va_end(values);
    out->length += (size_t)length;
    if (out->length >= out->size)
        out->length = out->size - 1;
}

/* One option; returns its length. */
static size_t add_option(struct output *out, const uint8_t *at, size_t left)
{
    size_t length = at[0] <= 1 ? 1 : left < 2 ? 0 : at[1];

    if (length < 1 || length > left || (at[0] > 1 && length < 2)) {
        add(out, "raw ");
        for (size_t i = 0; i < left; i++)
            add(out, "%02x", at[i]);
        return left;
    }
    if (at[0] == 0) {
        add(out, "eol");
    } else if (at[0] == 1) {
        add(out, "nop");
    } else if (at[0] == 2 && length == 4) {
        add(out, "mss %u", get16(at + 2));
    } else if (at[0] == 3 && length == 3) {
        add(out, "wscale %u", at[2]);
    } else if (at[0] == 4 && length == 2) {
        add(out, "sackOK");
    } else if (at[0] == 8 && length == 10) {
        add(out, "TS val %u ecr %u", get32(at + 2), get32(at + 6));
    } else if (at[0] == 5 && length % 8 == 2) {
        add(out, "sack");
        for (size_t i = 2; i < length; i += 8)
            add(out, " %u:%u", get32(at + i), get32(at + i + 4));
    } else {
        add(out, "raw ");
        for (size_t i = 0; i < length; i++)
            add(out, "%02x", at[i]);
    }
    return length;
}

static void add_options(struct output *out, const struct segment *segment)
{
    if (segment->any_options) {
        add(out, " <...>");
        return;
    }
    for (size_t at = 0; at < segment->options_length;) {
        add(out, at == 0 ? " <" : ",");
        at += add_option(out, segment->options + at,
                         segment->options_length - at);
    }
    if (segment->options_length > 0)
        add(out, ">");
}

static void add_ip(struct output *out, const struct segment *segment)
{
    static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

    if (segment->peer != 1)
        add(out, "@%u ", segment->peer);
    if (segment->ecn >= 0)
        add(out, "[%s] ", names[segment->ecn]);
    if (segment->tos >= 0)
        add(out, "[tos 0x%x] ", (unsigned)segment->tos);
    if (segment->ttl >= 0)
        add(out, "[ttl %d] ", segment->ttl);
}

static void add_tcp(struct output *out, const struct segment *segment)
{
    static const char letters[] = "FSRP.UEWA";

    if (segment->any_flags)
        add(out, "*");
    else if (segment->flags == 0)
        add(out, "-");
    for (unsigned i = 0; letters[i] != '\0'; i++)
        if (segment->flags & 1U << i)
            add(out, "%c", letters[i]);
    if (segment->any_seq)
        add(out, " *");
    else
        add(out, " %u:%u(%u)", segment->seq, segment->seq + segment->length,
            segment->length);
    if (segment->any_ack)
        add(out, " ack *");
    else if (segment->has_ack)
        add(out, " ack %u", segment->ack);
    if (segment->has_window)
        add(out, " win %u", segment->window);
    if (segment->has_urgent || segment->urgent != 0)
        add(out, " urg %u", segment->urgent);
    add_options(out, segment);
}

void segment_print(const struct segment *segment, char *text, size_t size)
{
    struct output out = {.text = text, .size = size};

    text[0] = '\0';
    add_ip(&out, segment);
    if (segment->protocol == PROTOCOL_TCP)
        add_tcp(&out, segment);
    else if (segment->protocol == PROTOCOL_UDP)
        add(&out, "udp (%u)", segment->length);
    else
        add(&out, "icmp type %u code %u", segment->type, segment->code);
}
