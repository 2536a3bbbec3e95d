/* SPDX-License-Identifier: MIT */
/*
 * Listing a directory. The module's index is one sorted list of whole names,
 * so a directory is a range of it; a subdirectory that has no entry of its
 * own is listed when its first file comes. Reports and the way to them are
 * appended.
 */
#include "libc/system/descriptor.h"
#include "libc/system/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct directory_stream {
    char prefix[PATH_NAME_SIZE + 1]; /* "www/", or "" for the root */
    size_t index;                    /* of the module */
    size_t extra;                    /* of what is not in the module */
    off_t position;
    struct dirent entry;
};

DIR *opendir(const char *path)
{
    struct place place;
    int error = path_find(path, &place);
    DIR *directory;

    if (error == 0 && place.kind != PLACE_DIRECTORY)
        error = -ENOTDIR;
    if (error != 0) {
        errno = -error;
        return NULL;
    }
    directory = calloc(1, sizeof(*directory));
    if (directory == NULL)
        return NULL;
    strcpy(directory->prefix, place.name);
    if (place.name[0] != '\0')
        strcat(directory->prefix, "/");
    rewinddir(directory);
    return directory;
}

void rewinddir(DIR *directory)
{
    directory->index = module_lower_bound(directory->prefix);
    directory->extra = 0;
    directory->position = 0;
}

int closedir(DIR *directory)
{
    free(directory);
    return 0;
}

static struct dirent *fill(DIR *directory, const char *name, size_t length,
                           bool is_directory, const void *identity)
{
    struct dirent *entry = &directory->entry;

    if (length >= sizeof(entry->d_name))
        length = sizeof(entry->d_name) - 1;
    entry->d_ino = (ino_t)(uintptr_t)identity;
    entry->d_off = ++directory->position;
    entry->d_reclen = sizeof(*entry);
    entry->d_type = is_directory ? DT_DIR : DT_REG;
    memcpy(entry->d_name, name, length);
    entry->d_name[length] = '\0';
    return entry;
}

/* True for the first file below a directory without an entry of its own. */
static bool is_first_sign(const char *name, size_t length, size_t index)
{
    char directory_name[PATH_NAME_SIZE + 1];

    if (length + 2 > sizeof(directory_name))
        return false;
    memcpy(directory_name, name, length);
    directory_name[length] = '\0';
    if (module_find(directory_name) != NULL)
        return false;
    memcpy(directory_name + length, "/", 2);
    return module_lower_bound(directory_name) == index;
}

static struct dirent *read_module(DIR *directory)
{
    size_t prefix_length = strlen(directory->prefix);

    while (directory->index < module_count()) {
        size_t index = directory->index;
        const struct module_file *file = module_at(index);
        const char *name = file->name + prefix_length;
        size_t length;

        if (strncmp(file->name, directory->prefix, prefix_length) != 0)
            break;
        directory->index++;
        length = strcspn(name, "/");
        if (length == 0)
            continue;
        if (name[length] == '\0')
            return fill(directory, name, length, file->is_directory,
                        file->name);
        if (is_first_sign(file->name, prefix_length + length, index))
            return fill(directory, name, length, true, file->name);
    }
    return NULL;
}

static struct dirent *read_extra(DIR *directory)
{
    const char *name = NULL;

    if (strcmp(directory->prefix, "proc/ferrule/") == 0)
        name = report_name(directory->extra);
    else if (directory->extra == 0 && directory->prefix[0] == '\0')
        name = "proc";
    else if (directory->extra == 0 && strcmp(directory->prefix, "proc/") == 0)
        name = "ferrule";
    if (name == NULL)
        return NULL;
    directory->extra++;
    return fill(directory, name, strlen(name),
                strlen(directory->prefix) < strlen("proc/ferrule/"), name);
}

struct dirent *readdir(DIR *directory)
{
    struct dirent *entry = read_module(directory);

    return entry != NULL ? entry : read_extra(directory);
}
