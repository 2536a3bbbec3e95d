/* SPDX-License-Identifier: MIT */
/* The two clocks of httpd: one for deadlines, one for dates. */
#pragma once

#include <stdint.h>
#include <time.h>

uint64_t clock_ns(void);
uint64_t clock_ms(void);
/* False while the calendar is plainly not set. RFC 9110 6.6.1: then no Date
 * is sent. */
int clock_is_set(time_t now);
/* The present as a header has it and as the log has it; made anew only when
 * the second changes. */
const char *clock_date(time_t now);
const char *clock_log_date(time_t now);
