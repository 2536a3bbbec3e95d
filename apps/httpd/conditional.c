/* SPDX-License-Identifier: MIT */
/*
 * Entity tags and preconditions, RFC 9110 8.8.3 and 13. Only GET and HEAD
 * come here. A date that does not parse is as if its header were absent.
 */
#include "conditional.h"

#include "date.h"

#include <stdio.h>
#include <string.h>

void etag_from_file(uint64_t size, uint64_t version, char etag[ETAG_SIZE])
{
    snprintf(etag, ETAG_SIZE, "\"%llx-%llx\"", (unsigned long long)version,
             (unsigned long long)size);
}

void etag_from_bytes(const char *bytes, size_t length, char etag[ETAG_SIZE])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, 64 bits */

    for (size_t i = 0; i < length; i++) {
        hash ^= (unsigned char)bytes[i];
        hash *= UINT64_C(0x100000001b3);
    }
    snprintf(etag, ETAG_SIZE, "\"%llx\"", (unsigned long long)hash);
}

/* Takes one `W/"..."` or `"..."` with its comma off the front. The tag is
 * returned with its quotes and without the W/. */
static bool take_tag(struct slice *list, struct slice *tag, bool *is_weak)
{
    const char *quote;

    while (list->length > 0 && strchr(", \t", list->bytes[0])) {
        list->bytes++;
        list->length--;
    }
    *is_weak = slice_starts_with(*list, "W/");
    if (*is_weak) {
        list->bytes += 2;
        list->length -= 2;
    }
    if (list->length < 2 || list->bytes[0] != '"')
        return false;
    quote = memchr(list->bytes + 1, '"', list->length - 1);
    if (!quote)
        return false;
    *tag = (struct slice){list->bytes, (size_t)(quote + 1 - list->bytes)};
    list->bytes += tag->length;
    list->length -= tag->length;
    return true;
}

bool etag_list_has(struct slice list, const char *etag, bool is_weak_allowed)
{
    struct slice tag;
    bool is_weak;

    if (slice_equals(slice_trim(list), "*"))
        return true;
    while (take_tag(&list, &tag, &is_weak)) {
        if (slice_equals(tag, etag) && (is_weak_allowed || !is_weak))
            return true;
    }
    return false;
}

int conditional_check(const struct request *request,
                      const struct validators *validators, time_t now)
{
    time_t date;

    if (request->if_match.length > 0) {
        if (!etag_list_has(request->if_match, validators->etag, false))
            return 412;
    } else if (request->if_unmodified_since.length > 0 &&
               validators->modified != 0 &&
               date_parse(request->if_unmodified_since, now, &date) &&
               validators->modified > date) {
        return 412;
    }
    if (request->if_none_match.length > 0) {
        if (etag_list_has(request->if_none_match, validators->etag, true))
            return 304;
    } else if (request->if_modified_since.length > 0 &&
               validators->modified != 0 &&
               date_parse(request->if_modified_since, now, &date) &&
               validators->modified <= date) {
        return 304;
    }
    return 0;
}

bool conditional_allows_range(const struct request *request,
                              const struct validators *validators, time_t now)
{
    struct slice condition = request->if_range;
    time_t date;

    if (condition.bytes == NULL)
        return true;
    if (condition.length > 0 && condition.bytes[0] == '"')
        return slice_equals(condition, validators->etag);
    /* RFC 9110 13.1.5: an exact match, as a date is a weak validator. */
    return validators->modified != 0 && date_parse(condition, now, &date) &&
           date == validators->modified;
}
