/* SPDX-License-Identifier: MIT */
/*
 * Field by field. What the script does not say is not compared: window,
 * urgent pointer, TTL, TOS, ECN; and TS val without --tcp_ts_tick_usecs.
 */
#include "tests/script/compare.h"
#include "tests/script/bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
    TICKS_NEAR = 1, /* a clock of whole ticks may be one off */
};

static bool timestamps_are_near(const struct script *script, uint32_t wanted,
                                uint32_t got)
{
    int32_t apart = (int32_t)(wanted - got);

    return script->timestamp_tick_us == 0 ||
           (apart >= -TICKS_NEAR && apart <= TICKS_NEAR);
}

static bool options_match(const struct script *script,
                          const struct segment *wanted,
                          const struct segment *got)
{
    size_t length = wanted->options_length;

    if (got->options_length != length)
        return false;
    for (size_t at = 0; at < length;) {
        const uint8_t *a = wanted->options + at;
        const uint8_t *b = got->options + at;
        size_t part = a[0] <= 1 || at + 1 == length ? 1 : a[1];
        if (part == 0 || part > length - at)
            part = length - at;
        bool is_timestamp = a[0] == 8 && part == 10;
        if (is_timestamp) {
            if (memcmp(a, b, 2) != 0 || memcmp(a + 6, b + 6, 4) != 0 ||
                !timestamps_are_near(script, get32(a + 2), get32(b + 2)))
                return false;
        } else if (memcmp(a, b, part) != 0) {
            return false;
        }
        at += part;
    }
    return true;
}

static const char *compare_tcp(const struct script *script,
                               const struct segment *wanted,
                               const struct segment *got)
{
    if (!wanted->any_flags && wanted->flags != got->flags)
        return "other flags";
    if (!wanted->any_seq && wanted->seq != got->seq)
        return "another sequence number";
    if (!wanted->any_seq && wanted->length != got->length)
        return "another length";
    if (!wanted->any_ack && wanted->ack != got->ack)
        return "another acknowledgement";
    if (wanted->has_window && wanted->window != got->window)
        return "another window";
    if (wanted->has_urgent && wanted->urgent != got->urgent)
        return "another urgent pointer";
    if (!wanted->any_options && !options_match(script, wanted, got))
        return "other options";
    return NULL;
}

const char *compare_segments(const struct script *script,
                             const struct segment *wanted,
                             const struct segment *got)
{
    if (wanted->protocol != got->protocol)
        return "another protocol";
    if (wanted->ttl >= 0 && wanted->ttl != got->ttl)
        return "another TTL";
    if (wanted->tos >= 0 && wanted->tos != got->tos)
        return "another TOS";
    if (wanted->ecn >= 0 && wanted->ecn != got->ecn)
        return "another ECN field";
    if (wanted->protocol == PROTOCOL_ICMP)
        return wanted->type == got->type && wanted->code == got->code
                   ? NULL
                   : "another ICMP message";
    if (wanted->peer != got->peer)
        return "for another peer";
    if (wanted->protocol == PROTOCOL_TCP)
        return compare_tcp(script, wanted, got);
    return wanted->length == got->length ? NULL : "another length";
}
