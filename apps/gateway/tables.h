/* SPDX-License-Identifier: MIT */
/*
 * What the gateway shows as tables, for the console and the page: the
 * machine's own (interfaces, routes, neighbours, flows, rules) and ours.
 */
#pragma once

#include "apps/httpd/text.h"

#include <stdbool.h>
#include <stddef.h>

/* Names in the order they are shown; NULL after the last. */
const char *tables_name(size_t index);
/* A line of column names, then one line for each entry, columns between two
 * blanks or more. False: there is no such table. */
bool tables_write(const char *name, struct text *out);
/* Our own counters as lines "name value help". */
void tables_write_counters(struct text *out);
