/* SPDX-License-Identifier: MIT */
/*
 * Writing a report into a buffer that may be too small.
 */
#pragma once

#include <stddef.h>

/* `length` counts all of the text, also what did not fit. */
struct report_text {
    char *buffer;
    size_t size, length;
};

/* An address in host order, as format and as its arguments. */
#define REPORT_ADDRESS       "%u.%u.%u.%u"
#define REPORT_ADDRESS_OF(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a)&255

void report_add_bytes(struct report_text *text, const char *bytes,
                      size_t length);
/* A line of at most 320 bytes, cut beyond. */
void report_add(struct report_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
