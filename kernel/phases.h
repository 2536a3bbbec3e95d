/* SPDX-License-Identifier: MIT */
/*
 * How long each part of the boot took, as one line on the console. Measured
 * in TSC ticks, since the first parts run before there is a clock.
 */
#pragma once

#include <stdint.h>

/* The first phase began at the kernel's entry and ends now. */
void phases_start(uint64_t entry_tsc, const char *name);
void phase_end(const char *name);

/* Needs the calibrated clock. */
void phases_print(void);
