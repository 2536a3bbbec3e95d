/* SPDX-License-Identifier: MIT */
/*
 * Reading the CMOS clock: two equal readings in a row, none of them during an
 * update (MC146818A, "Update Cycle"). Bounded: a dead clock is no clock.
 */
#include "kernel/calendar.h"
#include "kernel/cpu.h"

#include <string.h>

enum {
    CMOS_INDEX = 0x70,
    CMOS_DATA = 0x71,
    CMOS_NO_NMI_MASK = 0x7F,
    CMOS_SECOND = 0,
    CMOS_MINUTE = 2,
    CMOS_HOUR = 4,
    CMOS_DAY = 7,
    CMOS_MONTH = 8,
    CMOS_YEAR = 9,
    CMOS_STATUS_A = 10,
    CMOS_STATUS_B = 11,
    STATUS_A_UPDATING = 1 << 7,
    READS_MAX = 20000, /* an update takes 2 ms, a read 0.1 to 1 us */
};

static uint8_t read(uint8_t index)
{
    cpu_out8(CMOS_INDEX, index & CMOS_NO_NMI_MASK);
    return cpu_in8(CMOS_DATA);
}

static void read_all(uint8_t century_register, struct calendar_registers *now)
{
    *now = (struct calendar_registers){
        .second = read(CMOS_SECOND),
        .minute = read(CMOS_MINUTE),
        .hour = read(CMOS_HOUR),
        .day = read(CMOS_DAY),
        .month = read(CMOS_MONTH),
        .year = read(CMOS_YEAR),
        .century = read(century_register),
        .status_b = read(CMOS_STATUS_B),
    };
}

uint64_t calendar_read(bool has_century, uint8_t century_register)
{
    struct calendar_registers before, now;

    for (int i = 0; i < READS_MAX; i++) {
        if (read(CMOS_STATUS_A) & STATUS_A_UPDATING)
            continue;
        read_all(century_register, &before);
        if (read(CMOS_STATUS_A) & STATUS_A_UPDATING)
            continue;
        read_all(century_register, &now);
        if (memcmp(&before, &now, sizeof(now)) == 0)
            return calendar_decode(&now, has_century);
    }
    return 0;
}
