/* SPDX-License-Identifier: MIT */
/*
 * The console: a ring that remembers the last lines, drained to the serial
 * port. Any context may log: a line is put in the ring with interrupts off;
 * whoever finds the port free sends all there is, with interrupts as they
 * were, so that lines never mix and a slow port delays nobody but the app.
 */
#pragma once

#include "kernel/attributes.h"
#include "kernel/command_line.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Linux's numbers: a line is shown when its level is below loglevel=. */
enum log_level {
    LOG_ERROR = 3,
    LOG_WARN = 4,
    LOG_INFO = 6,
    LOG_DEBUG = 7,
};

enum { LOG_LINE_BYTES = 256, LOG_LEVEL_DEFAULT = 7, LOG_LEVEL_QUIET = 4 };

/* Opens ttyS0, where it stays unless console= says otherwise. */
void console_start(void);

/* Writes "[    0.012345] part: text\n". A longer line is cut. Any context. */
void log_print(enum log_level level, const char *part, const char *format, ...)
    PRINTF_LIKE(3, 4);
void log_print_list(enum log_level level, const char *part, const char *format,
                    va_list arguments) PRINTF_LIKE(3, 0);

int log_shown_below(void); /* the loglevel= in force */

/* Where the time stamps come from; 0.000000 until this is called. */
void log_set_clock(uint64_t (*now_ns)(void));

/* Bytes as they are ("\n" becomes "\r\n"): the app's standard output. */
void console_write(const char *bytes, size_t length);

/* Typed bytes, without waiting: how many were stored, possibly 0. */
size_t console_read(char *bytes, size_t size);

/*
 * Copies from the ring, oldest first. *position is 0 at first and is moved
 * along; returns the bytes stored, 0 at the end. What has been overwritten
 * meanwhile is skipped.
 */
size_t console_history(uint64_t *position, char *bytes, size_t size);

/* From now on everything is sent at once, whoever was writing. For panic. */
void console_take_over(void);

/* The words "console=", "loglevel=", "quiet" and "debug". */
extern const struct command_word console_words[];
enum { CONSOLE_WORDS = 4 };
