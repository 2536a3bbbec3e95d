/* SPDX-License-Identifier: MIT */
/*
 * What little there is of a process.
 */
#include "libc/system/descriptor.h"
#include "libc/system/path.h"

#include "kernel/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int chdir(const char *path)
{
    return (int)descriptor_result(path_change_directory(path));
}

char *getcwd(char *buffer, size_t size)
{
    const char *current = path_current_directory();
    size_t length = strlen(current) + 1;

    if (buffer == NULL)
        return strdup(current);
    if (size < length) {
        errno = size == 0 ? EINVAL : ERANGE;
        return NULL;
    }
    return memcpy(buffer, current, length);
}

int isatty(int number)
{
    const struct descriptor *descriptor = descriptor_get(number);

    if (descriptor == NULL)
        return 0;
    if (descriptor->kind == DESCRIPTOR_CONSOLE)
        return 1;
    errno = ENOTTY;
    return 0;
}

pid_t getpid(void)
{
    return 1;
}

pid_t getppid(void)
{
    return 0;
}

uid_t getuid(void)
{
    return 0;
}

uid_t geteuid(void)
{
    return 0;
}

long sysconf(int name)
{
    switch (name) {
    case _SC_PAGESIZE:
        return PAGE_BYTES;
    case _SC_OPEN_MAX:
        return OPEN_MAX;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return 1;
    default:
        errno = EINVAL;
        return -1;
    }
}
