/* SPDX-License-Identifier: MIT */
/*
 * Seconds since 1970 to and from the Gregorian calendar, for any 64-bit time
 * whose year fits, and dates as text (ISO C 7.27.3.5, C locale, UTC).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DAY_SECONDS = 86400,
    ERA_DAYS = 146097,   /* 400 years */
    EPOCH_DAYS = 719468, /* from 0000-03-01 to 1970-01-01 */
};

static const char *const day_names[] = {"Sunday",    "Monday",   "Tuesday",
                                        "Wednesday", "Thursday", "Friday",
                                        "Saturday"};
static const char *const month_names[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

static long divide_down(long value, long by)
{
    long quotient = value / by;

    return value % by < 0 ? quotient - 1 : quotient;
}

/* Days since the epoch of a date whose month counts from 0 and may be any. */
static long days_of(long year, long month, long day)
{
    long era;
    long year_of_era;
    long day_of_year;

    year += divide_down(month, 12);
    month -= divide_down(month, 12) * 12;
    /* Years that begin in March put the leap day at the end. */
    month -= 2;
    if (month < 0) {
        month += 12;
        year--;
    }
    era = divide_down(year, 400);
    year_of_era = year - era * 400;
    day_of_year = (153 * month + 2) / 5 + day - 1;
    return era * ERA_DAYS + year_of_era * 365 + year_of_era / 4 -
           year_of_era / 100 + day_of_year - EPOCH_DAYS;
}

struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict result)
{
    long days = divide_down(*when, DAY_SECONDS);
    long seconds = *when - days * DAY_SECONDS;
    long shifted = days + EPOCH_DAYS;
    long era = divide_down(shifted, ERA_DAYS);
    long day_of_era = shifted - era * ERA_DAYS;
    long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                        day_of_era / 146096) /
                       365;
    long day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    long month = (5 * day_of_year + 2) / 153; /* from March */
    long year = era * 400 + year_of_era + (month >= 10 ? 1 : 0);

    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
        errno = EOVERFLOW;
        return NULL;
    }
    *result = (struct tm){
        .tm_sec = (int)(seconds % 60),
        .tm_min = (int)(seconds / 60 % 60),
        .tm_hour = (int)(seconds / 3600),
        .tm_mday = (int)(day_of_year - (153 * month + 2) / 5 + 1),
        .tm_mon = (int)(month >= 10 ? month - 10 : month + 2),
        .tm_year = (int)(year - 1900),
        .tm_wday = (int)((days % 7 + 11) % 7), /* 1970-01-01: Thursday */
        .tm_yday = (int)(days - days_of(year, 0, 1)),
        .tm_zone = "UTC",
    };
    return result;
}

struct tm *gmtime(const time_t *when)
{
    static struct tm parts;

    return gmtime_r(when, &parts);
}

struct tm *localtime_r(const time_t *restrict when, struct tm *restrict result)
{
    return gmtime_r(when, result);
}

struct tm *localtime(const time_t *when)
{
    return gmtime(when);
}

time_t timegm(struct tm *parts)
{
    time_t when =
        days_of(parts->tm_year + 1900L, parts->tm_mon, parts->tm_mday) *
            DAY_SECONDS +
        parts->tm_hour * 3600L + parts->tm_min * 60L + parts->tm_sec;

    return gmtime_r(&when, parts) != NULL ? when : -1;
}

time_t mktime(struct tm *parts)
{
    return timegm(parts);
}

/* A conversion that stands for others; NULL if it does not. */
static const char *expansion(char conversion)
{
    switch (conversion) {
    case 'c':
        return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
        return "%m/%d/%y";
    case 'F':
        return "%Y-%m-%d";
    case 'R':
        return "%H:%M";
    case 'r':
        return "%I:%M:%S %p";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    default:
        return NULL;
    }
}

static const char *name_of(const char *const *names, int count, int index)
{
    return index >= 0 && index < count ? names[index] : "?";
}

