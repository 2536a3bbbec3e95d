/* SPDX-License-Identifier: MIT */
/*
 * A question carries a random number instead of our time (RFC 9769 has the
 * reason), so that an answer shows it was asked for, and has a port of its own
 * (RFC 9109): the way to the server may be another by the next. The clock is
 * set, not slewed: it serves the log.
 */
#include "sntp.h"

#include "apps/httpd/clock.h"
#include "apps/httpd/loop.h"
#include "log.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    VERSION_AND_CLIENT = 4 << 3 | 3,
    MODE_SERVER = 4,
    LEAP_UNKNOWN = 3,
    STRATUM_MAX = 15,
    AT_STRATUM = 1,
    AT_CODE = 12, /* where a stratum of 0 has its reason */
    AT_ORIGINATE = 24,
    AT_RECEIVE = 32,
    AT_TRANSMIT = 40,
    INTERVAL_MIN_MS = 64000, /* RFC 4330 10: not below 15 s */
    INTERVAL_MAX_MS = 1024000,
    ANSWER_MS = 2000,
    NO_WAY_MS = 2000, /* until we try again to send anything at all */
    TOLERATED_MS = 128,
};

/* From 1900 to 1970. */
#define ERA_SECONDS UINT64_C(2208988800)
/* It is no earlier, whatever the clock says: 2026. Answers are understood up
 * to 68 years from our time (RFC 4330 3). */
#define PAST_SECONDS 1767225600

struct sntp_counters sntp_counters;

static struct watch watch;
static struct sockaddr_in server;
static bool is_started, is_waiting;
static uint64_t deadline_ms, interval_ms = INTERVAL_MIN_MS;
static uint64_t nonce;
static struct sntp_moment moment;

static uint64_t read64(const uint8_t *at)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static struct timespec time_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec < PAST_SECONDS)
        now.tv_sec = PAST_SECONDS;
    return now;
}

/* Seconds modulo 2^32, and fraction. */
static uint64_t now_1900(void)
{
    struct timespec now = time_now();

    return ((uint64_t)now.tv_sec + ERA_SECONDS) << 32 |
           ((uint64_t)now.tv_nsec << 32) / 1000000000;
}

enum sntp_verdict sntp_judge(const uint8_t *message, uint64_t length,
                             uint64_t expected, const struct sntp_moment *times,
                             int64_t *offset)
{
    uint64_t receive, transmit;

    if (length < SNTP_MESSAGE_SIZE || (message[0] & 7) != MODE_SERVER ||
        read64(message + AT_ORIGINATE) != expected)
        return SNTP_IGNORE;
    if (message[AT_STRATUM] == 0) { /* RFC 5905 7.4 */
        if (memcmp(message + AT_CODE, "RATE", 4) == 0)
            return SNTP_SLOW_DOWN;
        return memcmp(message + AT_CODE, "DENY", 4) == 0 ||
                       memcmp(message + AT_CODE, "RSTR", 4) == 0
                   ? SNTP_STOP
                   : SNTP_IGNORE;
    }
    receive = read64(message + AT_RECEIVE);
    transmit = read64(message + AT_TRANSMIT);
    if (message[0] >> 6 == LEAP_UNKNOWN || message[AT_STRATUM] > STRATUM_MAX ||
        receive == 0 || transmit == 0)
        return SNTP_IGNORE;
    /* Each difference is signed and may span an era (RFC 5905 6). */
    *offset = (int64_t)(receive - times->sent) / 2 +
              (int64_t)(transmit - times->received) / 2;
    return SNTP_GOOD;
}

struct timespec sntp_move(struct timespec time, int64_t offset)
{
    uint64_t fraction = ((uint64_t)time.tv_nsec << 32) / 1000000000 +
                        ((uint64_t)offset & UINT32_MAX);

    time.tv_sec += (time_t)(offset >> 32) + (time_t)(fraction >> 32);
    time.tv_nsec = (long)((fraction & UINT32_MAX) * 1000000000 >> 32);
    return time;
}

static void set_clock(int64_t offset)
{
    struct timespec time = sntp_move(time_now(), offset);

    if (clock_settime(CLOCK_REALTIME, &time) != 0)
        log_line(LOG_WARNING, "ntp", "the clock cannot be set: %s",
                 strerror(errno));
}

/* The question is over. */
static void plan(uint64_t delay_ms)
{
    if (is_waiting) {
        loop_unwatch(&watch);
        close(watch.descriptor);
    }
    is_waiting = false;
    deadline_ms = clock_ms() + delay_ms;
}

static void plan_later(void)
{
    interval_ms =
        interval_ms * 2 < INTERVAL_MAX_MS ? interval_ms * 2 : INTERVAL_MAX_MS;
    plan(interval_ms);
}

static void take_time(int64_t offset)
{
    int64_t milliseconds = (offset >> 16) * 1000 >> 16;

    sntp_counters.answered++;
    sntp_counters.offset_ms = milliseconds;
    set_clock(offset);
    if (!sntp_counters.is_synchronised || llabs(milliseconds) > TOLERATED_MS)
        log_line(LOG_NOTICE, "ntp", "clock set, it was off by %lld ms",
                 (long long)milliseconds);
    sntp_counters.is_synchronised = 1;
    plan_later();
}

static void ready(struct watch *ready_watch)
{
    uint8_t message[SNTP_MESSAGE_SIZE + 20];
    ssize_t length =
        recv(ready_watch->descriptor, message, sizeof(message), MSG_DONTWAIT);
    int64_t offset;

    if (length < 0)
        return;
    moment.received = now_1900();
    switch (sntp_judge(message, (uint64_t)length, nonce, &moment, &offset)) {
    case SNTP_GOOD:
        take_time(offset);
        break;
    case SNTP_STOP:
        is_started = false;
        log_line(LOG_WARNING, "ntp", "the server refuses us: not asked again");
        /* fall through */
    case SNTP_SLOW_DOWN:
        sntp_counters.refused++;
        interval_ms = INTERVAL_MAX_MS;
        plan(interval_ms);
        break;
    case SNTP_IGNORE:
        sntp_counters.ignored++;
        break;
    }
}

static bool open_socket(void)
{
    watch.descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    watch.ready = ready;
    if (watch.descriptor < 0)
        return false;
    if (connect(watch.descriptor, (struct sockaddr *)&server, sizeof(server)) ==
            0 &&
        loop_watch(&watch, LOOP_READ))
        return true;
    close(watch.descriptor);
    return false;
}

static void ask(void)
{
    uint8_t message[SNTP_MESSAGE_SIZE] = {VERSION_AND_CLIENT};

    if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce) ||
        !open_socket()) {
        plan(NO_WAY_MS); /* the uplink has no address yet */
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        message[AT_TRANSMIT + i] = (uint8_t)(nonce >> (56 - 8 * i));
    sntp_counters.asked++;
    moment.sent = now_1900();
    is_waiting = true;
    deadline_ms = clock_ms() + ANSWER_MS;
    (void)send(watch.descriptor, message, sizeof(message),
               MSG_DONTWAIT | MSG_NOSIGNAL);
}

void sntp_start(uint32_t address, uint16_t port)
{
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {htonl(address)}};
    is_started = true;
    ask();
}

int sntp_timeout_ms(void)
{
    uint64_t now_ms = clock_ms();

    if (!is_started)
        return -1;
    return deadline_ms > now_ms ? (int)(deadline_ms - now_ms) : 0;
}

void sntp_expire(void)
{
    if (!is_started || clock_ms() < deadline_ms)
        return;
    if (is_waiting) /* no answer: the pause grows, too (RFC 4330 10) */
        plan_later();
    else
        ask();
}
