/* SPDX-License-Identifier: MIT */
/*
 * The index of the archive: read once to count and once to fill, then sorted,
 * so that a file is found by halving.
 */
#include "kernel/module.h"

#include "kernel/console.h"
#include "kernel/memory.h"
#include "kernel/ustar.h"

#include <string.h>

static struct module_file *files;
static size_t file_count;

static void report(const struct ustar_reader *reader)
{
    log_print(LOG_ERROR, "module", "%s at byte %zu of %zu%s%s: module not used",
              reader->trouble, reader->offset, reader->length,
              reader->name[0] != '\0' ? ", file " : "", reader->name);
}

/* Bytes of all names; false when the archive is bad. */
static bool count_files(const uint8_t *bytes, size_t length, size_t *count,
                        size_t *name_bytes)
{
    struct ustar_reader reader;
    struct ustar_entry entry;

    *count = *name_bytes = 0;
    ustar_start(&reader, bytes, length);
    while (ustar_next(&reader, &entry)) {
        *count += 1;
        *name_bytes += strlen(entry.name) + 1;
    }
    if (reader.trouble != NULL) {
        report(&reader);
        return false;
    }
    if (reader.left_out > 0) {
        log_print(LOG_WARN, "module",
                  "%zu links, devices or unusable names left out",
                  reader.left_out);
    }
    return true;
}

/*
 * Keeps the index sorted while it grows: archives made in order cost nothing,
 * others a move each. A name that comes again replaces the earlier one, as
 * when unpacking.
 */
static void insert(const struct module_file *file)
{
    size_t index = module_lower_bound(file->name);

    if (index < file_count && strcmp(files[index].name, file->name) == 0) {
        files[index] = *file;
        return;
    }
    memmove(&files[index + 1], &files[index],
            (file_count - index) * sizeof(files[0]));
    files[index] = *file;
    file_count++;
}

void module_start(const uint8_t *bytes, size_t length)
{
    struct ustar_reader reader;
    struct ustar_entry entry;
    size_t count, name_bytes;
    char *names;

    file_count = 0;
    if (!count_files(bytes, length, &count, &name_bytes) || count == 0)
        return;
    files = memory_take(count * sizeof(files[0]), 0);
    names = memory_take(name_bytes, 1);
    if (files == NULL || names == NULL) {
        log_print(LOG_ERROR, "module", "no memory for %zu files", count);
        return;
    }
    ustar_start(&reader, bytes, length);
    while (ustar_next(&reader, &entry)) {
        struct module_file file = {
            .name = strcpy(names, entry.name),
            .content = entry.content,
            .length = entry.length,
            .modified_seconds = entry.modified_seconds,
            .is_directory = entry.is_directory,
        };

        names += strlen(names) + 1;
        insert(&file);
    }
    log_print(LOG_INFO, "module", "%zu files, %zu bytes", file_count, length);
}

size_t module_count(void)
{
    return file_count;
}

const struct module_file *module_at(size_t index)
{
    return index < file_count ? &files[index] : NULL;
}

size_t module_lower_bound(const char *name)
{
    size_t low = 0, high = file_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(files[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct module_file *module_find(const char *name)
{
    size_t index;

    while (*name == '/')
        name++;
    index = module_lower_bound(name);
    if (index == file_count || strcmp(files[index].name, name) != 0)
        return NULL;
    return &files[index];
}
