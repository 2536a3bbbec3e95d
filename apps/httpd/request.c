/* SPDX-License-Identifier: MIT */
/*
 * Request heads by RFC 9112 sections 2 to 6 and RFC 9110. Strict where two
 * parsers could disagree about where a message ends (request smuggling): bare
 * CR or LF, folded lines, blanks around a header's name, repeated or listed
 * Content-Length, any Transfer-Encoding: all refused. Left out: chunked
 * request bodies (411), as no resource here takes a body.
 */
#include "request.h"

#include "limits.h"

#include <string.h>

/* What a byte may be part of. Every byte of a head is looked up here, so it is
 * a table: four comparisons a byte were a tenth of a request's time. */
enum {
    TOKEN = 1,  /* RFC 9110 5.6.2: names of methods and headers */
    TARGET = 2, /* no blank, control byte or fragment */
    HOST = 4,   /* RFC 9110 7.2, or at least nothing that could mislead */
    VALUE = 8,  /* RFC 9110 5.5, without control bytes */
    MARK = TARGET | VALUE,
    NAME = TOKEN | TARGET | HOST | VALUE,
    TOKEN_MARK = TOKEN | TARGET | VALUE,
    HOST_MARK = TARGET | HOST | VALUE,
};

static const uint8_t classes[256] = {
    ['\t'] = VALUE,    [' '] = VALUE,          ['!'] = NAME,
    ['"'] = MARK,      ['#'] = TOKEN | VALUE,  ['$' ... '\''] = NAME,
    ['('] = HOST_MARK, [')'] = HOST_MARK,      ['*'] = NAME,
    ['+'] = NAME,      [','] = HOST_MARK,      ['-'] = NAME,
    ['.'] = NAME,      ['/'] = MARK,           ['0' ... '9'] = NAME,
    [':'] = HOST_MARK, [';'] = HOST_MARK,      ['<'] = MARK,
    ['='] = HOST_MARK, ['>'] = MARK,           ['?'] = MARK,
    ['@'] = MARK,      ['A' ... 'Z'] = NAME,   ['['] = HOST_MARK,
    ['\\'] = MARK,     [']'] = HOST_MARK,      ['^'] = TOKEN_MARK,
    ['_'] = NAME,      ['`'] = TOKEN_MARK,     ['a' ... 'z'] = NAME,
    ['{'] = MARK,      ['|'] = TOKEN_MARK,     ['}'] = MARK,
    ['~'] = NAME,      [0x80 ... 0xff] = MARK,
};

static bool is_all(struct slice a, unsigned class)
{
    for (size_t i = 0; i < a.length; i++) {
        if ((classes[(unsigned char)a.bytes[i]] & class) == 0)
            return false;
    }
    return true;
}

static bool is_token(struct slice a)
{
    return a.length > 0 && is_all(a, TOKEN);
}

enum head_state request_find_end(const char *bytes, size_t length,
                                 size_t *scanned)
{
    size_t position = *scanned;

    if (length > 0 && (classes[(unsigned char)bytes[0]] & TOKEN) == 0)
        return HEAD_MALFORMED;
    while (position < length) {
        const char *feed = memchr(bytes + position, '\n', length - position);
        size_t end;

        if (!feed)
            break;
        end = (size_t)(feed - bytes);
        if (end == 0 || bytes[end - 1] != '\r')
            return HEAD_MALFORMED;
        *scanned = end + 1;
        if (end >= 3 && bytes[end - 2] == '\n')
            return HEAD_COMPLETE;
        position = end + 1;
    }
    *scanned = length;
    return HEAD_INCOMPLETE;
}

static int refuse(struct request *request, int status, const char *problem)
{
    request->problem = problem;
    return status;
}

static enum method method_from(struct slice name)
{
    static const char *const others[] = {"POST",  "PUT",     "DELETE",  "PATCH",
                                         "TRACE", "CONNECT", "PROPFIND"};

    if (slice_equals(name, "GET"))
        return METHOD_GET;
    if (slice_equals(name, "HEAD"))
        return METHOD_HEAD;
    if (slice_equals(name, "OPTIONS"))
        return METHOD_OPTIONS;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (slice_equals(name, others[i]))
            return METHOD_OTHER;
    }
    return METHOD_UNKNOWN;
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* RFC 9112 2.3: "HTTP/" digit "." digit. A higher minor version is answered
 * as 1.1, another major one refused. */
static int parse_version(struct request *request, struct slice version)
{
    if (version.length != 8 || !slice_starts_with(version, "HTTP/") ||
        !is_digit(version.bytes[5]) || version.bytes[6] != '.' ||
        !is_digit(version.bytes[7]))
        return refuse(request, 400, "The request line is malformed.");
    if (version.bytes[5] != '1')
        return refuse(request, 505, "Only HTTP/1.0 and HTTP/1.1 are spoken.");
    request->minor = version.bytes[7] == '0' ? 0 : 1;
    return 0;
}

