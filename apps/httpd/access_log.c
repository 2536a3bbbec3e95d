/* SPDX-License-Identifier: MIT */
/*
 * Common log format, with the seconds from a request's first byte to its
 * response's last one at the end. Quotes, control bytes and what is no ASCII
 * are escaped, so that a request cannot forge a line or steer a terminal.
 */
#include "access_log.h"

#include "clock.h"
#include "text.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef LOGLEVEL_PATH
#define LOGLEVEL_PATH "/proc/ferrule/loglevel"
#endif

/* As on Linux, a line is shown if its level (info: 6) is below the number. */
enum { LOGLEVEL_INFO_SHOWN = 7, LINE_LIMIT = 1024 };

static bool is_enabled;
static bool is_written;

/* On ferrule the console's log level decides; elsewhere nothing is lost. */
static bool is_level_permitting(void)
{
    char text[16] = "";
    int file = open(LOGLEVEL_PATH, O_RDONLY);
    ssize_t length;

    if (file < 0)
        return true;
    length = read(file, text, sizeof(text) - 1);
    close(file);
    if (length <= 0)
        return true;
    if (isdigit((unsigned char)text[0]))
        return strtol(text, NULL, 10) >= LOGLEVEL_INFO_SHOWN;
    return strncmp(text, "info", 4) == 0 || strncmp(text, "debug", 5) == 0;
}

void access_log_init(enum access_log_choice choice)
{
    is_enabled = choice == ACCESS_LOG_ON ||
                 (choice == ACCESS_LOG_BY_LEVEL && is_level_permitting());
}

static void add_escaped(struct text *text, struct slice line)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < line.length; i++) {
        unsigned char byte = (unsigned char)line.bytes[i];
        char escaped[4] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};

        if (byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\')
            text_add_slice(text, (struct slice){escaped, 4});
        else
            text_add_slice(text, (struct slice){line.bytes + i, 1});
    }
}

void access_log_write(const struct access *access)
{
    char line[LINE_LIMIT];
    struct text text = text_fixed(line, sizeof(line));
    unsigned char octets[4];
    uint64_t taken_us;

    if (!is_enabled)
        return;
    taken_us = (clock_ns() - access->started_ns) / 1000;
    memcpy(octets, &access->address, sizeof(octets));
    add_escaped(&text,
                access->line.length > 0 ? access->line : slice_from("-"));
    fprintf(stdout, "%u.%u.%u.%u - - [%s] \"%.*s%s\" %d %llu %llu.%06llu\n",
            octets[0], octets[1], octets[2], octets[3],
            clock_log_date(clock_turn_time()), (int)text.length, line,
            text.is_cut ? "..." : "", access->status,
            (unsigned long long)access->bytes,
            (unsigned long long)(taken_us / 1000000),
            (unsigned long long)(taken_us % 1000000));
    is_written = true;
}

void access_log_flush(void)
{
    if (is_written)
        fflush(stdout);
    is_written = false;
}
