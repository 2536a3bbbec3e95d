/* SPDX-License-Identifier: MIT */
/*
 * Answers that need no thought: small files that cannot change (they lie in a
 * read-only file system, as ferrule's module is) and were asked for before.
 * Kept are the open file and the header lines that are the same every time.
 */
#pragma once

#include "response.h"

enum { PREPARED_PATH = 96, PREPARED_LINES = 256, PREPARED_BODY = 4096 };

struct prepared {
    char path[PREPARED_PATH]; /* as clients write it, still escaped */
    uint16_t path_length;     /* 0: a free place */
    uint16_t lines_length;
    uint16_t length; /* of the body */
    int file;
    char lines[PREPARED_LINES];
};

/* NULL if the request must be answered with thought: not a plain GET, or for
 * what has not been kept. */
const struct prepared *prepared_find(const struct request *request);
/* Keeps the answer to `request`, a whole file just opened by `name`, if it is
 * fit to be kept. It may take the place of another. */
void prepared_keep(const struct request *request, const char *name,
                   const struct response *response, time_t now);
