/* SPDX-License-Identifier: MIT */
/*
 * Time: CLOCK_MONOTONIC for deadlines and durations, the calendar for headers
 * and the log, each text cached for its second.
 */
#include "clock.h"

#include "date.h"

enum {
    PLAUSIBLE_YEAR_2020 = 1577836800,
    CALENDAR_MS = 50, /* between looks at the calendar, which may be set */
};

static uint64_t turn_ns, calendar_ns;
static time_t turn_time;

uint64_t clock_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t clock_ms(void)
{
    return clock_ns() / 1000000;
}

void clock_start_turn(void)
{
    turn_ns = clock_ns();
    if (turn_time != 0 && turn_ns - calendar_ns < CALENDAR_MS * 1000000U)
        return;
    calendar_ns = turn_ns;
    turn_time = time(NULL);
}

uint64_t clock_turn_ns(void)
{
    return turn_ns;
}

uint64_t clock_turn_ms(void)
{
    return turn_ns / 1000000;
}

time_t clock_turn_time(void)
{
    return turn_time;
}

int clock_is_set(time_t now)
{
    return now >= PLAUSIBLE_YEAR_2020;
}

const char *clock_date(time_t now)
{
    static char text[DATE_SIZE];
    static time_t shown = -1;

    if (now != shown)
        date_format(now, text);
    shown = now;
    return text;
}

const char *clock_log_date(time_t now)
{
    static char text[DATE_SIZE];
    static time_t shown = -1;

    if (now != shown)
        date_format_log(now, text);
    shown = now;
    return text;
}
