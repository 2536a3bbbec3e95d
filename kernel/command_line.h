/* SPDX-License-Identifier: MIT */
/*
 * The kernel command line: words parted by blanks, name or name=value, a
 * value may be in double quotes. All after a lone "--" belongs to the app.
 * Each part of the kernel applies its own table of words when it is ready to;
 * words nobody took are reported by name at the end and change nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
    COMMAND_LINE_BYTES = 4096,
    COMMAND_LINE_WORDS = 128,
    COMMAND_LINE_ARGUMENTS = 64, /* of the app, argv[0] and NULL included */
};

/*
 * A name that ends in '.' takes every word with that prefix ("net." takes
 * "net.ipv4.ip_forward=1"). The handler is given the whole name, and NULL as
 * value when there was no '='; false means malformed. A word that is given
 * several times calls it several times, in order.
 */
struct command_word {
    const char *name;
    bool (*apply)(const char *name, const char *value);
};

/* Takes a copy of the text; argv[0] of the app will be this name. */
void command_line_parse(const char *text, size_t length, char *app);

/* Calls the handlers of a table; a malformed word is reported by name. */
void command_line_apply(const struct command_word *words, size_t count);

/* The last value given to a name: "" without '=', NULL when absent. */
const char *command_line_value(const char *name);

/* Names on the console every word that no table and no _value asked for. */
void command_line_report_unknown(void);

/* The app's arguments; argv[argc] is NULL. The strings may be changed. */
int command_line_app_arguments(char ***argv);

/* A whole decimal number, optionally negative, within these limits. */
bool command_line_number(const char *text, long low, long high, long *number);
