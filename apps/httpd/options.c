/* SPDX-License-Identifier: MIT */
/*
 * The command line: -p PORT, -r ROOT and a few long words. Read with own code,
 * as getopt_long is no part of POSIX.
 */
#include "options.h"

#include "limits.h"
#include "slice.h"

#include <arpa/inet.h>
#include <string.h>

const char *options_usage(void)
{
    return "usage: httpd [-p PORT] [-r ROOT] [-q | -v] [--WORD[=VALUE]]...\n"
           "  -p PORT                 TCP port, 80; 0 for any free one\n"
           "  --listen=ADDRESS        of one interface; else on all\n"
           "  -r ROOT                 folder to serve; /www of the module,\n"
           "                          else its root, else the built-in site\n"
           "  --no-status             no /status, /status.json and /metrics\n"
           "  --access-log[=on|off]   a line per request on stdout (-v, -q);\n"
           "                          else the console's loglevel decides\n"
           "  --max-connections=N     16384; beyond, an idle one is closed\n"
           "  --header-timeout=SEC    10; for a whole request head\n"
           "  --idle-timeout=SEC      60; between two requests\n"
           "  --send-timeout=SEC      20; in which 1 KiB must leave\n";
}

void options_set_defaults(struct options *options)
{
    *options = (struct options){
        .port = 80,
        .is_status_on = true,
        .access_log = ACCESS_LOG_BY_LEVEL,
        .connections = CONNECTIONS_DEFAULT,
        .header_timeout_ms = HEADER_TIMEOUT_MS,
        .idle_timeout_ms = IDLE_TIMEOUT_MS,
        .send_timeout_ms = SEND_TIMEOUT_MS,
    };
}

static bool take_number(const char *text, unsigned least, unsigned most,
                        unsigned *value)
{
    uint64_t number;

    if (!slice_to_number(slice_from(text), &number) || number < least ||
        number > most)
        return false;
    *value = (unsigned)number;
    return true;
}

static bool take_seconds(const char *text, unsigned *value_ms)
{
    unsigned seconds;

    if (!take_number(text, 1, 86400, &seconds))
        return false;
    *value_ms = seconds * 1000;
    return true;
}

static bool take_switch(const char *text, enum access_log_choice *value)
{
    bool is_on = strcmp(text, "on") == 0;

    *value = is_on ? ACCESS_LOG_ON : ACCESS_LOG_OFF;
    return is_on || strcmp(text, "off") == 0;
}

/* The text after "--name=", or NULL if `word` is another. */
static const char *value_of(const char *word, const char *name)
{
    size_t length = strlen(name);

    return strncmp(word, name, length) == 0 && word[length] == '='
               ? word + length + 1
               : NULL;
}

static bool parse_long(struct options *options, const char *word)
{
    const char *value;

    if (strcmp(word, "--no-status") == 0) {
        options->is_status_on = false;
        return true;
    }
    if (strcmp(word, "--access-log") == 0) {
        options->access_log = ACCESS_LOG_ON;
        return true;
    }
    if ((value = value_of(word, "--listen")))
        return inet_pton(AF_INET, value, &options->address) == 1;
    if ((value = value_of(word, "--access-log")))
        return take_switch(value, &options->access_log);
    if ((value = value_of(word, "--max-connections")))
        return take_number(value, 1, 100000, &options->connections);
    if ((value = value_of(word, "--header-timeout")))
        return take_seconds(value, &options->header_timeout_ms);
    if ((value = value_of(word, "--idle-timeout")))
        return take_seconds(value, &options->idle_timeout_ms);
    if ((value = value_of(word, "--send-timeout")))
        return take_seconds(value, &options->send_timeout_ms);
    return false;
}

static bool parse_short(struct options *options, char letter, const char *value)
{
    if (letter == 'p')
        return take_number(value, 0, 65535, &options->port);
    options->root = value;
    return value[0] != '\0' && strlen(value) < ROOT_LIMIT;
}

const char *options_parse(struct options *options, int count, char **words,
                          bool *is_help)
{
    *is_help = false;
    for (int i = 1; i < count; i++) {
        const char *word = words[i];

        if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
            *is_help = true;
        } else if (strcmp(word, "-q") == 0 || strcmp(word, "-v") == 0) {
            options->access_log =
                word[1] == 'v' ? ACCESS_LOG_ON : ACCESS_LOG_OFF;
        } else if (strncmp(word, "-p", 2) == 0 || strncmp(word, "-r", 2) == 0) {
            const char *value = word + 2;

            if (*value == '\0' && i + 1 < count)
                value = words[++i];
            if (!parse_short(options, word[1], value))
                return value[0] != '\0' ? value : word;
        } else if (!parse_long(options, word)) {
            return word;
        }
    }
    return NULL;
}
