/* SPDX-License-Identifier: MIT */
/*
 * Byte ranges by RFC 9110 14.1.2: "first-last", "first-" and "-suffix".
 * Anything that does not parse is as if it were absent (14.2).
 */
#include "range.h"

#include <string.h>

enum range_verdict range_parse(struct slice header, uint64_t size,
                               uint64_t *first, uint64_t *last)
{
    struct slice from;
    struct slice to;
    const char *dash;

    if (header.length < 6 ||
        !slice_equals_ignoring_case((struct slice){header.bytes, 6}, "bytes="))
        return RANGE_NONE;
    header = slice_trim((struct slice){header.bytes + 6, header.length - 6});
    dash = memchr(header.bytes, '-', header.length);
    if (!dash)
        return RANGE_NONE;
    from = (struct slice){header.bytes, (size_t)(dash - header.bytes)};
    to = (struct slice){dash + 1, header.length - from.length - 1};
    if (from.length == 0) {
        if (!slice_to_number(to, last))
            return RANGE_NONE;
        if (*last == 0)
            return RANGE_UNSATISFIABLE;
        if (size == 0)
            return RANGE_NONE; /* the whole, with no byte to be named */
        *first = *last < size ? size - *last : 0;
        *last = size - 1;
        return RANGE_SATISFIABLE;
    }
    if (!slice_to_number(from, first))
        return RANGE_NONE;
    *last = UINT64_MAX;
    if (to.length > 0 && (!slice_to_number(to, last) || *last < *first))
        return RANGE_NONE;
    if (*first >= size)
        return RANGE_UNSATISFIABLE;
    if (*last >= size)
        *last = size - 1;
    return RANGE_SATISFIABLE;
}
