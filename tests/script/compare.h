/* SPDX-License-Identifier: MIT */
/*
 * Whether a segment is the one the script expects.
 */
#pragma once

#include "tests/script/script.h"

/* NULL if it is; else what differs. */
const char *compare_segments(const struct script *script,
                             const struct segment *wanted,
                             const struct segment *got);
