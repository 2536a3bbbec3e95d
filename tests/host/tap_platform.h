/* SPDX-License-Identifier: MIT */
/*
 * Starts the stack on a TAP device of Linux; see tap_platform.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tap_settings {
    const char *tap;    /* name of the device; created if it may be */
    const char **words; /* of the kernel command line: ip=... */
    size_t word_count;
    bool verbose;
};

/* 0, or -1 after saying on stderr what is wrong. */
int tap_platform_start(const struct tap_settings *settings);
