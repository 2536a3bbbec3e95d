/* SPDX-License-Identifier: MIT */
/*
 * The app's descriptors: one table over the console, files and directories of
 * the module, reports, and sockets.
 */
#pragma once

#include "kernel/module.h"
#include "kernel/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum descriptor_kind {
    DESCRIPTOR_FREE,
    DESCRIPTOR_CONSOLE,
    DESCRIPTOR_FILE, /* of the module, or a report's text */
    DESCRIPTOR_DIRECTORY,
    DESCRIPTOR_SOCKET,
    DESCRIPTOR_EPOLL,
};

struct descriptor {
    enum descriptor_kind kind;
    bool is_nonblocking; /* of the console; sockets know themselves */
    int socket;
    const struct module_file *entry; /* NULL: not in the module */
    const struct report *report;     /* NULL: none */
    const uint8_t *content;
    size_t length;
    size_t offset;
    void *owned; /* a report's text, an epoll: from malloc */
};

/* NULL, with errno EBADF: not open. */
struct descriptor *descriptor_get(int number);

/* The lowest free number, already of this kind and otherwise zero; or -1 with
 * errno EMFILE or ENOMEM. */
int descriptor_open(enum descriptor_kind kind);

/* Closes what is behind it, too. */
int descriptor_close(int number);

/* At exit: sends what is still to be sent, for a moment. */
void descriptor_close_all(void);

/* The socket behind a descriptor, or -1 with errno EBADF or ENOTSOCK. */
int descriptor_socket(int number);

/* -errno to the convention of the C library. */
ssize_t descriptor_result(ssize_t result);
