/* SPDX-License-Identifier: MIT */
/*
 * Which path is what: /status, /status.json and /metrics unless switched off,
 * then files, or the built-in page when there are none.
 */
#include "content.h"

#include "files.h"
#include "limits.h"
#include "site.h"
#include "status.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

/* The page is one file: nothing may be loaded from elsewhere. */
static const char page_headers[] =
    "Cache-Control: no-cache\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; img-src data:\r\n";
static const char data_headers[] = "Cache-Control: no-store\r\n"
                                   "X-Content-Type-Options: nosniff\r\n";

static bool is_status_on;
static char page_etag[ETAG_SIZE];

void content_init(bool is_status_wanted)
{
    is_status_on = is_status_wanted;
    etag_from_bytes((const char *)site_page, site_page_length, page_etag);
    status_init();
}

static void answer_page(const struct request *request, time_t now,
                        struct response *response)
{
    int verdict;

    response->status = 200;
    response->extra = page_headers;
    memcpy(response->validators.etag, page_etag, sizeof(page_etag));
    verdict = conditional_check(request, &response->validators, now);
    if (verdict == 304) {
        response->status = 304;
        return;
    }
    if (verdict == 412) {
        response_set_error(response, 412, "The page has changed.");
        return;
    }
    response->type = "text/html; charset=utf-8";
    response->body = (struct body){.kind = BODY_MEMORY,
                                   .bytes = (const char *)site_page,
                                   .remaining = site_page_length};
}

static void answer_data(struct response *response, const char *type,
                        void (*write)(struct text *out))
{
    struct text text = text_growing();

    write(&text);
    if (text.is_cut) {
        free(text.bytes);
        response_set_error(response, 503, "Memory is short.");
        return;
    }
    response->status = 200;
    response->type = type;
    response->extra = data_headers;
    response->body = (struct body){.kind = BODY_OWNED,
                                   .owned = text.bytes,
                                   .bytes = text.bytes,
                                   .remaining = text.length};
}

static bool answer_status(const struct request *request, const char *path,
                          time_t now, struct response *response)
{
    if (strcmp(path, "/status") == 0)
        answer_page(request, now, response);
    else if (strcmp(path, "/status.json") == 0)
        answer_data(response, "application/json", status_write_json);
    else if (strcmp(path, "/metrics") == 0)
        answer_data(response, "text/plain; version=0.0.4",
                    status_write_metrics);
    else
        return false;
    return true;
}

static void answer_path(const struct request *request, const char *path,
                        time_t now, struct response *response)
{
    if (is_status_on && answer_status(request, path, now, response))
        return;
    if (files_root())
        files_answer(request, path, now, response);
    else if (strcmp(path, "/") == 0 || strcmp(path, "/index.html") == 0)
        answer_page(request, now, response);
    else
        response_set_error(response, 404, "There is no such page here.");
}

void content_answer(const struct request *request, time_t now,
                    struct response *response)
{
    static char path[TARGET_LIMIT + 2];

    if (request->method == METHOD_OTHER)
        response_set_error(response, 405, "Pages can only be read here.");
    else if (request->method == METHOD_OPTIONS)
        response->status = 204;
    else if (!target_decode(request->path, path, sizeof(path)))
        response_set_error(response, 400, "The path is malformed.");
    else
        answer_path(request, path, now, response);
}
