/* SPDX-License-Identifier: MIT */
/* Files read and written whole; what is read may be without a length. */
#include "whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST_SIZE = 4096, SIZE_MAX_READ = 4 << 20 };

static char *read_all(int file, size_t *length)
{
    size_t size = FIRST_SIZE;
    char *text = malloc(size);

    *length = 0;
    while (text != NULL) {
        ssize_t count = read(file, text + *length, size - *length - 1);
        char *larger;

        if (count < 0)
            break;
        if (count == 0) {
            text[*length] = '\0';
            return text;
        }
        *length += (size_t)count;
        if (size - *length > 1)
            continue;
        if (size >= SIZE_MAX_READ) {
            errno = EFBIG;
            break;
        }
        size *= 2;
        larger = realloc(text, size);
        if (larger == NULL)
            break;
        text = larger;
    }
    free(text);
    return NULL;
}

char *whole_file_read(const char *path, size_t *length)
{
    int file = open(path, O_RDONLY);
    char *text;
    int error;

    if (file < 0)
        return NULL;
    text = read_all(file, length);
    error = errno;
    close(file);
    errno = error;
    return text;
}

bool whole_file_write(const char *path, const char *text, size_t length)
{
    int file = open(path, O_WRONLY);
    ssize_t count;
    int error;

    if (file < 0)
        return false;
    count = write(file, text, length);
    error = errno;
    close(file);
    errno = error;
    return count == (ssize_t)length;
}
