/* SPDX-License-Identifier: MIT */
/*
 * Bytes from a client through httpd's pure parts: the end of the head, the
 * head, the path, ranges, conditions. Besides memory errors it looks for
 * broken promises: slices outside of the head, a path that leaves the root,
 * a range beyond the end, a head that depends on how it was split.
 * test-links: apps/httpd/request.c apps/httpd/target.c
 * test-links: apps/httpd/conditional.c apps/httpd/date.c apps/httpd/range.c
 * test-links: apps/httpd/slice.c
 */
#include "apps/httpd/conditional.h"
#include "apps/httpd/range.h"
#include "apps/httpd/request.h"
#include "apps/httpd/target.h"

#include <stdlib.h>
#include <string.h>

static void check(bool claim)
{
    if (!claim)
        abort();
}

static void check_inside(struct slice part, const char *head, size_t length)
{
    check(!part.bytes || (part.bytes >= head && part.length <= length &&
                          (size_t)(part.bytes - head) <= length - part.length));
}

static void check_path(struct slice escaped)
{
    char path[256];
    char again[1024];
    char twice[256];

    if (!target_decode(escaped, path, sizeof(path)))
        return;
    check(path[0] == '/' && strlen(path) < sizeof(path));
    check(!strstr(path, "/../") && !strstr(path, "//") && !strstr(path, "/./"));
    check(strlen(path) < 3 || strcmp(path + strlen(path) - 3, "/..") != 0);
    target_is_hidden(path);
    check(target_encode(path, again, sizeof(again)));
    check(target_decode(slice_from(again), twice, sizeof(twice)));
    check(strcmp(path, twice) == 0);
}

static void check_conditions(const struct request *request, size_t size)
{
    struct validators validators = {"\"5f-1\"", 784111777};
    uint64_t first = 0;
    uint64_t last = 0;
    int status = conditional_check(request, &validators, 1795000000);

    check(status == 0 || status == 304 || status == 412);
    conditional_allows_range(request, &validators, 1795000000);
    if (request->range.bytes &&
        range_parse(request->range, size, &first, &last) == RANGE_SATISFIABLE)
        check(first <= last && last < size);
}

static void check_head(const char *head, size_t length)
{
    struct request request;
    int status = request_parse(&request, head, length);

    check_inside(request.line, head, length);
    check_inside(request.target, head, length);
    if (status != 0) {
        check(status >= 400 && status <= 505 && request.problem);
        return;
    }
    check(request.method != METHOD_UNKNOWN && request.minor <= 1);
    check_inside(request.path, head, length);
    check_inside(request.query, head, length);
    check_inside(request.range, head, length);
    check_inside(request.if_none_match, head, length);
    if (request.path.bytes)
        check_path(request.path);
    check_conditions(&request, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    size_t scanned = 0;
    size_t whole = 0;
    enum head_state state = HEAD_INCOMPLETE;
    char *head;

    if (size > 8192)
        return 0;
    for (size_t length = 1; length <= size && state == HEAD_INCOMPLETE;
         length += 1 + length / 4)
        state = request_find_end(bytes, length, &scanned);
    if (state == HEAD_INCOMPLETE)
        state = request_find_end(bytes, size, &scanned);
    check(request_find_end(bytes, size, &whole) == state ||
          state == HEAD_COMPLETE);
    if (state != HEAD_COMPLETE)
        return 0;
    check(whole == scanned && scanned <= size);
    head = malloc(scanned);
    memcpy(head, bytes, scanned);
    check_head(head, scanned);
    free(head);
    return 0;
}
