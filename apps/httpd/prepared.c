/* SPDX-License-Identifier: MIT */
/*
 * A table with one place for each value of a small hash. What collides takes
 * turns; paths that lead to no file never come in, so that a client can at
 * most make the server as slow as it would be without.
 */
#include "prepared.h"

#include "clock.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PLACES = 32 };

static struct prepared places[PLACES];

static struct prepared *place_of(struct slice path)
{
    unsigned hash = (unsigned)path.length;

    for (size_t i = path.length > 8 ? path.length - 8 : 0; i < path.length; i++)
        hash = hash * 31 + (unsigned char)path.bytes[i];
    return &places[hash % PLACES];
}

static bool is_plain(const struct request *request)
{
    return request->method == METHOD_GET && !request->is_conditional;
}

const struct prepared *prepared_find(const struct request *request)
{
    const struct prepared *place = place_of(request->path);

    if (place->path_length == 0 || !is_plain(request) ||
        place->path_length != request->path.length ||
        memcmp(place->path, request->path.bytes, place->path_length) != 0)
        return NULL;
    return place;
}

/* Opens the file a second time: the first opening ends with its response. */
static int open_unchanging(const char *name)
{
    struct statvfs system;
    int file = open(name, O_RDONLY | O_NONBLOCK);

    if (file < 0)
        return -1;
    if (fstatvfs(file, &system) == 0 && (system.f_flag & ST_RDONLY) != 0)
        return file;
    close(file);
    return -1;
}

void prepared_keep(const struct request *request, const char *name,
                   const struct response *response, time_t now)
{
    struct prepared *place = place_of(request->path);
    struct text lines = text_fixed(place->lines, sizeof(place->lines));
    int file;

    /* Whether Last-Modified is sent may change when the clock is set. */
    if (!is_plain(request) || response->status != 200 ||
        request->path.length == 0 || request->path.length > PREPARED_PATH ||
        response->body.remaining > PREPARED_BODY || !clock_is_set(now) ||
        response->validators.modified > now)
        return;
    file = open_unchanging(name);
    if (file < 0)
        return;
    if (place->path_length > 0)
        close(place->file);
    place->path_length = 0;
    response_write_lines(&lines, response, now);
    if (lines.is_cut) {
        close(file);
        return;
    }
    memcpy(place->path, request->path.bytes, request->path.length);
    place->path_length = (uint16_t)request->path.length;
    place->lines_length = (uint16_t)lines.length;
    place->length = (uint16_t)response->body.remaining;
    place->file = file;
}
