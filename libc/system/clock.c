/* SPDX-License-Identifier: MIT */
/*
 * Clocks and sleeping. Sleeping is idling: softirqs run meanwhile.
 */
#include "libc/system/descriptor.h"

#include "kernel/clock.h"
#include "net/platform.h"

#include <errno.h>
#include <limits.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

/* What clock_settime(CLOCK_REALTIME) added to the machine's calendar. */
static uint64_t realtime_correction_ns;

static uint64_t realtime_ns(void)
{
    return clock_realtime_ns() + realtime_correction_ns;
}

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){(time_t)(ns / SECOND_NS), (long)(ns % SECOND_NS)};
}

/* Sticks at the end of time instead of wrapping. */
static uint64_t to_ns(const struct timespec *time)
{
    if ((uint64_t)time->tv_sec >= UINT64_MAX / SECOND_NS)
        return PLATFORM_NEVER;
    return (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_nsec;
}

static bool is_valid(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 &&
           (uint64_t)time->tv_nsec < SECOND_NS;
}

static int read_clock(clockid_t clock, uint64_t *now_ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        *now_ns = realtime_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID:
        *now_ns = clock_now_ns();
        return 0;
    default:
        return -EINVAL;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    uint64_t now_ns;
    int error = read_clock(clock, &now_ns);

    if (error == 0)
        *now = to_timespec(now_ns);
    return (int)descriptor_result(error);
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    uint64_t now_ns;
    int error = read_clock(clock, &now_ns);

    if (error == 0 && resolution != NULL)
        *resolution = (struct timespec){0, 1};
    return (int)descriptor_result(error);
}

int clock_settime(clockid_t clock, const struct timespec *now)
{
    if (clock != CLOCK_REALTIME || !is_valid(now))
        return (int)descriptor_result(-EINVAL);
    realtime_correction_ns = to_ns(now) - clock_realtime_ns();
    return 0;
}

static void sleep_until(uint64_t deadline_ns)
{
    platform_lock();
    while (platform_now_ns() < deadline_ns)
        platform_idle(deadline_ns);
    platform_unlock();
}

static void sleep_for(uint64_t duration_ns)
{
    uint64_t now_ns = platform_now_ns();

    sleep_until(duration_ns > PLATFORM_NEVER - now_ns ? PLATFORM_NEVER
                                                      : now_ns + duration_ns);
}

/* Returns the error instead of setting errno, as POSIX has it. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *request,
                    struct timespec *remaining)
{
    uint64_t now_ns;
    uint64_t until_ns;

    if (!is_valid(request) || read_clock(clock, &now_ns) != 0)
        return EINVAL;
    until_ns = to_ns(request);
    if ((flags & TIMER_ABSTIME) == 0)
        sleep_for(until_ns);
    else if (until_ns > now_ns)
        sleep_for(until_ns - now_ns);
    if (remaining != NULL)
        *remaining = (struct timespec){0, 0};
    return 0;
}

int nanosleep(const struct timespec *request, struct timespec *remaining)
{
    return (int)descriptor_result(
        -clock_nanosleep(CLOCK_MONOTONIC, 0, request, remaining));
}

int usleep(useconds_t microseconds)
{
    sleep_for((uint64_t)microseconds * 1000);
    return 0;
}

unsigned sleep(unsigned seconds)
{
    sleep_for((uint64_t)seconds * SECOND_NS);
    return 0;
}

time_t time(time_t *now)
{
    time_t seconds = (time_t)(realtime_ns() / SECOND_NS);

    if (now != NULL)
        *now = seconds;
    return seconds;
}

clock_t clock(void)
{
    return (clock_t)(clock_now_ns() / 1000);
}

double difftime(time_t end, time_t start)
{
    return (double)(end - start);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    uint64_t now_ns = realtime_ns();

    (void)zone;
    now->tv_sec = (time_t)(now_ns / SECOND_NS);
    now->tv_usec = (suseconds_t)(now_ns % SECOND_NS / 1000);
    return 0;
}

int settimeofday(const struct timeval *now, const void *zone)
{
    struct timespec time = {now->tv_sec, now->tv_usec * 1000};

    (void)zone;
    return clock_settime(CLOCK_REALTIME, &time);
}
