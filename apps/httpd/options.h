/* SPDX-License-Identifier: MIT */
/* What the command line asks for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Whether requests are logged: by default the console's log level decides. */
enum access_log_choice { ACCESS_LOG_BY_LEVEL, ACCESS_LOG_ON, ACCESS_LOG_OFF };

struct options {
    uint32_t address; /* to listen on, network order; 0: on all */
    unsigned port;
    const char *root; /* NULL: choose, see content.h */
    bool is_status_on;
    enum access_log_choice access_log;
    unsigned connections;
    unsigned header_timeout_ms;
    unsigned idle_timeout_ms;
    unsigned send_timeout_ms;
};

/* Starts from the defaults that `options` holds. Returns NULL, or the word
 * that could not be understood. `*is_help` is set by -h and --help. */
const char *options_parse(struct options *options, int count, char **words,
                          bool *is_help);
void options_set_defaults(struct options *options);
const char *options_usage(void);