/* Names and words; NULL when the conversion is none. */
static const char *word_of(char conversion, const struct tm *parts)
{
    switch (conversion) {
    case 'a':
    case 'A':
        return name_of(day_names, 7, parts->tm_wday);
    case 'b':
    case 'B':
    case 'h':
        return name_of(month_names, 12, parts->tm_mon);
    case 'p':
        return parts->tm_hour < 12 ? "AM" : "PM";
    case 'Z':
        return "UTC";
    case 'z':
        return "+0000";
    case 'n':
        return "\n";
    case 't':
        return "\t";
    case '%':
        return "%";
    default:
        return NULL;
    }
}

static int write_number(char *buffer, size_t size, char conversion,
                        const struct tm *parts)
{
    long year = parts->tm_year + 1900L;
    int hour = parts->tm_hour % 12;

    switch (conversion) {
    case 'C':
        return snprintf(buffer, size, "%02ld", divide_down(year, 100));
    case 'd':
        return snprintf(buffer, size, "%02d", parts->tm_mday);
    case 'e':
        return snprintf(buffer, size, "%2d", parts->tm_mday);
    case 'H':
        return snprintf(buffer, size, "%02d", parts->tm_hour);
    case 'I':
        return snprintf(buffer, size, "%02d", hour == 0 ? 12 : hour);
    case 'j':
        return snprintf(buffer, size, "%03d", parts->tm_yday + 1);
    case 'm':
        return snprintf(buffer, size, "%02d", parts->tm_mon + 1);
    case 'M':
        return snprintf(buffer, size, "%02d", parts->tm_min);
    case 's': {
        struct tm copy = *parts;

        return snprintf(buffer, size, "%ld", timegm(&copy));
    }
    case 'S':
        return snprintf(buffer, size, "%02d", parts->tm_sec);
    case 'u':
        return snprintf(buffer, size, "%d",
                        parts->tm_wday == 0 ? 7 : parts->tm_wday);
    case 'w':
        return snprintf(buffer, size, "%d", parts->tm_wday);
    case 'y':
        return snprintf(buffer, size, "%02ld",
                        year - divide_down(year, 100) * 100);
    case 'Y':
        return snprintf(buffer, size, "%ld", year);
    default:
        return snprintf(buffer, size, "%%%c", conversion);
    }
}

static size_t write_time(char *buffer, size_t size, const char *format,
                         const struct tm *parts);

/* How much of the buffer one conversion takes; size or more: too much. */
static size_t write_conversion(char *buffer, size_t size, char conversion,
                               const struct tm *parts)
{
    const char *text = expansion(conversion);

    if (text != NULL)
        return write_time(buffer, size, text, parts);
    text = word_of(conversion, parts);
    if (text == NULL)
        return (size_t)write_number(buffer, size, conversion, parts);
    return (size_t)snprintf(
        buffer, size, "%.*s",
        conversion == 'a' || conversion == 'b' || conversion == 'h' ? 3
                                                                    : INT_MAX,
        text);
}

/* The length written, or size when it does not fit. */
static size_t write_time(char *buffer, size_t size, const char *format,
                         const struct tm *parts)
{
    size_t used = 0;

    for (; *format != '\0' && used < size; format++) {
        if (*format != '%' || format[1] == '\0') {
            buffer[used++] = *format;
            continue;
        }
        format++;
        if ((*format == 'E' || *format == 'O') && format[1] != '\0')
            format++; /* alternative forms are the same in the C locale */
        used += write_conversion(buffer + used, size - used, *format, parts);
    }
    return used < size ? used : size;
}

size_t strftime(char *restrict buffer, size_t size, const char *restrict format,
                const struct tm *restrict parts)
{
    size_t length = write_time(buffer, size, format, parts);

    if (length >= size)
        return 0;
    buffer[length] = '\0';
    return length;
}
