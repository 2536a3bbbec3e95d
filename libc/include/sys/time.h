/* SPDX-License-Identifier: MIT */
/*
 * The microsecond time of old POSIX interfaces: gettimeofday and the timeout
 * options of sockets.
 */
#pragma once

#include <sys/types.h>
#include <time.h>

struct timeval {
    time_t tv_sec;
    suseconds_t tv_usec;
};

/* The zone argument is obsolete; pass NULL. */
int gettimeofday(struct timeval *restrict now, void *restrict zone);
int settimeofday(const struct timeval *now, const void *zone);
