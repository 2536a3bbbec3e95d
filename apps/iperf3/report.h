/* SPDX-License-Identifier: MIT */
/* What is told of a test: to the client as JSON, to people as lines. */
#pragma once

#include "parameters.h"

#include <netinet/in.h>

struct result {
    const struct parameters *parameters;
    struct in_addr peer;
    double seconds;
    unsigned char ids[256 + 1]; /* what the client calls its streams */
};

/* The length; what does not fit into `size` is left out at its end. */
size_t report_json(const struct result *result, char *text, size_t size);
void report_begin(const struct result *result);
void report_end(const struct result *result);
