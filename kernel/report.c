/* SPDX-License-Identifier: MIT */
/*
 * The list of reports: a handful, filled at boot, searched when one is opened.
 */
#include "kernel/report.h"

#include <errno.h>
#include <string.h>

enum { REPORTS_MAX = 24 };

static const struct report *reports[REPORTS_MAX];
static size_t report_count;

int report_register(const struct report *report)
{
    if (report_count == REPORTS_MAX)
        return -ENOSPC;
    reports[report_count++] = report;
    return 0;
}

const struct report *report_find(const char *name)
{
    for (size_t i = 0; i < report_count; i++) {
        if (strcmp(reports[i]->name, name) == 0)
            return reports[i];
    }
    return NULL;
}

const char *report_name(size_t index)
{
    return index < report_count ? reports[index]->name : NULL;
}
