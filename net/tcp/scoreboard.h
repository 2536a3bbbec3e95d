/* SPDX-License-Identifier: MIT */
/*
 * What a sender knows of every byte in flight: ranges of the sequence space
 * ("spans") that were sent, and sent again, at one time, and what became of
 * them (RFC 2018, 6675 3, 8985 5.1). Spans come from one pool; how many a
 * connection may hold is limited, so that a peer's SACK blocks can neither
 * take the memory of others nor make the walks long (CVE-2019-11477, 11478).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"
#include "net/wire/sequence.h"

struct tcp_span;

/* Spans lie end to end, in the order of sequence numbers. Those in flight are
 * chained by the time of sending, too. Numbers of the pool; 0 is none. */
struct tcp_scoreboard {
    uint32_t first;
    uint32_t last;
    uint32_t oldest;
    uint32_t newest;
    uint32_t lost_hint; /* no span before it is lost; 0: none is */
    uint32_t sack_hint; /* where the last block was found */
    uint32_t last_us;   /* when the first of the last span was sent */
    uint32_t count;
    uint32_t in_flight; /* bytes sent and neither lost nor SACKed */
    uint32_t lost;      /* bytes to be sent again */
    uint32_t sacked;    /* bytes */
    /* Up to here something was sent again, or its time was made up. */
    struct seq32 again_end;
    bool has_again;
};

/* What one ACK delivered, bytes that are new to us. */
struct tcp_delivery {
    uint32_t rtt_us; /* the sample it gave; 0: none */
    uint32_t bytes;
    uint32_t sacked;      /* of them by SACK */
    struct seq32 highest; /* end of the highest never sent again */
    struct seq32 lowest;  /* start of the lowest never sent again */
    uint32_t sent_us;     /* of the one sent last: time, end */
    struct seq32 end;
    uint32_t original_us; /* of the one sent last and only once */
    bool has_original;    /* something that was sent only once */
    bool acked_again;     /* passed over something that was sent again */
    bool is_again;        /* the one sent last had been sent before */
};

/* One piece to be sent again. */
struct tcp_piece {
    struct seq32 start;
    uint32_t length;
};

int spans_init(size_t count) MUST_CHECK;
size_t spans_used(void);
size_t spans_total(void);

/* Sent for the first time (or `is_again`), at the end. False: no memory. */
bool scoreboard_append(struct tcp_scoreboard *board, struct seq32 start,
                       uint32_t length, uint32_t now_us, bool is_again);
void scoreboard_clear(struct tcp_scoreboard *board);

/* Everything before `una` has arrived. */
void scoreboard_acknowledge(struct tcp_scoreboard *board, struct seq32 una,
                            struct tcp_delivery *delivery);

/* scoreboard_acknowledge() where all is in flight, sent once and in order, and
 * none before *sent_us; then the time when the last one delivered was sent.
 * False, and nothing is changed: it is not so. */
bool scoreboard_acknowledge_plain(struct tcp_scoreboard *board,
                                  struct seq32 una,
                                  uint32_t *sent_us) MUST_CHECK;

/* One block, within what is in flight. */
void scoreboard_sack(struct tcp_scoreboard *board, struct seq32 left,
                     struct seq32 right, struct tcp_delivery *delivery);

/* RFC 8985 6.2: what was sent before the segment (sent_us, end) and is
 * `wait_us` old is lost. Returns how long until the next would be; 0: none. */
uint32_t scoreboard_expire(struct tcp_scoreboard *board, uint32_t sent_us,
                           struct seq32 end, uint32_t wait_us, uint32_t now_us);

/* RFC 6675 4 IsLost: more than this many SACKed bytes lie above it. Only what
 * was sent once. */
void scoreboard_lose_below(struct tcp_scoreboard *board, uint32_t sacked_above);
void scoreboard_lose_all(struct tcp_scoreboard *board);

/* The loss was none: what is marked is in flight. */
void scoreboard_unlose(struct tcp_scoreboard *board);
bool scoreboard_next_lost(struct tcp_scoreboard *board,
                          struct tcp_piece *piece);

/* That piece, or the start of it, was sent again. */
void scoreboard_sent_again(struct tcp_scoreboard *board, struct seq32 start,
                           uint32_t length, uint32_t now_us);

/* The last segment in flight, for a tail loss probe. */
bool scoreboard_tail(const struct tcp_scoreboard *board,
                     struct tcp_piece *piece);

/* Bytes in flight that were sent again. Looks at all. */
uint32_t scoreboard_again(const struct tcp_scoreboard *board);

/* RFC 2018 8: the peer SACKed what lies at the left edge, and yet does not
 * acknowledge it. */
bool scoreboard_is_reneged(const struct tcp_scoreboard *board);
