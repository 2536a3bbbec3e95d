/* SPDX-License-Identifier: MIT */
/*
 * Time: CLOCK_MONOTONIC for deadlines and durations, the calendar for headers
 * and the log, each text cached for its second.
 */
#include "clock.h"

#include "date.h"

enum { PLAUSIBLE_YEAR_2020 = 1577836800 };

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
