/* SPDX-License-Identifier: MIT */
/*
 * The time of day from an NTP server (RFC 4330: a simple client).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct sntp_counters {
    uint64_t asked, answered, refused, ignored;
    int64_t offset_ms; /* of the last answer */
    uint64_t is_synchronised;
};

extern struct sntp_counters sntp_counters;

/* Host order. Asks at once, then every minute to every 17 minutes. */
void sntp_start(uint32_t address, uint16_t port);

int sntp_timeout_ms(void);
void sntp_expire(void);

/* ---- for tests ----------------------------------------------------------- */

enum { SNTP_MESSAGE_SIZE = 48 };

/* The moment of our question, seconds since 1900 and fraction, and that of
 * the answer's arrival. */
struct sntp_moment {
    uint64_t sent, received;
};

enum sntp_verdict { SNTP_GOOD, SNTP_IGNORE, SNTP_SLOW_DOWN, SNTP_STOP };

/* Checks an answer to the question that carried `nonce`; `*offset` is what
 * our clock must be moved by, in 2^-32 s. */
enum sntp_verdict sntp_judge(const uint8_t *message, uint64_t length,
                             uint64_t nonce, const struct sntp_moment *moment,
                             int64_t *offset);

/* The time that much later, over the ends of eras, too. */
struct timespec sntp_move(struct timespec time, int64_t offset);
