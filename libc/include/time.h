/* SPDX-License-Identifier: MIT */
/*
 * Clocks and calendar. CLOCK_MONOTONIC counts from boot, CLOCK_REALTIME from
 * 1970; every calendar time is UTC (there is no time zone, so localtime is
 * gmtime).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define CLOCK_REALTIME           0
#define CLOCK_MONOTONIC          1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID  3
#define CLOCK_MONOTONIC_RAW      4
#define CLOCK_REALTIME_COARSE    5
#define CLOCK_MONOTONIC_COARSE   6
#define CLOCK_BOOTTIME           7
#define TIMER_ABSTIME            1
#define TIME_UTC                 1
#define CLOCKS_PER_SEC           1000000L

typedef long clock_t;

struct timespec {
    time_t tv_sec;
    long tv_nsec;
};

struct tm {
    int tm_sec;
    int tm_min;
    int tm_hour;
    int tm_mday;
    int tm_mon;
    int tm_year;
    int tm_wday;
    int tm_yday;
    int tm_isdst;
    long tm_gmtoff;
    const char *tm_zone;
};

int clock_gettime(clockid_t clock, struct timespec *now);
int clock_getres(clockid_t clock, struct timespec *resolution);
int clock_settime(clockid_t clock, const struct timespec *now);
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                    struct timespec *remaining);
int nanosleep(const struct timespec *request, struct timespec *remaining);
time_t time(time_t *now);
clock_t clock(void);
double difftime(time_t end, time_t start);

struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict result);
struct tm *gmtime(const time_t *when);
struct tm *localtime_r(const time_t *restrict when, struct tm *restrict result);
struct tm *localtime(const time_t *when);
time_t timegm(struct tm *parts);
time_t mktime(struct tm *parts);
size_t strftime(char *restrict buffer, size_t size, const char *restrict format,
                const struct tm *restrict parts)
    __attribute__((format(strftime, 3, 0)));
