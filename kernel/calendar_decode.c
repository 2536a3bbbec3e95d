/* SPDX-License-Identifier: MIT */
/*
 * The CMOS clock's registers as a date (MC146818A, "Time, Calendar and Alarm
 * Locations"). Without a century register years 70 to 99 are of the 1900s.
 */
#include "kernel/calendar.h"
#include "kernel/clock_scale.h"

enum {
    STATUS_B_24_HOURS = 1 << 1,
    STATUS_B_BINARY = 1 << 2,
    HOUR_IS_PM = 1 << 7,
    EPOCH_YEAR = 70,
};

static uint32_t decode(uint8_t value, bool is_binary)
{
    if (is_binary)
        return value;
    return (uint32_t)(value >> 4) * 10 + (value & 0xF);
}

uint64_t calendar_decode(const struct calendar_registers *registers,
                         bool has_century)
{
    bool is_binary = (registers->status_b & STATUS_B_BINARY) != 0;
    bool is_pm = false;
    uint8_t raw_hour = registers->hour;

    if ((registers->status_b & STATUS_B_24_HOURS) == 0) {
        is_pm = (raw_hour & HOUR_IS_PM) != 0;
        raw_hour = (uint8_t)(raw_hour & ~HOUR_IS_PM);
    }
    uint32_t hour = decode(raw_hour, is_binary);
    if ((registers->status_b & STATUS_B_24_HOURS) == 0)
        hour = hour % 12 + (is_pm ? 12 : 0);

    uint32_t year = decode(registers->year, is_binary);
    uint32_t century = decode(registers->century, is_binary);
    if (!has_century || century < 19 || century > 99)
        century = year < EPOCH_YEAR ? 20 : 19;
    struct clock_date date = {
        .year = century * 100 + year,
        .month = decode(registers->month, is_binary),
        .day = decode(registers->day, is_binary),
        .hour = hour,
        .minute = decode(registers->minute, is_binary),
        .second = decode(registers->second, is_binary),
    };
    return clock_date_to_seconds(&date);
}
