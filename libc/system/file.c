/* SPDX-License-Identifier: MIT */
/*
 * Opening, reading and asking about files. The module's are read where they
 * lie; a report is written into memory when it is opened, so that all reads
 * of one opening see one moment.
 */
#include "libc/system/descriptor.h"
#include "libc/system/path.h"

#include "kernel/console.h"
#include "net/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libc/system/socket_call.h"

enum {
    REPORT_FIRST_SIZE = 16384,
    STAT_BLOCK = 512,
    READ_ONLY_FILE = S_IFREG | 0444,
    READ_ONLY_DIRECTORY = S_IFDIR | 0555,
    CONSOLE_DEVICE = S_IFCHR | 0620,
    /* How often a waiting read looks at the console. */
    CONSOLE_INTERVAL_NS = 10000000,
};

/* The text may grow between asking how long it is and taking it. */
static int make_report(struct descriptor *descriptor, report_write *write)
{
    size_t size = REPORT_FIRST_SIZE;

    for (;;) {
        char *text = malloc(size);
        size_t length;

        if (text == NULL)
            return -1;
        length = write(text, size);
        if (length <= size) {
            descriptor->owned = text;
            descriptor->content = (const uint8_t *)text;
            descriptor->length = length;
            return 0;
        }
        free(text);
        size = length + length / 4;
    }
}

static int open_place(const struct place *place, bool is_read)
{
    bool is_directory = place->kind == PLACE_DIRECTORY;
    int number =
        descriptor_open(is_directory ? DESCRIPTOR_DIRECTORY : DESCRIPTOR_FILE);
    struct descriptor *descriptor;

    if (number < 0)
        return -1;
    descriptor = descriptor_get(number);
    descriptor->entry = place->entry;
    if (place->kind == PLACE_REPORT) {
        descriptor->report = place->report;
        if (is_read && make_report(descriptor, place->report->write) != 0) {
            (void)descriptor_close(number);
            errno = ENOMEM;
            return -1;
        }
    } else if (place->kind == PLACE_FILE) {
        descriptor->content = place->entry->content;
        descriptor->length = place->entry->length;
    }
    return number;
}

/* 0: it takes what is written. */
static int why_not_writable(const struct place *place)
{
    if (place->kind == PLACE_DIRECTORY)
        return -EISDIR;
    if (place->kind == PLACE_REPORT && place->report->accept != NULL)
        return 0;
    return -EROFS;
}

int open(const char *path, int flags, ...)
{
    struct place place;
    int error = path_find(path, &place);

    if (error == -ENOENT && (flags & O_CREAT) != 0)
        error = -EROFS;
    else if (error == 0 && (flags & O_CREAT) != 0 && (flags & O_EXCL) != 0)
        error = -EEXIST;
    else if (error == 0 && (flags & O_ACCMODE) != O_RDONLY)
        error = why_not_writable(&place);
    else if (error == 0 && (flags & O_DIRECTORY) != 0 &&
             place.kind != PLACE_DIRECTORY)
        error = -ENOTDIR;
    if (error != 0)
        return (int)descriptor_result(error);
    return open_place(&place, (flags & O_ACCMODE) != O_WRONLY);
}

int close(int number)
{
    return descriptor_close(number);
}

static ssize_t read_at(const struct descriptor *descriptor, void *buffer,
                       size_t size, size_t offset)
{
    size_t left = offset < descriptor->length ? descriptor->length - offset : 0;

    if (size > left)
        size = left;
    memcpy(buffer, descriptor->content + offset, size);
    return (ssize_t)size;
}

static ssize_t read_console(const struct descriptor *descriptor, char *buffer,
                            size_t size)
{
    size_t length = console_read(buffer, size);

    while (length == 0 && size > 0 && !descriptor->is_nonblocking) {
        platform_lock();
        platform_idle(platform_now_ns() + CONSOLE_INTERVAL_NS);
        platform_unlock();
        length = console_read(buffer, size);
    }
    if (length == 0 && size > 0)
        return descriptor_result(-EAGAIN);
    return (ssize_t)length;
}

ssize_t read(int number, void *buffer, size_t size)
{
    struct descriptor *descriptor = descriptor_get(number);
    ssize_t length;

    if (descriptor == NULL)
        return -1;
    switch (descriptor->kind) {
    case DESCRIPTOR_CONSOLE:
        return read_console(descriptor, buffer, size);
    case DESCRIPTOR_FILE:
        length = read_at(descriptor, buffer, size, descriptor->offset);
        descriptor->offset += (size_t)length;
        return length;
    case DESCRIPTOR_DIRECTORY:
        return descriptor_result(-EISDIR);
    case DESCRIPTOR_SOCKET:
        return socket_call_read(number, buffer, size);
    case DESCRIPTOR_EPOLL:
        return descriptor_result(-EINVAL);
    case DESCRIPTOR_FREE:
        break;
    }
    return descriptor_result(-EBADF);
}

ssize_t pread(int number, void *buffer, size_t size, off_t offset)
{
    struct descriptor *descriptor = descriptor_get(number);

    if (descriptor == NULL)
        return -1;
    if (descriptor->kind == DESCRIPTOR_DIRECTORY)
        return descriptor_result(-EISDIR);
    if (descriptor->kind != DESCRIPTOR_FILE)
        return descriptor_result(-ESPIPE);
    if (offset < 0)
        return descriptor_result(-EINVAL);
    return read_at(descriptor, buffer, size, (size_t)offset);
}

