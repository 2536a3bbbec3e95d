/* SPDX-License-Identifier: MIT */
/*
 * A line editor of the plainest kind: echo, backspace, return. Commands may
 * be cut short as long as they are not ambiguous.
 */
#include "command.h"

#include "apps/httpd/text.h"
#include "balancer.h"
#include "dns_cache.h"
#include "tables.h"
#include "whole_file.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 128, COLUMNS_MAX = 16 };

static char line[LINE_SIZE];
static size_t line_length;
static const char *argument; /* behind the command, or "" */
static void (*reload_function)(void);

/* ---- showing a table ----------------------------------------------------- */

/* The next column: up to two blanks or the end of the line. */
static struct slice take_column(struct slice *row)
{
    struct slice column = {row->bytes, 0};

    while (column.length < row->length &&
           !(row->bytes[column.length] == ' ' &&
             column.length + 1 < row->length &&
             row->bytes[column.length + 1] == ' '))
        column.length++;
    row->bytes += column.length;
    row->length -= column.length;
    while (row->length > 0 && *row->bytes == ' ') {
        row->bytes++;
        row->length--;
    }
    return column;
}

static struct slice take_row(struct slice *rest)
{
    const char *end = memchr(rest->bytes, '\n', rest->length);
    struct slice row = {rest->bytes,
                        end ? (size_t)(end - rest->bytes) : rest->length};

    rest->bytes += row.length + (end ? 1 : 0);
    rest->length -= row.length + (end ? 1 : 0);
    return row;
}

static void print_table(struct slice text)
{
    size_t widths[COLUMNS_MAX] = {0};
    struct slice rest = text;

    while (rest.length > 0) {
        struct slice row = take_row(&rest);

        for (size_t i = 0; row.length > 0 && i < COLUMNS_MAX; i++) {
            struct slice column = take_column(&row);

            if (column.length > widths[i])
                widths[i] = column.length;
        }
    }
    while (text.length > 0) {
        struct slice row = take_row(&text);

        for (size_t i = 0; row.length > 0 && i < COLUMNS_MAX; i++) {
            struct slice column = take_column(&row);
            int width = row.length > 0 ? (int)widths[i] + 2 : 0;

            printf("%-*.*s", width, (int)column.length, column.bytes);
        }
        printf("\n");
    }
}

static bool show_table(const char *name)
{
    struct text text = text_growing();
    bool is_known = tables_write(name, &text);

    if (is_known && text.length > 0)
        print_table((struct slice){text.bytes, text.length});
    else
        printf("%s: nothing here\n", name);
    free(text.bytes);
    return is_known;
}

/* ---- the others ---------------------------------------------------------- */

static void show_counters(void)
{
    struct text text = text_growing();

    tables_write_counters(&text);
    fwrite(text.bytes, 1, text.length, stdout);
    free(text.bytes);
}

static void clear_cache(void)
{
    dns_cache_clear();
    printf("the DNS cache is empty\n");
}

static void reload(void)
{
    reload_function();
}

static void set_draining(bool is_draining)
{
    if (!balancer_drain(argument, is_draining))
        printf("'%s' is none of the backends: say ADDRESS:PORT\n", argument);
}

static void drain(void)
{
    set_draining(true);
}

static void undrain(void)
{
    set_draining(false);
}

static void help(void);

static const struct command {
    const char *name;
    void (*run)(void); /* NULL: a table */
    const char *help;
} commands[] = {
    {"help", help, "this list"},
    {"interfaces", NULL, "addresses, state, traffic"},
    {"routes", NULL, "where packets go"},
    {"neighbours", NULL, "hardware addresses known"},
    {"flows", NULL, "connections tracked, with their translation"},
    {"rules", NULL, "the filter's rules with their counters"},
    {"leases", NULL, "addresses given to the LAN"},
    {"qdiscs", NULL, "queueing disciplines with their counters"},
    {"backends", NULL, "servers behind balanced rules"},
    {"events", NULL, "what the log said last, the newest first"},
    {"drain", drain, "ADDRESS:PORT: no new flows for this backend"},
    {"undrain", undrain, "ADDRESS:PORT: new ones again"},
    {"counters", show_counters, "DHCP, DNS, NTP and syslog in numbers"},
    {"clear-cache", clear_cache, "forget every DNS answer"},
    {"reload", reload, "read the configuration files again"},
};

/* Those that begin with `word`. */
static void list(const char *word)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (strncmp(word, commands[i].name, strlen(word)) == 0)
            printf("  %-12s %s\n", commands[i].name, commands[i].help);
}

static void help(void)
{
    list("");
}

static const struct command *find_command(const char *word)
{
    const struct command *found = NULL;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
        if (strncmp(word, commands[i].name, strlen(word)) == 0) {
            if (found != NULL)
                return NULL;
            found = &commands[i];
        }
    }
    return found;
}

static void run_line(void)
{
    char *word = line + strspn(line, " \t");
    const struct command *command;

    argument = word + strcspn(word, " \t");
    if (*argument != '\0') {
        word[argument - word] = '\0';
        argument++;
        argument += strspn(argument, " \t");
    }
    if (word[0] != '\0') {
        command = find_command(word);
        if (command == NULL) {
            printf("'%s' is no command: try help\n", word);
            list(word);
        } else if (command->run != NULL) {
            command->run();
        } else {
            (void)show_table(command->name);
        }
    }
    printf("> ");
    fflush(stdout);
}

bool command_start(void (*function)(void))
{
    int flags = fcntl(STDIN_FILENO, F_GETFL, 0);

    reload_function = function;
    return flags >= 0 && fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) == 0;
}

static void take_byte(char byte)
{
    if (byte == '\r' || byte == '\n') {
        printf("\n");
        line[line_length] = '\0';
        line_length = 0;
        run_line();
    } else if (byte == '\b' || byte == 0x7f) {
        if (line_length > 0) {
            line_length--;
            printf("\b \b");
        }
    } else if (byte >= ' ' && byte < 0x7f && line_length < LINE_SIZE - 1) {
        line[line_length++] = byte;
        printf("%c", byte);
    }
    fflush(stdout);
}

bool command_poll(void)
{
    char bytes[32];
    ssize_t length = read(STDIN_FILENO, bytes, sizeof(bytes));

    for (ssize_t i = 0; i < length; i++)
        take_byte(bytes[i]);
    return length > 0;
}
