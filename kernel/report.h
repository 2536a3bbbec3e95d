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

/* The name must stay. -ENOSPC: there are REPORTS_MAX already. */
MUST_CHECK int report_register(const char *name, report_write *write);

/* NULL: no such report. */
report_write *report_find(const char *name);

/* In the order of registration; NULL after the last. */
const char *report_name(size_t index);