/* Finds path and query in the origin form, the absolute form, or "*". */
static int parse_target(struct request *request)
{
    struct slice rest = request->target;
    const char *mark;

    if (!is_all(rest, TARGET))
        return refuse(request, 400, "The target has forbidden bytes.");
    if (request->method == METHOD_OPTIONS && slice_equals(rest, "*")) {
        request->path = rest;
        request->query = (struct slice){rest.bytes + 1, 0};
        return 0;
    }
    if (request->method == METHOD_OTHER && rest.bytes[0] != '/')
        return 0; /* CONNECT host:port; answered 405 without a path */
    if (rest.length >= 7 &&
        slice_equals_ignoring_case((struct slice){rest.bytes, 7}, "http://")) {
        size_t skipped = 7;

        while (skipped < rest.length && rest.bytes[skipped] != '/' &&
               rest.bytes[skipped] != '?')
            skipped++;
        if (skipped == 7)
            return refuse(request, 400, "The target names no host.");
        rest.bytes += skipped;
        rest.length -= skipped;
    } else if (rest.bytes[0] != '/') {
        return refuse(request, 400, "The target does not begin with a slash.");
    }
    mark = memchr(rest.bytes, '?', rest.length);
    request->path = rest;
    if (mark)
        request->path.length = (size_t)(mark - rest.bytes);
    request->query.bytes = rest.bytes + request->path.length;
    request->query.length = rest.length - request->path.length;
    return 0;
}

static int parse_request_line(struct request *request, struct slice line)
{
    const char *first = memchr(line.bytes, ' ', line.length);
    const char *second;
    const char *end = line.bytes + line.length;
    struct slice method;
    int status;

    if (!first)
        return refuse(request, 400, "The request line is malformed.");
    method = (struct slice){line.bytes, (size_t)(first - line.bytes)};
    second = memchr(first + 1, ' ', (size_t)(end - first - 1));
    if (!is_token(method) || !second || second == first + 1)
        return refuse(request, 400, "The request line is malformed.");
    request->method = method_from(method);
    request->target = (struct slice){first + 1, (size_t)(second - first - 1)};
    status = parse_version(
        request, (struct slice){second + 1, (size_t)(end - second - 1)});
    if (status != 0)
        return status;
    if (request->target.length > TARGET_LIMIT)
        return refuse(request, 414, "The target is too long.");
    if (request->method == METHOD_UNKNOWN)
        return refuse(request, 501, "This method is not known here.");
    return parse_target(request);
}

static int parse_content_length(struct request *request, struct slice value)
{
    if (!slice_to_number(value, &request->content_length))
        return refuse(request, 400, "Content-Length is not a number.");
    return 0;
}

static int parse_transfer_encoding(struct request *request, struct slice value)
{
    if (request->minor == 0)
        return refuse(request, 400, "HTTP/1.0 has no Transfer-Encoding.");
    if (slice_equals_ignoring_case(value, "chunked"))
        return refuse(request, 411, "A body needs a Content-Length.");
    return refuse(request, 501, "This Transfer-Encoding is not known here.");
}

static int parse_expect(struct request *request, struct slice value)
{
    if (request->minor == 0)
        return 0; /* RFC 9110 10.1.1: an HTTP/1.0 expectation is ignored */
    if (!slice_equals_ignoring_case(value, "100-continue"))
        return refuse(request, 417, "Only 100-continue can be expected.");
    request->expects_continue = true;
    return 0;
}

/* RFC 9112 3.2: digits behind the last colon, unless that is inside of the
 * brackets of an IPv6 address. */
static bool is_port_good(struct slice value)
{
    const char *end = value.bytes + value.length;
    const char *at = end;

    while (at > value.bytes && (unsigned)(at[-1] - '0') < 10)
        at--;
    return at == value.bytes || at[-1] == ':' || end[-1] == ']' ||
           memchr(value.bytes, ':', value.length) == NULL;
}

/* What could not be part of a host or a port is refused, so that no log or
 * proxy is misled. */
static int parse_host(struct request *request, struct slice value)
{
    if (request->host.bytes)
        return refuse(request, 400, "There is more than one Host.");
    if (!is_all(value, HOST) || !is_port_good(value))
        return refuse(request, 400, "Host is malformed.");
    request->host = value;
    return 0;
}

