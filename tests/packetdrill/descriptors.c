/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of the kernel that stand for sockets of ours.
 */
#include "tests/packetdrill/adapter.h"

#include <errno.h>
#include <fcntl.h>

static int sockets[DESCRIPTORS]; /* id + 1; 0: none */

int descriptor_open(int socket)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (fd >= DESCRIPTORS) {
        (void)close(fd);
        return -EMFILE;
    }
    sockets[fd] = socket + 1;
    return fd;
}

int descriptor_socket(int fd)
{
    return fd < 0 || fd >= DESCRIPTORS ? -1 : sockets[fd] - 1;
}

void descriptor_close(int fd)
{
    sockets[fd] = 0;
    (void)close(fd);
}

ssize_t adapter_result(ssize_t result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}
