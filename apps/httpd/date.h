/* SPDX-License-Identifier: MIT */
/* Dates as HTTP and its logs write them (RFC 9110 5.6.7), always in GMT. */
#pragma once

#include "slice.h"

#include <time.h>

enum { DATE_SIZE = 32 };

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void date_format(time_t when, char text[DATE_SIZE]);
/* "06/Nov/1994:08:49:37 +0000", for the access log */
void date_format_log(time_t when, char text[DATE_SIZE]);
/* Any of the three forms of RFC 9110 5.6.7; false if it is none of them.
 * `now` decides the century of the two-digit years of RFC 850. */
bool date_parse(struct slice text, time_t now, time_t *when);
