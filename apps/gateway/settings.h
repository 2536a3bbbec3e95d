/* SPDX-License-Identifier: MIT */
/* What the command line asks for. Addresses are in host order, 0: none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct settings {
    const char *config_path;
    const char *rules_path;
    const char *uplink;
    const char *lan; /* NULL: as the configuration says, else eth1 */
    const char *name;
    uint32_t syslog_address;
    uint16_t syslog_port;
    uint32_t ntp_address;
    uint16_t ntp_port;
    unsigned page_port; /* 0: no page */
    bool is_console_on;
};

void settings_set_defaults(struct settings *settings);
/* NULL, or the word that could not be understood. */
const char *settings_parse(struct settings *settings, int count, char **words,
                           bool *is_help);
const char *settings_usage(void);