/* RFC 9112 9.3; "close" wins over anything else that is said. */
static void parse_connection(struct request *request, struct slice value,
                             bool *is_closed)
{
    struct slice option;

    while (slice_next_element(&value, &option)) {
        if (slice_equals_ignoring_case(option, "close"))
            *is_closed = true;
        else if (slice_equals_ignoring_case(option, "keep-alive"))
            request->is_kept_alive = true;
    }
}

/* What the headers seen so far add up to, needed only while parsing. */
struct header_state {
    unsigned count;
    bool has_length;
    bool has_coding;
    bool is_closed;
    struct slice coding;
    unsigned repeated; /* a bit per conditional header met more than once */
};

/* The headers that select a representation. One that is repeated is ignored:
 * then the whole file is sent, which is always a right answer. */
static void note_condition(struct request *request, struct slice name,
                           struct slice value, struct header_state *state)
{
    const struct {
        const char *name;
        struct slice *slot;
    } conditions[] = {
        {"range", &request->range},
        {"if-range", &request->if_range},
        {"if-match", &request->if_match},
        {"if-none-match", &request->if_none_match},
        {"if-modified-since", &request->if_modified_since},
        {"if-unmodified-since", &request->if_unmodified_since},
    };

    for (unsigned i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (!slice_equals_ignoring_case(name, conditions[i].name))
            continue;
        if (conditions[i].slot->bytes)
            state->repeated |= 1U << i;
        *conditions[i].slot = value;
        request->is_conditional = true;
        if (state->repeated & 1U << i)
            conditions[i].slot->length = 0;
    }
}

static int take_header(struct request *request, struct slice name,
                       struct slice value, struct header_state *state)
{
    if (slice_equals_ignoring_case(name, "content-length")) {
        if (state->has_length)
            return refuse(request, 400, "There is more than one length.");
        state->has_length = true;
        return parse_content_length(request, value);
    }
    if (slice_equals_ignoring_case(name, "transfer-encoding")) {
        if (state->has_coding)
            return refuse(request, 400, "There is more than one coding.");
        state->has_coding = true;
        state->coding = value;
        return 0; /* judged when all headers are known */
    }
    if (slice_equals_ignoring_case(name, "host"))
        return parse_host(request, value);
    if (slice_equals_ignoring_case(name, "expect"))
        return parse_expect(request, value);
    if (slice_equals_ignoring_case(name, "connection"))
        parse_connection(request, value, &state->is_closed);
    else
        note_condition(request, name, value, state);
    return 0;
}

/* RFC 9112 5: no blank before the colon, no folding, no control bytes. */
static int parse_header(struct request *request, struct slice line,
                        struct header_state *state)
{
    const char *colon = memchr(line.bytes, ':', line.length);
    struct slice name;
    struct slice value;

    if (++state->count > HEADER_COUNT_LIMIT)
        return refuse(request, 431, "There are too many headers.");
    if (!colon)
        return refuse(request, 400, "A header has no colon.");
    name = (struct slice){line.bytes, (size_t)(colon - line.bytes)};
    if (!is_token(name))
        return refuse(request, 400, "A header's name is malformed.");
    value =
        slice_trim((struct slice){colon + 1, line.length - name.length - 1});
    if (!is_all(value, VALUE))
        return refuse(request, 400, "A header has control bytes.");
    return take_header(request, name, value, state);
}

/* What can only be judged when every header is known. */
static int check_whole(struct request *request,
                       const struct header_state *state)
{
    if (state->has_coding && state->has_length)
        return refuse(request, 400, "Both a length and a coding are given.");
    if (state->has_coding)
        return parse_transfer_encoding(request, state->coding);
    if (!request->host.bytes && request->minor >= 1)
        return refuse(request, 400, "HTTP/1.1 needs a Host.");
    if (request->content_length > REQUEST_BODY_LIMIT)
        return refuse(request, 413, "The body is too large.");
    if (state->is_closed)
        request->is_kept_alive = false;
    else if (request->minor >= 1)
        request->is_kept_alive = true;
    if (request->content_length == 0)
        request->expects_continue = false;
    return 0;
}

int request_parse(struct request *request, const char *head, size_t length)
{
    struct header_state state = {0};
    const char *end = head + length;
    const char *at = head;

    memset(request, 0, sizeof(*request));
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        struct slice line;
        int status;

        if (!feed || feed == at || feed[-1] != '\r')
            return refuse(request, 400, "A line does not end with CR LF.");
        line = (struct slice){at, (size_t)(feed - at) - 1};
        if (line.length == 0 && at != head)
            break;
        if (at == head)
            request->line = line;
        status = at == head ? parse_request_line(request, line)
                            : parse_header(request, line, &state);
        if (status != 0)
            return status;
        at = feed + 1;
    }
    return check_whole(request, &state);
}
