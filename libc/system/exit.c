/* SPDX-License-Identifier: MIT */
/*
 * The end of the app, which is the end of the machine. What the app has sent
 * but its peers have not acknowledged gets a moment, because no kernel goes
 * on behind an app's back here.
 */
#include "libc/system/descriptor.h"

#include "kernel/power.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EXIT_FUNCTIONS_MAX = 32,
    STATUS_OF_SIGNAL = 128, /* a shell's status for "ended by signal N" */
};

static void (*exit_functions[EXIT_FUNCTIONS_MAX])(void);
static size_t exit_function_count;

int atexit(void (*function)(void))
{
    if (exit_function_count == EXIT_FUNCTIONS_MAX) {
        errno = ENOMEM;
        return -1;
    }
    exit_functions[exit_function_count++] = function;
    return 0;
}

void _exit(int status)
{
    descriptor_close_all();
    power_app_exited(status & 0xff);
}

void _Exit(int status)
{
    _exit(status);
}

void exit(int status)
{
    while (exit_function_count > 0)
        exit_functions[--exit_function_count]();
    fflush(NULL);
    _exit(status);
}

void abort(void)
{
    fflush(NULL);
    fputs("aborted\n", stderr);
    power_app_exited(STATUS_OF_SIGNAL + SIGABRT);
}

void assertion_failed(const char *condition, const char *file, int line,
                      const char *function)
{
    fflush(NULL);
    fprintf(stderr, "%s:%d: %s: assertion '%s' failed\n", file, line, function,
            condition);
    abort();
}

char *getenv(const char *name)
{
    (void)name;
    return NULL;
}