ssize_t write(int number, const void *bytes, size_t length)
{
    struct descriptor *descriptor = descriptor_get(number);

    if (descriptor == NULL)
        return -1;
    if (descriptor->kind == DESCRIPTOR_SOCKET)
        return socket_call_write(number, bytes, length);
    if (descriptor->report != NULL && descriptor->report->accept != NULL) {
        int error = descriptor->report->accept(bytes, length);

        return descriptor_result(error != 0 ? error : (ssize_t)length);
    }
    if (descriptor->kind != DESCRIPTOR_CONSOLE)
        return descriptor_result(-EBADF);
    console_write(bytes, length);
    return (ssize_t)length;
}

/* One piece after the other; a short one ends it. */
ssize_t readv(int number, const struct iovec *vector, int count)
{
    ssize_t total = 0;

    for (int i = 0; i < count; i++) {
        ssize_t length = read(number, vector[i].iov_base, vector[i].iov_len);

        if (length < 0)
            return total > 0 ? total : -1;
        total += length;
        if ((size_t)length < vector[i].iov_len)
            break;
    }
    return total;
}

ssize_t writev(int number, const struct iovec *vector, int count)
{
    const struct descriptor *descriptor = descriptor_get(number);
    ssize_t total = 0;

    if (descriptor == NULL)
        return -1;
    if (descriptor->kind == DESCRIPTOR_SOCKET)
        return socket_call_write_pieces(number, vector, count);
    for (int i = 0; i < count; i++) {
        ssize_t length = write(number, vector[i].iov_base, vector[i].iov_len);

        if (length < 0)
            return total > 0 ? total : -1;
        total += length;
    }
    return total;
}

off_t lseek(int number, off_t offset, int origin)
{
    struct descriptor *descriptor = descriptor_get(number);
    off_t base = 0;

    if (descriptor == NULL)
        return -1;
    if (descriptor->kind != DESCRIPTOR_FILE)
        return descriptor_result(-ESPIPE);
    if (origin == SEEK_CUR)
        base = (off_t)descriptor->offset;
    else if (origin == SEEK_END)
        base = (off_t)descriptor->length;
    else if (origin != SEEK_SET)
        return descriptor_result(-EINVAL);
    if (offset < -base || offset > LONG_MAX - base)
        return descriptor_result(-EINVAL);
    descriptor->offset = (size_t)(base + offset);
    return base + offset;
}

static void fill_status(struct stat *status, mode_t mode,
                        const struct module_file *entry, size_t length)
{
    *status = (struct stat){
        .st_nlink = 1,
        .st_mode = mode,
        .st_size = (off_t)length,
        .st_blksize = PATH_MAX,
        .st_blocks = (blkcnt_t)((length + STAT_BLOCK - 1) / STAT_BLOCK),
    };
    if (entry != NULL) {
        /* The name's address is as good a serial number as any. */
        status->st_ino = (ino_t)(uintptr_t)entry->name;
        status->st_mtim.tv_sec = (time_t)entry->modified_seconds;
        status->st_ctim = status->st_atim = status->st_mtim;
    }
}

int stat(const char *restrict path, struct stat *restrict status)
{
    struct place place;
    int error = path_find(path, &place);

    if (error != 0)
        return (int)descriptor_result(error);
    if (place.kind == PLACE_FILE)
        fill_status(status, READ_ONLY_FILE, place.entry, place.entry->length);
    else if (place.kind == PLACE_REPORT)
        fill_status(status, READ_ONLY_FILE, NULL, 0);
    else
        fill_status(status, READ_ONLY_DIRECTORY, place.entry, 0);
    return 0;
}

int lstat(const char *restrict path, struct stat *restrict status)
{
    return stat(path, status);
}

int fstat(int number, struct stat *status)
{
    const struct descriptor *descriptor = descriptor_get(number);
    mode_t mode = 0;

    if (descriptor == NULL)
        return -1;
    switch (descriptor->kind) {
    case DESCRIPTOR_FREE:
    case DESCRIPTOR_EPOLL: /* of no kind, as on Linux */
        break;
    case DESCRIPTOR_CONSOLE:
        mode = CONSOLE_DEVICE;
        break;
    case DESCRIPTOR_FILE:
        mode = READ_ONLY_FILE;
        break;
    case DESCRIPTOR_DIRECTORY:
        mode = READ_ONLY_DIRECTORY;
        break;
    case DESCRIPTOR_SOCKET:
        mode = S_IFSOCK | 0777;
        break;
    }
    fill_status(status, mode, descriptor->entry, descriptor->length);
    return 0;
}

int fstatvfs(int number, struct statvfs *status)
{
    const struct descriptor *descriptor = descriptor_get(number);

    if (descriptor == NULL)
        return -1;
    *status = (struct statvfs){
        .f_bsize = STAT_BLOCK, .f_frsize = STAT_BLOCK, .f_namemax = PATH_MAX};
    if (descriptor->kind == DESCRIPTOR_FILE && descriptor->report == NULL)
        status->f_flag = ST_RDONLY | ST_NOSUID;
    return 0;
}

int access(const char *path, int mode)
{
    struct place place;
    int error = path_find(path, &place);

    if (error == 0 && (mode & W_OK) != 0)
        error = why_not_writable(&place) != 0 ? -EROFS : 0;
    else if (error == 0 && (mode & X_OK) != 0 && place.kind != PLACE_DIRECTORY)
        error = -EACCES;
    return (int)descriptor_result(error);
}
