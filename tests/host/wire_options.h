/* SPDX-License-Identifier: MIT */
/* The command line of wire; `wire --help` prints what it means. */
#pragma once

#include "tests/host/wire_fate.h"

struct wire_options {
    struct wire_settings lane[2]; /* 0: from A to B, 1: from B to A */
    uint64_t seed;
    const char *pcap; /* prefix of the two capture files, or NULL */
    const char *port[2];
    bool is_by_data;
    bool wants_help;
};

/* False after printing to standard error what is wrong. */
bool wire_options_parse(struct wire_options *options, int count,
                        char *const *words);
void wire_options_help(void);
