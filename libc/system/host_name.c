/* SPDX-License-Identifier: MIT */
/*
 * The host's name: what an `ip=` word says, as on Linux, until somebody sets
 * another.
 */
#include "kernel/command_line.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

enum { HOST_FIELD = 4 }; /* of ip=client:server:gateway:netmask:host */

static char host_name[HOST_NAME_MAX + 1];

static void set_first_name(void)
{
    const char *name = command_line_value("ip");
    size_t length;

    for (unsigned field = 0; name != NULL && field < HOST_FIELD; field++) {
        name = strchr(name, ':');
        if (name != NULL)
            name++;
    }
    length = name != NULL ? strcspn(name, ":") : 0;
    if (length == 0 || sethostname(name, length) != 0)
        (void)sethostname("ferrule", strlen("ferrule"));
}

int gethostname(char *name, size_t size)
{
    size_t length;

    if (host_name[0] == '\0')
        set_first_name();
    length = strlen(host_name) + 1;
    if (size < length) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, host_name, length);
    return 0;
}

int sethostname(const char *name, size_t length)
{
    if (length > HOST_NAME_MAX) {
        errno = EINVAL;
        return -1;
    }
    memcpy(host_name, name, length);
    host_name[length] = '\0';
    return 0;
}
