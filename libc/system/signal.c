/* SPDX-License-Identifier: MIT */
/*
 * Signals are only remembered; nothing sends any but the app itself.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

static void (*handlers[NSIG])(int);

void (*signal(int number, void (*handler)(int)))(int)
{
    void (*previous)(int);

    if (number <= 0 || number >= NSIG || number == SIGKILL ||
        number == SIGSTOP) {
        errno = EINVAL;
        return SIG_ERR;
    }
    previous = handlers[number];
    handlers[number] = handler;
    return previous;
}

int sigaction(int number, const struct sigaction *restrict action,
              struct sigaction *restrict previous)
{
    void (*handler)(int);

    if (number <= 0 || number >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    handler = handlers[number];
    if (action != NULL && signal(number, action->sa_handler) == SIG_ERR)
        return -1;
    if (previous != NULL) {
        *previous = (struct sigaction){0};
        previous->sa_handler = handler;
    }
    return 0;
}

int sigemptyset(sigset_t *set)
{
    *set = (sigset_t){{0}};
    return 0;
}

int sigaddset(sigset_t *set, int number)
{
    if (number <= 0 || number >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    set->bits[(number - 1) / 64] |= 1UL << ((number - 1) % 64);
    return 0;
}

int raise(int number)
{
    if (number <= 0 || number >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    if (handlers[number] == SIG_IGN || number == SIGCHLD || number == SIGCONT)
        return 0;
    if (handlers[number] == SIG_DFL)
        abort();
    handlers[number](number);
    return 0;
}
