/* SPDX-License-Identifier: MIT */
/*
 * The time by SNTP: which answers count, what they do to the clock, when is
 * asked next. The server is a socket of this process.
 * test-links: apps/gateway/sntp.c
 */
#include "apps/gateway/log.h"
#include "apps/gateway/sntp.h"
#include "apps/httpd/clock.h"
#include "apps/httpd/loop.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    UNIX_2026 = 1767225600,
    FIRST_MS = 64000,
    LAST_MS = 1024000,
};

/* The same second since 1900. */
#define NTP_2026 UINT32_C(3976214400)

static int server;
static struct sockaddr_in client;
static struct watch *watched;
static uint64_t clock_now_ms;
static struct timespec set_to;
static unsigned lines;

uint64_t clock_ms(void)
{
    return clock_now_ms;
}

bool loop_watch(struct watch *watch, unsigned events)
{
    (void)events;
    cr_assert_null(watched, "one question at a time");
    watched = watch;
    return true;
}

void loop_unwatch(struct watch *watch)
{
    cr_assert_eq(watch, watched);
    watched = NULL;
}

void log_line(enum log_severity severity, const char *subject,
              const char *format, ...)
{
    (void)severity;
    (void)subject;
    (void)format;
    lines++;
}

int clock_settime(clockid_t clock, const struct timespec *time)
{
    (void)clock;
    set_to = *time;
    return 0;
}

static void start(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(here);

    server = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(server, (struct sockaddr *)&here, size), 0);
    cr_assert_eq(getsockname(server, (struct sockaddr *)&here, &size), 0);
    sntp_start(INADDR_LOOPBACK, ntohs(here.sin_port));
}

TestSuite(gateway_sntp, .init = start, .timeout = 60);

/* The question that is there; the answer to it, of that second since 1900. */
static void take_question(uint8_t answer[48], uint32_t second)
{
    uint8_t query[100];
    socklen_t size = sizeof(client);
    ssize_t length = recvfrom(server, query, sizeof(query), MSG_DONTWAIT,
                              (struct sockaddr *)&client, &size);

    cr_assert_eq(length, 48);
    cr_assert_eq(query[0], 0x23);
    memset(answer, 0, 48);
    answer[0] = 0x24;
    answer[1] = 2;
    memcpy(answer + 24, query + 40, 8);
    for (size_t i = 0; i < 4; i++)
        answer[32 + i] = answer[40 + i] = (uint8_t)(second >> (24 - 8 * i));
    answer[39] = answer[47] = 1; /* a 0 would be no time */
}

static void send_answer(const uint8_t answer[48])
{
    cr_assert_eq(sendto(server, answer, 48, 0, (struct sockaddr *)&client,
                        sizeof(client)),
                 48);
    watched->ready(watched);
}

/* Refused with that code, as a server does that has no time for us. */
static void send_code(const char *code)
{
    uint8_t answer[48];

    take_question(answer, NTP_2026);
    answer[1] = 0;
    memcpy(answer + 12, code, 4);
    send_answer(answer);
}

static void assert_asked_after(int timeout_ms)
{
    uint8_t answer[48];

    cr_assert_null(watched);
    cr_assert_eq(sntp_timeout_ms(), timeout_ms);
    clock_now_ms += (uint64_t)timeout_ms;
    sntp_expire();
    cr_assert_not_null(watched);
    take_question(answer, NTP_2026);
}

Test(gateway_sntp, an_answer_sets_the_clock)
{
    uint8_t answer[48];

    take_question(answer, NTP_2026 + 86400);
    send_answer(answer);
    cr_assert_eq(sntp_counters.answered, 1);
    cr_assert_leq(labs((long)set_to.tv_sec - (UNIX_2026 + 86400)), 1);
    assert_asked_after(2 * FIRST_MS);
}

Test(gateway_sntp, each_question_has_a_port_of_its_own)
{
    in_port_t before;
    uint8_t answer[48];

    take_question(answer, NTP_2026);
    before = client.sin_port;
    send_answer(answer);
    assert_asked_after(2 * FIRST_MS);
    cr_assert_neq(client.sin_port, before);
}

Test(gateway_sntp, who_does_not_answer_is_asked_less_and_less)
{
    uint8_t answer[48];

    take_question(answer, NTP_2026);
    for (int pause_ms = 2 * FIRST_MS; pause_ms < LAST_MS; pause_ms *= 2) {
        clock_now_ms += (uint64_t)sntp_timeout_ms();
        sntp_expire();
        assert_asked_after(pause_ms);
    }
}

Test(gateway_sntp, rate_is_a_request_to_ask_seldom)
{
    send_code("RATE");
    cr_assert_eq(sntp_counters.refused, 1);
    assert_asked_after(LAST_MS);
}

Test(gateway_sntp, who_denies_is_not_asked_again)
{
    send_code("DENY");
    cr_assert_null(watched);
    cr_assert_eq(sntp_timeout_ms(), -1);
    cr_assert_eq(lines, 1);
}

Test(gateway_sntp, a_server_that_has_no_time_yet_is_asked_again_soon)
{
    send_code("INIT");
    cr_assert_eq(sntp_counters.ignored, 1);
    clock_now_ms += (uint64_t)sntp_timeout_ms();
    sntp_expire();
    assert_asked_after(2 * FIRST_MS);
}

Test(gateway_sntp, hostile_answers_that_nobody_asked_for_change_nothing)
{
    uint8_t answer[48];

    take_question(answer, NTP_2026);
    for (size_t at = 24; at < 32; at++) { /* the number is not ours */
        answer[at] ^= 1;
        send_answer(answer);
        answer[at] ^= 1;
    }
    answer[0] = 0xe4; /* its clock is not set */
    send_answer(answer);
    answer[0] = 0x23; /* a client's */
    send_answer(answer);
    answer[0] = 0x24;
    answer[1] = 16;
    send_answer(answer);
    answer[1] = 0; /* a refusal, but not of our question */
    memcpy(answer + 12, "DENY", 4);
    answer[24] ^= 1;
    send_answer(answer);
    cr_assert_eq(sntp_counters.ignored, 12);
    cr_assert_eq(set_to.tv_sec, 0);
    cr_assert_eq(sntp_counters.is_synchronised, 0);
}

/* 2036-02-07 06:28:16 is second 0 of the next era. */
Test(gateway_sntp, the_clock_goes_over_the_end_of_an_era)
{
    struct timespec before = {2085978495, 900000000};
    struct timespec after = sntp_move(before, INT64_C(1) << 31);

    cr_assert_eq(after.tv_sec, 2085978496);
    cr_assert_leq(labs(after.tv_nsec - 400000000), 4);
    after = sntp_move(after, -(INT64_C(1) << 31));
    cr_assert_eq(after.tv_sec, 2085978495);
    cr_assert_leq(labs(after.tv_nsec - 900000000), 4);
}

Test(gateway_sntp, times_of_the_next_era_are_understood)
{
    uint8_t answer[48];

    take_question(answer, 1000000000); /* 2067, era 1 */
    send_answer(answer);
    cr_assert_leq(
        labs((long)set_to.tv_sec - (INT64_C(2085978496) + 1000000000)), 1);
}
