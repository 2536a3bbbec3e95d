/* SPDX-License-Identifier: MIT */
/*
 * The socket calls of scripts, on net/socket.
 */
#pragma once

#include "tests/script/script.h"

struct outcome {
    long long result;  /* or -errno */
    char problem[256]; /* an out value that is not the script's; "" if none */
};

/* Makes the call. May block: then it runs on a thread of its own (app.h). */
void call_make(const struct call *call, struct outcome *outcome);

/* The socket %{ }% looks at: the last accepted or connected one; -1. */
int call_socket(void);

/* Closes what is open. */
void calls_close_all(void);
