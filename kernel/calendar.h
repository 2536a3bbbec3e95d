/* SPDX-License-Identifier: MIT */
/*
 * The CMOS clock (MC146818 and its heirs): what day it is. Taken to be UTC.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The clock's registers as read, before anything is made of them. */
struct calendar_registers {
    uint8_t second, minute, hour, day, month, year, century;
    uint8_t status_b; /* binary or BCD, 24 or 12 hours */
};

/* Seconds since 1970-01-01 UTC, 0 when they are no date. Pure. */
uint64_t calendar_decode(const struct calendar_registers *registers,
                         bool has_century);

/* Reads the hardware: seconds since 1970, or 0 when there is no such clock. */
uint64_t calendar_read(bool has_century, uint8_t century_register);
