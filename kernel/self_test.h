/* SPDX-License-Identifier: MIT */
/*
 * Faults on demand, to see from outside that each is caught: "panic-test"
 * and "fault-test=NAME" on the command line (docs/kernel.md lists them).
 */
#pragma once

#include "kernel/command_line.h"

extern const struct command_word self_test_words[];
enum { SELF_TEST_WORDS = 2 };

/* What the words asked for, if anything: does not come back then. */
void self_test_run(void);
