/* SPDX-License-Identifier: MIT */
/*
 * Where a path leads: to a file or directory of the module, or to a report.
 * The tree is the module's with /proc/ferrule beside it.
 */
#pragma once

#include "kernel/module.h"
#include "kernel/report.h"

#include <stddef.h>

enum {
    PATH_NAME_SIZE = 1024, /* longer paths cannot exist: -ENAMETOOLONG */
};

enum place_kind {
    PLACE_NONE,
    PLACE_FILE,
    PLACE_DIRECTORY,
    PLACE_REPORT,
};

struct place {
    enum place_kind kind;
    const struct module_file *entry; /* NULL for a report and for directories
                                        the archive only implies */
    const struct report *report;
    char name[PATH_NAME_SIZE]; /* absolute, without the leading "/" */
};

/* Follows `path` from the current directory. 0; -ENOENT, -ENOTDIR, or
 * -ENAMETOOLONG. */
int path_find(const char *path, struct place *place);

/* 0, or as above. */
int path_change_directory(const char *path);

/* Absolute, with the leading "/". */
const char *path_current_directory(void);
