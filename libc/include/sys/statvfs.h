/* SPDX-License-Identifier: MIT */
/*
 * What a file lies in: the module and the reports, neither of which a program
 * can write files to.
 */
#pragma once

#include <sys/types.h>

#define ST_RDONLY 1
#define ST_NOSUID 2

struct statvfs {
    unsigned long f_bsize;
    unsigned long f_frsize;
    unsigned long f_flag;
    unsigned long f_namemax;
};

/* Of a file whose bytes stay as they are, f_flag has ST_RDONLY; a report's
 * are new at each opening, so it has not. */
int fstatvfs(int descriptor, struct statvfs *status);
