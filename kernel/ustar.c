/* SPDX-License-Identifier: MIT */
/*
 * See ustar.h. An archive must end with a block of zeros: one that was cut
 * between two files would otherwise pass for a whole one.
 */
#include "kernel/ustar.h"

#include <assert.h>
#include <string.h>

enum {
    BLOCK = 512,
    OCTAL_BITS = 3,

    TYPE_FILE = '0',
    TYPE_FILE_OLD = '\0',
    TYPE_DIRECTORY = '5',
    TYPE_LONG_NAME = 'L',
    TYPE_EXTENDED = 'x',
    TYPE_EXTENDED_GLOBAL = 'g',
};

struct header {
    char name[100], mode[8], user[8], group[8], size[12], modified[12];
    char checksum[8], type, link[100], magic[6], version[2];
    char user_name[32], group_name[32], major[8], minor[8], prefix[155];
    char padding[12];
};

static_assert(sizeof(struct header) == BLOCK, "a header fills a block");

static bool read_octal(const char *field, size_t size, uint64_t *value)
{
    size_t i = 0, first;

    *value = 0;
    while (i < size && field[i] == ' ')
        i++;
    first = i;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        *value = *value << OCTAL_BITS | (uint64_t)(field[i] - '0');
    return i > first && (i == size || field[i] == '\0' || field[i] == ' ');
}

/* The sum of all bytes, those of the field itself counted as blanks. */
static bool is_checksum_right(const struct header *header, const uint8_t *bytes)
{
    size_t field = offsetof(struct header, checksum);
    uint64_t expected, sum = 0;

    for (size_t i = 0; i < BLOCK; i++) {
        bool is_field = i >= field && i < field + sizeof(header->checksum);

        sum += is_field ? (uint8_t)' ' : bytes[i];
    }
    return read_octal(header->checksum, sizeof(header->checksum), &expected) &&
           sum == expected;
}

static bool is_zero_block(const uint8_t *block)
{
    for (size_t i = 0; i < BLOCK; i++) {
        if (block[i] != 0)
            return false;
    }
    return true;
}

/* Up to a NUL or `size`; a name that grows too long ends as "". */
static void append_name(char *name, const char *text, size_t size)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < size && text[i] != '\0'; i++) {
        if (length == USTAR_NAME_BYTES - 1) {
            length = 0;
            break;
        }
        name[length++] = text[i];
    }
    name[length] = '\0';
}

/* Removes "/" and "./" in front and "/" behind. */
static void trim_name(char *name)
{
    const char *from = name;
    size_t length;

    while (from[0] == '/' || (from[0] == '.' && from[1] == '/'))
        from++;
    if (strcmp(from, ".") == 0)
        from++;
    length = strlen(from);
    while (length > 0 && from[length - 1] == '/')
        length--;
    memmove(name, from, length);
    name[length] = '\0';
}

static bool has_parent_step(const char *name)
{
    for (;;) {
        const char *slash = strchr(name, '/');

        if (strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0)
            return true;
        if (slash == NULL)
            return false;
        name = slash + 1;
    }
}

static void set_name(struct ustar_reader *reader, const struct header *header)
{
    char *name = reader->name;

    name[0] = '\0';
    if (reader->has_long_name) {
        memcpy(name, reader->long_name, USTAR_NAME_BYTES);
        reader->has_long_name = false;
    } else {
        /* GNU tar's magic has a blank here, and other fields there. */
        if (header->magic[5] == '\0' && header->prefix[0] != '\0') {
            append_name(name, header->prefix, sizeof(header->prefix));
            append_name(name, "/", 1);
        }
        append_name(name, header->name, sizeof(header->name));
    }
    trim_name(name);
}

static void set_long_name(struct ustar_reader *reader, const char *text,
                          size_t size)
{
    reader->has_long_name = true;
    reader->long_name[0] = '\0';
    append_name(reader->long_name, text, size);
}

/*
 * One record "LENGTH KEY=VALUE\n" of an extended header; returns its length,
 * 0 when it is malformed.
 */
