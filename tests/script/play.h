/* SPDX-License-Identifier: MIT */
/*
 * Plays one script against the stack, in virtual time, in this process.
 */
#pragma once

#include "tests/script/script.h"

enum play_options {
    PLAY_VERBOSE = 1 << 0, /* print every packet */
    PLAY_CAPTURE = 1 << 1, /* write FILE.pcap into the current folder */
};

/* Returns when the script has passed; else prints why and ends the process
 * with status 1. */
void play(const struct script *script, unsigned options);
