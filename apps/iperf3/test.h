/* SPDX-License-Identifier: MIT */
/*
 * The test under way, if any: what is said on its control connection, by the
 * steps of the protocol that iperf3 3.x speaks.
 */
#pragma once

#include "loop.h"

#include <netinet/in.h>

/* A connection that has said its cookie: it begins a test, is a stream of the
 * one that begins, or is told that we are busy. Takes over its descriptor. */
void test_admit(struct watch *from, const char *cookie,
                const struct sockaddr_in *peer);

/* Once per turn of the loop: what time asks for. Returns ms until it wants to
 * be called again, or -1. */
int test_run(void);
