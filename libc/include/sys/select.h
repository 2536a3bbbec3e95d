/* SPDX-License-Identifier: MIT */
/*
 * select() for apps that were written for it: poll() in disguise. As
 * everywhere, a descriptor of FD_SETSIZE or more does not fit a set.
 */
#pragma once

#include <sys/time.h>
#include <sys/types.h>

#define FD_SETSIZE 1024

typedef struct {
    unsigned long bits[FD_SETSIZE / (8 * sizeof(unsigned long))];
} fd_set;

#define FD_SET(descriptor, set)                                                \
    ((set)->bits[(descriptor) / 64] |= 1UL << ((descriptor) % 64))
#define FD_CLR(descriptor, set)                                                \
    ((set)->bits[(descriptor) / 64] &= ~(1UL << ((descriptor) % 64)))
#define FD_ISSET(descriptor, set)                                              \
    (((set)->bits[(descriptor) / 64] >> ((descriptor) % 64) & 1) != 0)
#define FD_ZERO(set) ((void)(*(set) = (fd_set){{0}}))

int select(int count, fd_set *restrict readable, fd_set *restrict writable,
           fd_set *restrict exceptional, struct timeval *restrict timeout);
