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

/* What survives of a SYN's options. Without timestamps: only the MSS. */
struct tcp_cookie {
    uint16_t mss;
    uint8_t window_scale;
    bool has_window_scale;
    bool has_sack;
    bool has_ecn;
    bool has_timestamp;
    uint32_t timestamp_offset; /* our timestamps of this connection count
                                  from here; not kept, but computed again */
};

void cookies_init(void);

/* Our initial sequence number for the SYN-ACK; `irs` is the peer's. Takes
 * from `cookie` what cannot be kept. */
struct seq32 cookie_make(const struct tcp_tuple *tuple, struct seq32 irs,
                         struct tcp_cookie *cookie, uint64_t now_ns);

/* The timestamp value for that SYN-ACK: at most `timestamp`. */
uint32_t cookie_timestamp(const struct tcp_cookie *cookie, uint32_t timestamp);

/* Is `iss` a cookie of ours that is not too old? `echo` is the timestamp that
 * came back; cookie->has_timestamp tells whether one did. Fills the rest. */
bool cookie_check(const struct tcp_tuple *tuple, struct seq32 irs,
                  struct seq32 iss, uint32_t echo, struct tcp_cookie *cookie,
                  uint64_t now_ns);
