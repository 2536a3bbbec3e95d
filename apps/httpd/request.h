/* SPDX-License-Identifier: MIT */
/*
 * The head of an HTTP/1.x request: from bytes to a checked struct. Pure: no
 * state, no time, no I/O, and nothing copied; the slices point into the bytes
 * that were parsed.
 */
#pragma once

#include "slice.h"

enum method {
    METHOD_UNKNOWN, /* not a method of RFC 9110: 501 */
    METHOD_GET,
    METHOD_HEAD,
    METHOD_OPTIONS,
    METHOD_OTHER /* known to the world, not allowed here: 405 */
};

struct request {
    enum method method;
    unsigned minor;      /* HTTP/1.<minor>, at most 1 */
    struct slice line;   /* the request line, for the log */
    struct slice target; /* as sent */
    struct slice path;   /* origin form, still escaped, without query */
    struct slice query;  /* with its question mark; may be empty */
    struct slice host;
    struct slice range;
    struct slice if_range;
    struct slice if_match;
    struct slice if_none_match;
    struct slice if_modified_since;
    struct slice if_unmodified_since;
    uint64_t content_length; /* 0: no body */
    bool is_kept_alive;
    bool is_conditional; /* has Range or a condition, even one ignored */
    bool expects_continue;
    const char *problem; /* why it was refused, for people */
};

enum head_state { HEAD_INCOMPLETE, HEAD_COMPLETE, HEAD_MALFORMED };

/* Looks for the empty line that ends a head. `*scanned` bytes have been seen
 * by earlier calls (0 at first); when complete it is the head's length.
 * Malformed as soon as a line does not end with CR LF or the first byte
 * cannot begin a method. */
enum head_state request_find_end(const char *bytes, size_t length,
                                 size_t *scanned);
/* Parses one complete head. Returns 0, or the status to refuse it with; the
 * connection must then be closed, as where the next request begins is not
 * known. */
int request_parse(struct request *request, const char *head, size_t length);
