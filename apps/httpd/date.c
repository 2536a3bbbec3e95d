/* SPDX-License-Identifier: MIT */
/*
 * HTTP dates: IMF-fixdate, RFC 850 and asctime forms (RFC 9110 5.6.7), read
 * with own code as strptime depends on the locale. The names of weekdays are
 * skipped, not checked: they say nothing that the rest does not.
 */
#include "date.h"

#include <stdio.h>
#include <string.h>

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char day_names[] = "SunMonTueWedThuFriSat";

void date_format(time_t when, char text[DATE_SIZE])
{
    struct tm parts = {0};

    gmtime_r(&when, &parts);
    snprintf(text, DATE_SIZE, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
             day_names + 3 * parts.tm_wday, (unsigned)parts.tm_mday % 100,
             month_names + 3 * parts.tm_mon,
             (unsigned)(parts.tm_year + 1900) % 10000,
             (unsigned)parts.tm_hour % 100, (unsigned)parts.tm_min % 100,
             (unsigned)parts.tm_sec % 100);
}

void date_format_log(time_t when, char text[DATE_SIZE])
{
    struct tm parts = {0};

    gmtime_r(&when, &parts);
    snprintf(text, DATE_SIZE, "%02u/%.3s/%04u:%02u:%02u:%02u +0000",
             (unsigned)parts.tm_mday % 100, month_names + 3 * parts.tm_mon,
             (unsigned)(parts.tm_year + 1900) % 10000,
             (unsigned)parts.tm_hour % 100, (unsigned)parts.tm_min % 100,
             (unsigned)parts.tm_sec % 100);
}

/* A calendar moment before it is checked. */
struct moment {
    unsigned year, month, day; /* month 1..12 */
    unsigned hour, minute, second;
};

/* Exactly `digits` decimal digits, or, as asctime has it, a blank for the
 * first one. */
static bool take_number(struct slice *rest, unsigned digits, unsigned *value)
{
    *value = 0;
    if (rest->length < digits)
        return false;
    for (unsigned i = 0; i < digits; i++) {
        char byte = rest->bytes[i];

        if (i == 0 && digits == 2 && byte == ' ')
            continue;
        if (byte < '0' || byte > '9')
            return false;
        *value = *value * 10 + (unsigned)(byte - '0');
    }
    rest->bytes += digits;
    rest->length -= digits;
    return true;
}

static bool take_text(struct slice *rest, const char *text)
{
    if (!slice_starts_with(*rest, text))
        return false;
    rest->bytes += strlen(text);
    rest->length -= strlen(text);
    return true;
}

static bool take_month(struct slice *rest, unsigned *month)
{
    for (unsigned i = 0; rest->length >= 3 && i < 12; i++) {
        if (memcmp(rest->bytes, month_names + 3 * i, 3) != 0)
            continue;
        *month = i + 1;
        rest->bytes += 3;
        rest->length -= 3;
        return true;
    }
    return false;
}

static bool take_clock(struct slice *rest, struct moment *m)
{
    return take_number(rest, 2, &m->hour) && take_text(rest, ":") &&
           take_number(rest, 2, &m->minute) && take_text(rest, ":") &&
           take_number(rest, 2, &m->second);
}

/* "06 Nov 1994 08:49:37 GMT" */
static bool parse_fixdate(struct slice rest, struct moment *m)
{
    return take_number(&rest, 2, &m->day) && take_text(&rest, " ") &&
           take_month(&rest, &m->month) && take_text(&rest, " ") &&
           take_number(&rest, 4, &m->year) && take_text(&rest, " ") &&
           take_clock(&rest, m) && take_text(&rest, " GMT") && rest.length == 0;
}

/* "06-Nov-94 08:49:37 GMT" */
static bool parse_rfc850(struct slice rest, struct moment *m)
{
    return take_number(&rest, 2, &m->day) && take_text(&rest, "-") &&
           take_month(&rest, &m->month) && take_text(&rest, "-") &&
           take_number(&rest, 2, &m->year) && take_text(&rest, " ") &&
           take_clock(&rest, m) && take_text(&rest, " GMT") && rest.length == 0;
}

/* "Nov  6 08:49:37 1994" */
static bool parse_asctime(struct slice rest, struct moment *m)
{
    return take_month(&rest, &m->month) && take_text(&rest, " ") &&
           take_number(&rest, 2, &m->day) && take_text(&rest, " ") &&
           take_clock(&rest, m) && take_text(&rest, " ") &&
           take_number(&rest, 4, &m->year) && rest.length == 0;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, by counting years
 * that begin in March, so that the leap day is a year's last. */
static int64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
    int64_t y = (int64_t)year - (month <= 2);
    int64_t shifted = (month + 9) % 12;

    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 +
           (int64_t)day - 1 - 719468;
}

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool moment_to_time(const struct moment *m, time_t *when)
{
    static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30,
                                               31, 31, 30, 31, 30, 31};
    unsigned last = month_days[m->month - 1];

    if (m->month == 2 && is_leap(m->year))
        last++;
    if (m->year < 1601 || m->day < 1 || m->day > last || m->hour > 23 ||
        m->minute > 59 || m->second > 60)
        return false;
    *when = (time_t)(days_from_civil(m->year, m->month, m->day) * 86400 +
                     m->hour * 3600 + m->minute * 60 + m->second);
    return true;
}

bool date_parse(struct slice text, time_t now, time_t *when)
{
    struct moment m = {0};
    struct slice rest = text;
    const char *comma = memchr(text.bytes, ',', text.length);
    struct tm today = {0};

    if (!comma) {
        if (text.length < 4 || text.bytes[3] != ' ')
            return false;
        rest = (struct slice){text.bytes + 4, text.length - 4};
        return parse_asctime(rest, &m) && moment_to_time(&m, when);
    }
    rest.bytes = comma + 1;
    rest.length = text.length - (size_t)(comma + 1 - text.bytes);
    if (!take_text(&rest, " "))
        return false;
    if (parse_fixdate(rest, &m))
        return moment_to_time(&m, when);
    if (!parse_rfc850(rest, &m))
        return false;
    /* RFC 9110 5.6.7: more than 50 years ahead means the past century. */
    gmtime_r(&now, &today);
    m.year += (unsigned)(today.tm_year + 1900) / 100 * 100;
    if (m.year > (unsigned)(today.tm_year + 1900) + 50)
        m.year -= 100;
    return moment_to_time(&m, when);
}
