/* SPDX-License-Identifier: MIT */
/*
 * The Range header (RFC 9110 14): one range of bytes. Several ranges in one
 * request are answered with the whole file, as 14.2 allows.
 */
#pragma once

#include "slice.h"

enum range_verdict {
    RANGE_NONE,         /* absent, malformed or plural: send everything */
    RANGE_SATISFIABLE,  /* 206 */
    RANGE_UNSATISFIABLE /* 416 */
};

/* On RANGE_SATISFIABLE `*first` <= `*last` < `size`. */
enum range_verdict range_parse(struct slice header, uint64_t size,
                               uint64_t *first, uint64_t *last);