static size_t read_record(struct ustar_reader *reader, const char *text,
                          size_t size)
{
    static const char key[] = " path=";
    size_t key_length = sizeof(key) - 1, digits = 0, length = 0;

    while (digits < size && text[digits] >= '0' && text[digits] <= '9') {
        length = length * 10 + (size_t)(text[digits++] - '0');
        if (length > size)
            return 0;
    }
    if (length <= digits || text[length - 1] != '\n')
        return 0;
    if (length - digits > key_length &&
        memcmp(text + digits, key, key_length) == 0) {
        size_t value = digits + key_length;

        set_long_name(reader, text + value, length - value - 1);
    }
    return length;
}

static void read_extended(struct ustar_reader *reader, const char *text,
                          size_t size)
{
    size_t length;

    while (size > 0 && (length = read_record(reader, text, size)) > 0) {
        text += length;
        size -= length;
    }
}

/* True when it only says something about the entry behind it. */
static bool read_prelude(struct ustar_reader *reader,
                         const struct header *header,
                         const struct ustar_entry *entry)
{
    const char *content = (const char *)entry->content;

    switch (header->type) {
    case TYPE_LONG_NAME:
        set_long_name(reader, content, entry->length);
        return true;
    case TYPE_EXTENDED:
        read_extended(reader, content, entry->length);
        return true;
    case TYPE_EXTENDED_GLOBAL:
        return true;
    default:
        return false;
    }
}

static bool is_kept(struct ustar_reader *reader, const struct header *header)
{
    const char *name = reader->name;

    if (name[0] == '\0' && header->type == TYPE_DIRECTORY)
        return false; /* "./" */
    if (name[0] == '\0' || has_parent_step(name) ||
        (header->type != TYPE_FILE && header->type != TYPE_FILE_OLD &&
         header->type != TYPE_DIRECTORY)) {
        reader->left_out++;
        return false;
    }
    return true;
}

static bool stop(struct ustar_reader *reader, const char *trouble)
{
    reader->trouble = trouble;
    return false;
}

/* Checks the header and that its content is all there, and steps over both. */
static bool read_entry(struct ustar_reader *reader, struct header *header,
                       struct ustar_entry *entry)
{
    const uint8_t *block = reader->bytes + reader->offset;
    size_t left = reader->length - reader->offset;
    uint64_t size;

    reader->name[0] = '\0';
    if (left < BLOCK)
        return stop(reader, reader->offset == 0 ? "no tar archive"
                                                : "cut short: no end mark");
    if (is_zero_block(block))
        return reader->offset == 0 ? stop(reader, "no tar archive") : false;
    memcpy(header, block, BLOCK);
    if (memcmp(header->magic, "ustar", 5) != 0)
        return stop(reader, reader->offset == 0 ? "no tar archive"
                                                : "no tar header here");
    if (!is_checksum_right(header, block))
        return stop(reader, "wrong checksum of a header");
    if (!read_octal(header->size, sizeof(header->size), &size))
        return stop(reader, "unreadable size of a file");
    left -= BLOCK;
    if (size > left || (left - size) < (BLOCK - size % BLOCK) % BLOCK) {
        set_name(reader, header);
        return stop(reader, "cut short");
    }
    entry->content = block + BLOCK;
    entry->length = size;
    reader->offset += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
    return true;
}

void ustar_start(struct ustar_reader *reader, const uint8_t *bytes,
                 size_t length)
{
    *reader = (struct ustar_reader){.bytes = bytes, .length = length};
}

bool ustar_next(struct ustar_reader *reader, struct ustar_entry *entry)
{
    struct header header;

    while (read_entry(reader, &header, entry)) {
        if (read_prelude(reader, &header, entry))
            continue;
        set_name(reader, &header);
        if (!is_kept(reader, &header))
            continue;
        entry->name = reader->name;
        entry->is_directory = header.type == TYPE_DIRECTORY;
        if (!read_octal(header.modified, sizeof(header.modified),
                        &entry->modified_seconds))
            entry->modified_seconds = 0;
        return true;
    }
    return false;
}
