/* SPDX-License-Identifier: MIT */
/*
 * Just enough for portable apps to compile: there are no signals on bare
 * metal. signal() remembers the handler and nothing ever calls it, except
 * that abort() and raise() end the machine; writing to a closed connection
 * gives EPIPE, as with SIGPIPE ignored.
 */
#pragma once

#include <sys/types.h>

#define SIGHUP  1
#define SIGINT  2
#define SIGQUIT 3
#define SIGILL  4
#define SIGTRAP 5
#define SIGABRT 6
#define SIGBUS  7
#define SIGFPE  8
#define SIGKILL 9
#define SIGUSR1 10
#define SIGSEGV 11
#define SIGUSR2 12
#define SIGPIPE 13
#define SIGALRM 14
#define SIGTERM 15
#define SIGCHLD 17
#define SIGCONT 18
#define SIGSTOP 19
#define NSIG    65

#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SIG_ERR ((void (*)(int)) - 1)

#define SA_RESTART 0x10000000

typedef int sig_atomic_t;
typedef struct {
    unsigned long bits[16];
} sigset_t;

struct sigaction {
    void (*sa_handler)(int);
    sigset_t sa_mask;
    int sa_flags;
};

void (*signal(int number, void (*handler)(int)))(int);
int sigaction(int number, const struct sigaction *restrict action,
              struct sigaction *restrict previous);
int sigemptyset(sigset_t *set);
int sigaddset(sigset_t *set, int number);
int raise(int number);
