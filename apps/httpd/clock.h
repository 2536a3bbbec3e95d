/* SPDX-License-Identifier: MIT */
/* The two clocks of httpd: one for deadlines, one for dates. */
#pragma once

#include <stdint.h>
#include <time.h>

uint64_t clock_ns(void);
uint64_t clock_ms(void);
/* The moment at which this turn of the loop began, for all that needs no
 * better: reading the clock costs as much as parsing a request. */
void clock_start_turn(void);
uint64_t clock_turn_ns(void);
uint64_t clock_turn_ms(void);
/* The calendar's second, at most CALENDAR_MS late. */
time_t clock_turn_time(void);
/* False while the calendar is plainly not set. RFC 9110 6.6.1: then no Date
 * is sent. */
int clock_is_set(time_t now);
/* The present as a header has it and as the log has it; made anew only when
 * the second changes. */
const char *clock_date(time_t now);
const char *clock_log_date(time_t now);
