/* SPDX-License-Identifier: MIT */
/*
 * Paths become names relative to the root by taking "." and ".." out of their
 * text; there are no links that this could get wrong. ".." stops at the root.
 */
#include "libc/system/path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define REPORTS_DIRECTORY "proc/ferrule"

static char current[PATH_NAME_SIZE]; /* absolute; "" is the root */

/* Appends one component, or takes the last one away for "..". */
static int add_component(char *name, const char *component, size_t length)
{
    size_t used = strlen(name);

    if (length == 0 || (length == 1 && component[0] == '.'))
        return 0;
    if (length == 2 && memcmp(component, "..", 2) == 0) {
        char *slash = strrchr(name, '/');

        *(slash != NULL ? slash : name) = '\0';
        return 0;
    }
    if (length + 2 > PATH_NAME_SIZE - used)
        return -ENAMETOOLONG;
    if (used > 0)
        name[used++] = '/';
    memcpy(name + used, component, length);
    name[used + length] = '\0';
    return 0;
}

static int add_components(char *name, const char *path)
{
    while (*path != '\0') {
        size_t length = strcspn(path, "/");
        int error = add_component(name, path, length);

        if (error != 0)
            return error;
        path += length;
        path += strspn(path, "/");
    }
    return 0;
}

/* True when some file's name begins with this one and a slash. */
static bool is_implied_directory(const char *name)
{
    char prefix[PATH_NAME_SIZE + 1];
    size_t length = strlen(name);
    size_t index;

    memcpy(prefix, name, length);
    memcpy(prefix + length, "/", 2);
    index = module_lower_bound(prefix);
    return index < module_count() &&
           strncmp(module_at(index)->name, prefix, length + 1) == 0;
}

static void find_name(struct place *place)
{
    static const char reports[] = REPORTS_DIRECTORY;
    size_t length = sizeof(reports) - 1;

    place->entry = NULL;
    place->report = NULL;
    place->kind = PLACE_NONE;
    if (strncmp(place->name, REPORTS_DIRECTORY "/", length + 1) == 0) {
        place->report = report_find(place->name + length + 1);
        if (place->report != NULL) {
            place->kind = PLACE_REPORT;
            return;
        }
    }
    if (place->name[0] != '\0')
        place->entry = module_find(place->name);
    if (place->entry != NULL)
        place->kind = place->entry->is_directory ? PLACE_DIRECTORY : PLACE_FILE;
    else if (place->name[0] == '\0' || strcmp(place->name, "proc") == 0 ||
             strcmp(place->name, reports) == 0 ||
             is_implied_directory(place->name))
        place->kind = PLACE_DIRECTORY;
}

/* What is missing: the thing itself, or a directory on the way to it. */
static int why_missing(struct place *place)
{
    char *slash;

    while ((slash = strrchr(place->name, '/')) != NULL) {
        *slash = '\0';
        find_name(place);
        if (place->kind == PLACE_FILE || place->kind == PLACE_REPORT)
            return -ENOTDIR;
    }
    return -ENOENT;
}

int path_find(const char *path, struct place *place)
{
    size_t length = strlen(path);
    int error = 0;

    place->kind = PLACE_NONE;
    place->name[0] = '\0';
    if (length == 0)
        return -ENOENT;
    if (path[0] != '/')
        error = add_components(place->name, current);
    if (error == 0)
        error = add_components(place->name, path);
    if (error != 0)
        return error;
    find_name(place);
    if (place->kind == PLACE_NONE)
        return why_missing(place);
    if (path[length - 1] == '/' && place->kind != PLACE_DIRECTORY)
        return -ENOTDIR;
    return 0;
}

int path_change_directory(const char *path)
{
    struct place place;
    int error = path_find(path, &place);

    if (error != 0)
        return error;
    if (place.kind != PLACE_DIRECTORY)
        return -ENOTDIR;
    if (strlen(place.name) + 2 > sizeof(current))
        return -ENAMETOOLONG;
    current[0] = place.name[0] != '\0' ? '/' : '\0';
    strcpy(current + 1, place.name);
    return 0;
}

const char *path_current_directory(void)
{
    return current[0] != '\0' ? current : "/";
}
