/* SPDX-License-Identifier: MIT */
/*
 * The machine's counters for programs: /metrics for Prometheus, /status.json
 * for the live page. Both show the same list: httpd's own counters and, on
 * ferrule, every counter of the kernel.
 */
#pragma once

#include "text.h"

/* What an app that shows httpd's page about itself adds to it. */
struct status_extra {
    void (*counters)(struct text *out); /* lines "name value help" */
    const char *(*table_name)(size_t index);
    /* Lines of columns between two blanks or more, names first. False: the
     * table is not there. */
    bool (*table)(const char *name, struct text *out);
};
/* One such line. */
void status_add_line(struct text *out, const char *name, uint64_t value,
                     const char *help);
/* Stays the caller's. */
void status_set_extra(const struct status_extra *extra);

void status_init(void);
/* Prometheus text format 0.0.4. */
void status_write_metrics(struct text *out);
void status_write_json(struct text *out);

/* For tests: the same, from given lines "name value help". */
void status_format_metrics(struct slice lines, struct text *out);
void status_format_json(struct slice lines, struct text *out);
