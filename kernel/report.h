/* SPDX-License-Identifier: MIT */
/*
 * Texts about the running machine that an app may read as files: the report
 * "counters" is /proc/ferrule/counters. A report is made when it is opened.
 */
#pragma once

#include "kernel/attributes.h"

#include <stddef.h>

/* Writes the text, cut to `size` bytes (without a terminating zero) when it
 * must be, and returns how long all of it is. App context, stack unlocked. */
typedef size_t report_write(char *buffer, size_t size);

/* Takes what an app writes to the file, each time all of it. 0 or -errno. App
 * context, stack unlocked. */
typedef int report_accept(const char *text, size_t length);

struct report {
    const char *name; /* must stay */
    report_write *write;
    report_accept *accept; /* NULL: can only be read */
};

/* `report` must stay. -ENOSPC: there are REPORTS_MAX already. */
MUST_CHECK int report_register(const struct report *report);

/* NULL: no such report. */
const struct report *report_find(const char *name);

/* In the order of registration; NULL after the last. */
const char *report_name(size_t index);
