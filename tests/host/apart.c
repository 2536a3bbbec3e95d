/* SPDX-License-Identifier: MIT */
/*
 * See apart.h. The result comes through a pipe, in pieces if it must.
 */
#include "tests/host/apart.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool move(int file, uint8_t *bytes, size_t size, bool is_out)
{
    size_t done = 0;

    while (done < size) {
        ssize_t part = is_out ? write(file, bytes + done, size - done)
                              : read(file, bytes + done, size - done);
        if (part <= 0)
            return false;
        done += (size_t)part;
    }
    return true;
}

bool apart_run(void (*run)(void *context, void *result), void *context,
               void *result, size_t size)
{
    int ends[2];
    int status = 0;

    (void)fflush(NULL);
    if (pipe(ends) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        memset(result, 0, size);
        run(context, result);
        _exit(move(ends[1], result, size, true) ? 0 : 1);
    }
    (void)close(ends[1]);
    bool is_whole = child > 0 && move(ends[0], result, size, false);
    (void)close(ends[0]);
    if (child > 0 && waitpid(child, &status, 0) != child)
        return false;
    return is_whole && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
