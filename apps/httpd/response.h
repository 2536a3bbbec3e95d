/* SPDX-License-Identifier: MIT */
/* A response before it is sent: what the head will say, and the body. */
#pragma once

#include "conditional.h"
#include "request.h"
#include "text.h"

enum body_kind {
    BODY_NONE,
    BODY_MEMORY, /* bytes that stay; or, if shorter than 1 KiB, may change */
    BODY_OWNED,  /* bytes from malloc, freed with the body */
    BODY_FILE    /* an open descriptor, closed with the body */
};

struct body {
    enum body_kind kind;
    int file;
    char *owned;
    const char *bytes;
    uint64_t offset;    /* of the next byte to send */
    uint64_t remaining; /* to send */
};

struct response {
    int status;
    const char *type;             /* NULL: no Content-Type */
    const char *location;         /* of a redirect */
    const char *problem;          /* for the page of an error */
    const char *extra;            /* whole header lines, or NULL */
    uint64_t first, last;         /* of a 206 */
    uint64_t total;               /* of a 206 or 416 */
    struct validators validators; /* etag "" and modified 0: none */
    struct body body;
    bool is_closing;
};

void body_release(struct body *body);
/* A response with a small page about `status`. */
void response_set_error(struct response *response, int status,
                        const char *problem);
/* The lines about the representation, from Content-Type on: they stay the same
 * as long as the file does, and the calendar is not set anew. */
void response_write_lines(struct text *out, const struct response *response,
                          time_t now);
/* Of a 200 for a kept representation; see prepared.h. */
void response_write_prepared_head(struct text *out, struct slice lines,
                                  bool is_closing, unsigned minor, time_t now);
/* `minor` is that of the request. */
void response_write_head(struct text *out, const struct response *response,
                         unsigned minor, time_t now);
