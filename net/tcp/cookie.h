/* SPDX-License-Identifier: MIT */
/*
 * SYN cookies (RFC 4987 3.6): what must be remembered of a SYN travels in our
 * sequence number and timestamp, and comes back with the peer's ACK.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/tcp/table.h"
#include "net/wire/sequence.h"
#include "net/wire/tcp.h"

/* What survives of a SYN's options. */
struct tcp_cookie {
    uint16_t mss;
    uint8_t stamp; /* as below; nothing of it without timestamps */
    bool has_timestamp;
    uint32_t timestamp_offset; /* our timestamps of this connection count
                                  from here; not kept, but computed again */
};

enum {
    COOKIE_SCALE_MASK = 15, /* 15: no window scale */
    COOKIE_HAS_SACK = 16,
    COOKIE_HAS_ECN = 32,
    COOKIE_STAMP_BITS = 63,
};

static inline bool cookie_has_scale(const struct tcp_cookie *cookie)
{
    return cookie->has_timestamp &&
           (cookie->stamp & COOKIE_SCALE_MASK) != COOKIE_SCALE_MASK;
}

void cookies_init(void);

/* Our initial sequence number for the SYN-ACK; `irs` is the peer's. */
struct seq32 cookie_make(const struct tcp_tuple *tuple, struct seq32 irs,
                         struct tcp_cookie *cookie, uint64_t now_ns);

/* The timestamp value for that SYN-ACK: never ahead of the clock, which says
 * `timestamp`, or what follows would seem old (PAWS). */
static inline uint32_t cookie_timestamp(const struct tcp_cookie *cookie,
                                        uint32_t timestamp)
{
    uint32_t value = (timestamp & ~(uint32_t)COOKIE_STAMP_BITS) | cookie->stamp;

    return (int32_t)(value - timestamp) > 0 ? value - (COOKIE_STAMP_BITS + 1)
                                            : value;
}

/* Is `iss` a cookie of ours that is not too old? `echo` is the timestamp that
 * came back; cookie->has_timestamp tells whether one did. Fills the rest. */
bool cookie_check(const struct tcp_tuple *tuple, struct seq32 irs,
                  struct seq32 iss, uint32_t echo, struct tcp_cookie *cookie,
                  uint64_t now_ns);
