/* SPDX-License-Identifier: MIT */
/*
 * Response heads (RFC 9112 4, RFC 9110 15) and the little page that goes with
 * an error. Every response has a length, so connections can be kept.
 */
#include "response.h"

#include "clock.h"
#include "date.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void body_release(struct body *body)
{
    if (body->kind == BODY_FILE)
        close(body->file);
    if (body->kind == BODY_OWNED)
        free(body->owned);
    *body = (struct body){.kind = BODY_NONE};
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}

void response_set_error(struct response *response, int status,
                        const char *problem)
{
    static char page[768];
    const char *reason = reason_of(status);
    int length;

    body_release(&response->body);
    length =
        snprintf(page, sizeof(page),
                 "<!doctype html><html lang=en><meta charset=utf-8>"
                 "<meta name=viewport content=\"width=device-width\">"
                 "<title>%d %s</title><style>:root{color-scheme:light dark}"
                 "body{font:1rem/1.5 system-ui,sans-serif;margin:12vh auto;"
                 "max-width:32rem;padding:0 1.25rem}h1{font-weight:600;"
                 "font-size:1.5rem}</style><h1>%d %s</h1><p>%s</p></html>\n",
                 status, reason, status, reason, problem ? problem : "");
    response->status = status;
    response->problem = problem;
    response->type = "text/html; charset=utf-8";
    response->validators = (struct validators){.modified = 0};
    response->body = (struct body){
        .kind = BODY_MEMORY, .bytes = page, .remaining = (uint64_t)length};
}

static void add_header(struct text *out, const char *name, const char *value)
{
    text_add(out, name);
    text_add(out, ": ");
    text_add(out, value);
    text_add(out, "\r\n");
}

static void write_validators(struct text *out, const struct response *response,
                             time_t now)
{
    const struct validators *validators = &response->validators;
    char date[DATE_SIZE];

    if (validators->etag[0])
        add_header(out, "ETag", validators->etag);
    /* RFC 9110 8.8.2.1: never a time that is still to come. */
    if (validators->modified != 0 &&
        (validators->modified <= now || !clock_is_set(now))) {
        date_format(validators->modified, date);
        add_header(out, "Last-Modified", date);
    }
}

static void write_range(struct text *out, const struct response *response)
{
    text_add(out, "Content-Range: bytes ");
    if (response->status == 206) {
        text_add_number(out, response->first);
        text_add(out, "-");
        text_add_number(out, response->last);
    } else {
        text_add(out, "*");
    }
    text_add(out, "/");
    text_add_number(out, response->total);
    text_add(out, "\r\n");
}

void response_write_lines(struct text *out, const struct response *response,
                          time_t now)
{
    int status = response->status;

    if (response->type)
        add_header(out, "Content-Type", response->type);
    if (status != 304 && status != 204) {
        text_add(out, "Content-Length: ");
        text_add_number(out, response->body.remaining);
        text_add(out, "\r\n");
    }
    write_validators(out, response, now);
    if (status == 206 || status == 416)
        write_range(out, response);
    if (response->body.kind == BODY_FILE)
        add_header(out, "Accept-Ranges", "bytes");
}

/* The status line, and what is said of the server and the time. */
static void write_status(struct text *out, int status, time_t now)
{
    text_add(out, "HTTP/1.1 ");
    text_add_number(out, (uint64_t)status);
    text_add(out, " ");
    text_add(out, reason_of(status));
    text_add(out, "\r\nServer: ferrule\r\n");
    if (clock_is_set(now))
        add_header(out, "Date", clock_date(now));
}

static void write_end(struct text *out, bool is_closing, unsigned minor)
{
    if (is_closing)
        add_header(out, "Connection", "close");
    else if (minor == 0)
        add_header(out, "Connection", "keep-alive");
    text_add(out, "\r\n");
}

void response_write_prepared_head(struct text *out, struct slice lines,
                                  bool is_closing, unsigned minor, time_t now)
{
    static char status[128];
    static size_t length;
    static time_t shown;

    if (now != shown) {
        struct text text = text_fixed(status, sizeof(status));

        write_status(&text, 200, now);
        length = text.length;
        shown = now;
    }
    text_add_slice(out, (struct slice){status, length});
    text_add_slice(out, lines);
    write_end(out, is_closing, minor);
}

void response_write_head(struct text *out, const struct response *response,
                         unsigned minor, time_t now)
{
    int status = response->status;

    write_status(out, status, now);
    response_write_lines(out, response, now);
    if (response->location)
        add_header(out, "Location", response->location);
    if (status == 405 || status == 204)
        add_header(out, "Allow", "GET, HEAD, OPTIONS");
    if (response->extra)
        text_add(out, response->extra);
    write_end(out, response->is_closing, minor);
}
