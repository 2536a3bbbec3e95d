/* SPDX-License-Identifier: MIT */
/*
 * A ring of the last lines. Lines may hold what strangers chose (a name that a
 * client asked for): columns end with two blanks, so no line has two in a row.
 */
#include "events.h"

#include "apps/httpd/clock.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS = 64, LINE_SIZE = 160, ROW_SIZE = LINE_SIZE + 64 };

static struct event {
    uint64_t at_ms;
    const char *subject; /* lives for ever */
    char line[LINE_SIZE];
} events[EVENTS];

static size_t count;

void events_add(const char *subject, const char *line)
{
    struct event *event = &events[count++ % EVENTS];
    size_t length = 0;

    event->at_ms = clock_ms();
    event->subject = subject;
    for (; *line != '\0' && length < LINE_SIZE - 1; line++) {
        char byte = *line > ' ' && *line < 0x7f ? *line : ' ';

        if (byte != ' ' || (length > 0 && event->line[length - 1] != ' '))
            event->line[length++] = byte;
    }
    if (length > 0 && event->line[length - 1] == ' ')
        length--;
    event->line[length] = '\0';
}

void events_write(struct text *out)
{
    uint64_t now_ms = clock_ms();

    text_add(out, "seconds ago  subject  event\n");
    for (size_t i = 0; i < EVENTS && i < count; i++) {
        const struct event *event = &events[(count - 1 - i) % EVENTS];
        char row[ROW_SIZE];

        snprintf(row, sizeof(row), "%llu  %s  %s\n",
                 (unsigned long long)((now_ms - event->at_ms) / 1000),
                 event->subject, event->line);
        text_add(out, row);
    }
}
