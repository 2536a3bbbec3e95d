/* SPDX-License-Identifier: MIT */
/* Conditional requests (RFC 9110 13): entity tags and preconditions. */
#pragma once

#include "request.h"

#include <time.h>

enum { ETAG_SIZE = 40 };

/* What a representation can be compared by. */
struct validators {
    char etag[ETAG_SIZE]; /* with its quotes */
    time_t modified;      /* 0: not known */
};

/* The tag of a file: changes with its size or its version. */
void etag_from_file(uint64_t size, uint64_t version, char etag[ETAG_SIZE]);
/* The tag of bytes in memory. */
void etag_from_bytes(const char *bytes, size_t length, char etag[ETAG_SIZE]);
/* True if the list (or "*") has the tag; weak tags count only if asked. */
bool etag_list_has(struct slice list, const char *etag, bool is_weak_allowed);
/* Evaluates the preconditions in the order of RFC 9110 13.2.2. Returns 0 to
 * go on, 304 or 412. */
int conditional_check(const struct request *request,
                      const struct validators *validators, time_t now);
/* RFC 9110 13.1.5: whether a Range may be obeyed. */
bool conditional_allows_range(const struct request *request,
                              const struct validators *validators, time_t now);
