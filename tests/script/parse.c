/* SPDX-License-Identifier: MIT */
/*
 * A script file: options, commands before the first event, timed events.
 */
#include "tests/script/reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *file)
{
    FILE *stream = fopen(file, "rb");
    size_t size = 0;
    size_t room = 1 << 14;
    char *text = reader_memory(room);

    if (stream == NULL) {
        perror(file);
        exit(2);
    }
    for (size_t got;
         (got = fread(text + size, 1, room - size - 1, stream)) > 0;) {
        size += got;
        if (size == room - 1) {
            room *= 2;
            text = realloc(text, room);
            if (text == NULL)
                abort();
        }
    }
    fclose(stream);
    text[size] = '\0';
    return text;
}

static void add_setting(struct reader *reader, struct script *script,
                        const char *text)
{
    if (script->setting_count == 32)
        reader_fail(reader, "too many settings");
    script->settings[script->setting_count++] = text;
}

/* --name=value, one a line; what only the real tool needs is skipped. */
static void parse_option_line(struct reader *reader, struct script *script)
{
    const char *start = reader->at;

    while (*reader->at != '\0' && !isspace((unsigned char)*reader->at))
        reader->at++;
    char *line = reader_copy(start, (size_t)(reader->at - start));
    char *value = strchr(line, '=');
    if (value == NULL)
        reader_fail(reader, "%s has no value", line);
    *value++ = '\0';
    if (strcmp(line, "--tolerance_usecs") == 0)
        script->tolerance_us = atoll(value);
    else if (strcmp(line, "--tcp_ts_tick_usecs") == 0)
        script->timestamp_tick_us = atoll(value);
    else if (strcmp(line, "--remote_isn") == 0)
        script->remote_isn = (uint32_t)strtoul(value, NULL, 0);
    else if (strncmp(line, "--net.", 6) == 0)
        add_setting(reader, script,
                    reader_copy(start + 6, (size_t)(reader->at - start - 6)));
    else if (strcmp(line, "--ip_version") != 0 || strcmp(value, "ipv4") != 0)
        reader_fail(reader, "unknown option %s", line);
}

static int64_t parse_seconds(struct reader *reader)
{
    char *end;
    double seconds = strtod(reader->at, &end);

    /* strtod would eat the first dot of "0...1" */
    const char *dots = strstr(reader->at, "...");
    if (dots != NULL && dots < end) {
        char *copy = reader_copy(reader->at, (size_t)(dots - reader->at));
        seconds = strtod(copy, NULL);
        end = (char *)(uintptr_t)dots;
    }
    if (end == reader->at || seconds < 0)
        reader_fail(reader, "a time expected before '%.20s'", reader->at);
    reader->at = end;
    return (int64_t)(seconds * 1e6 + 0.5);
}

static void parse_time(struct reader *reader, struct event *event)
{
    if (reader_take(reader, "*")) {
        event->time = TIME_ANY;
        return;
    }
    event->time = TIME_ABSOLUTE;
    if (reader_take(reader, "+"))
        event->time = TIME_RELATIVE;
    event->from_us = parse_seconds(reader);
    event->to_us = event->from_us;
    if (strncmp(reader->at, "...", 3) == 0) {
        reader->at += 3;
        event->is_blocking = true;
        event->end_us = parse_seconds(reader);
    } else if (reader_take(reader, "~")) {
        (void)reader_take(reader, "+");
        event->to_us = parse_seconds(reader);
    }
}

static const char *parse_until(struct reader *reader, const char *end)
{
    const char *start = reader->at;
    const char *stop = strstr(start, end);

    if (stop == NULL)
        reader_fail(reader, "'%s' expected", end);
    for (; reader->at < stop + strlen(end); reader->at++)
        reader->line += *reader->at == '\n';
    return reader_copy(start, (size_t)(stop - start));
}

static void parse_event(struct reader *reader, struct event *event)
{
    event->line = reader->line;
    parse_time(reader, event);
    reader_blanks(reader);
    if (reader_take(reader, "<")) {
        event->kind = EVENT_INJECT;
        parse_packet(reader, &event->segment);
    } else if (reader_take(reader, ">")) {
        event->kind = EVENT_EXPECT;
        parse_packet(reader, &event->segment);
    } else if (reader_take(reader, "%{")) {
        event->kind = EVENT_CHECK;
        event->text = parse_until(reader, "}%");
    } else if (reader_take(reader, "`")) {
        event->kind = EVENT_COMMAND;
        event->text = parse_until(reader, "`");
    } else {
        event->kind = EVENT_CALL;
        parse_call(reader, &event->call);
    }
    if (event->kind != EVENT_CALL && event->is_blocking)
        reader_fail(reader, "only calls may block");
    if (event->time == TIME_ANY && event->kind != EVENT_EXPECT)
        reader_fail(reader, "'*' is a time for expected packets only");
}

/* `sysctl -q net.ipv4.tcp_sack=0 ...` before the first event: settings. */
static void parse_command(struct reader *reader, struct script *script)
{
    char *text = (char *)(uintptr_t)parse_until(reader, "`");

    for (char *word = strtok(text, " \t\n;"); word != NULL;
         word = strtok(NULL, " \t\n;")) {
        if (strncmp(word, "net.", 4) == 0 && strchr(word, '=') != NULL)
            add_setting(reader, script, word + 4);
        else if (strcmp(word, "sysctl") != 0 && word[0] != '-')
            reader_fail(reader,
                        "commands are not run; only settings are taken "
                        "(sysctl net.NAME=VALUE), not '%s'",
                        word);
    }
}

struct script *script_read(const char *file)
{
    struct script *script = reader_memory(sizeof(*script));
    struct reader reader = {.file = file, .at = read_file(file), .line = 1};
    struct event **link = &script->events;

    script->file = file;
    script->tolerance_us = 200;
    for (reader_skip(&reader); *reader.at != '\0'; reader_skip(&reader)) {
        if (strncmp(reader.at, "--", 2) == 0) {
            parse_option_line(&reader, script);
        } else if (script->events == NULL && *reader.at == '`') {
            reader.at++;
            parse_command(&reader, script);
        } else {
            *link = reader_memory(sizeof(**link));
            parse_event(&reader, *link);
            link = &(*link)->next;
        }
    }
    if (script->events == NULL)
        reader_fail(&reader, "no events");
    return script;
}
