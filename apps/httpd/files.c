/* SPDX-License-Identifier: MIT */
/*
 * Static files: index pages, folders redirected to their slash, validators,
 * one range (RFC 9110 13 and 14). No listings, no hidden files, and nothing
 * but regular files: opening a pipe must not stop the server.
 */
#include "files.h"

#include "limits.h"
#include "mime.h"
#include "prepared.h"
#include "range.h"
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char root[ROOT_LIMIT];
static bool has_root;
static uint64_t started; /* ns of the wall clock */

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* At the module's root these are the system's and configuration, no site. */
static bool is_system_name(const char *name)
{
    return name[0] == '.' || strcmp(name, "proc") == 0 ||
           strcmp(name, "dev") == 0 || strcmp(name, "etc") == 0;
}

static bool has_site(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_found = false;

    if (!folder)
        return false;
    while (!is_found && (entry = readdir(folder)))
        is_found = !is_system_name(entry->d_name);
    closedir(folder);
    return is_found;
}

bool files_init(const char *wanted)
{
    struct timespec now;
    size_t length;

    clock_gettime(CLOCK_REALTIME, &now);
    started =
        (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
    if (wanted) {
        if (!is_folder(wanted))
            return false;
    } else if (is_folder("/www")) {
        wanted = "/www";
    } else if (is_folder("/proc/ferrule") && has_site("/")) {
        wanted = "/";
    } else {
        return true;
    }
    snprintf(root, sizeof(root), "%s", wanted);
    length = strlen(root);
    while (length > 0 && root[length - 1] == '/')
        root[--length] = '\0';
    has_root = true;
    return true;
}

const char *files_root(void)
{
    if (!has_root)
        return NULL;
    return root[0] ? root : "/";
}

/* A folder that is the whole system also holds what is not a site. */
static bool is_system_path(const char *path)
{
    char first[8] = "";

    if (root[0])
        return false;
    for (size_t i = 0;
         i + 1 < sizeof(first) && path[1 + i] != '\0' && path[1 + i] != '/';
         i++)
        first[i] = path[1 + i];
    return is_system_name(first);
}

static void answer_open_error(struct response *response)
{
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG ||
        errno == ELOOP)
        response_set_error(response, 404, "There is no such page here.");
    else if (errno == EACCES || errno == EPERM)
        response_set_error(response, 403, "This file may not be read.");
    else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
        response_set_error(response, 503, "Too many files are open.");
    else
        response_set_error(response, 500, "This file cannot be opened.");
}

static void redirect_to_folder(const struct request *request, const char *path,
                               struct response *response)
{
    static char location[LOCATION_LIMIT];
    struct text text;

    /* Made from the decoded and normalised path, which begins with exactly
     * one slash: "//host" can not become a redirect to another host. */
    if (!target_encode(path, location, sizeof(location))) {
        response_set_error(response, 414, "The path is too long.");
        return;
    }
    text = text_fixed(location, sizeof(location) - 1);
    text.length = strlen(location);
    text_add(&text, "/");
    text_add_slice(&text, request->query);
    if (text.is_cut) {
        response_set_error(response, 414, "The path is too long.");
        return;
    }
    location[text.length] = '\0';
    response_set_error(response, 301, "This folder's address ends in a slash.");
    response->location = location;
}

static void select_range(const struct request *request, time_t now,
                         struct response *response)
{
    struct body *body = &response->body;
    enum range_verdict verdict = RANGE_NONE;

    response->total = body->remaining;
    if (request->method == METHOD_GET && request->range.length > 0 &&
        conditional_allows_range(request, &response->validators, now))
        verdict = range_parse(request->range, body->remaining, &response->first,
                              &response->last);
    if (verdict == RANGE_UNSATISFIABLE) {
        response_set_error(response, 416, "The file is shorter than that.");
    } else if (verdict == RANGE_SATISFIABLE) {
        response->status = 206;
        body->offset = response->first;
        body->remaining = response->last - response->first + 1;
    }
}

/* An archive packed without times changes only between two runs. */
static uint64_t version_of(const struct stat *status)
{
    return status->st_mtime ? (uint64_t)status->st_mtime : started;
}

/* Takes the open descriptor. */
static void answer_opened(const struct request *request, int file,
                          const struct stat *status, time_t now,
                          struct response *response)
{
    int verdict;

    response->status = 200;
    response->validators.modified = status->st_mtime;
    response->body = (struct body){.kind = BODY_FILE,
                                   .file = file,
                                   .remaining = (uint64_t)status->st_size};
    etag_from_file((uint64_t)status->st_size, version_of(status),
                   response->validators.etag);
    verdict = conditional_check(request, &response->validators, now);
    if (verdict == 412) {
        response_set_error(response, 412, "The file has changed.");
    } else if (verdict == 304) {
        body_release(&response->body);
        response->status = 304;
        response->type = NULL;
    } else {
        select_range(request, now, response);
    }
}

static void answer_name(const struct request *request, const char *path,
                        const char *name, time_t now, struct response *response)
{
    struct stat status = {.st_mode = 0};
    int file = open(name, O_RDONLY | O_NONBLOCK);

    if (file < 0 && errno != EISDIR) {
        answer_open_error(response);
        return;
    }
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        bool is_directory = file < 0 || S_ISDIR(status.st_mode);

        if (file >= 0)
            close(file);
        if (is_directory && path[strlen(path) - 1] != '/')
            redirect_to_folder(request, path, response);
        else
            response_set_error(response, 403, "This is not a file.");
        return;
    }
    response->type = mime_from_path(name);
    answer_opened(request, file, &status, now, response);
    prepared_keep(request, name, response, now);
}

void files_answer(const struct request *request, const char *path, time_t now,
                  struct response *response)
{
    static char name[PATH_LIMIT];
    size_t length = strlen(path);
    bool is_index = path[length - 1] == '/';
    int written = snprintf(name, sizeof(name), "%s%s%s", root, path,
                           is_index ? "index.html" : "");

    if (is_system_path(path) || target_is_hidden(path) || written < 0 ||
        (size_t)written >= sizeof(name)) {
        response_set_error(response, 404, "There is no such page here.");
        return;
    }
    answer_name(request, path, name, now, response);
    if (!is_index || response->status != 404)
        return;
    name[(size_t)written - strlen("index.html")] = '\0';
    if (is_folder(name))
        response_set_error(response, 403, "This folder has no index page.");
}
