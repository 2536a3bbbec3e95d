/* SPDX-License-Identifier: MIT */
/*
 * What happened last: the newest 64 lines of the log, firewall and leases
 * among them, for the console and the page.
 */
#pragma once

#include "apps/httpd/text.h"

void events_add(const char *subject, const char *line);

/* A table as tables.h has them, the newest first. */
void events_write(struct text *out);
