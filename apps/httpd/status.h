/* SPDX-License-Identifier: MIT */
/*
 * The machine's counters for programs: /metrics for Prometheus, /status.json
 * for the live page. Both show the same list: httpd's own counters and, on
 * ferrule, every counter of the kernel.
 */
#pragma once

#include "text.h"

void status_init(void);
/* Prometheus text format 0.0.4. */
void status_write_metrics(struct text *out);
void status_write_json(struct text *out);

/* For tests: the same, from given lines "name value help". */
void status_format_metrics(struct slice lines, struct text *out);
void status_format_json(struct slice lines, struct text *out);
