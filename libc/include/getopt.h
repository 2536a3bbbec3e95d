/* SPDX-License-Identifier: MIT */
/*
 * Command line options: getopt of POSIX and getopt_long of GNU, without
 * reordering: the first word that is no option ends the options.
 */
#pragma once

#include <unistd.h>

#define no_argument       0
#define required_argument 1
#define optional_argument 2

struct option {
    const char *name;
    int has_arg;
    int *flag;
    int val;
};

int getopt_long(int argc, char *const argv[], const char *options,
                const struct option *long_options, int *index);
