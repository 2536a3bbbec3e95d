/* SPDX-License-Identifier: MIT */
/*
 * ASSERT for kernel/ and drivers: for our own mistakes only, never for what a
 * peer or the hardware sends, never for exhaustion. Kept in release images.
 * (Files that include net/platform.h have the same macro from there.)
 */
#pragma once

#define ASSERT(claim)                                                          \
    ((claim) ? (void)0 : assert_failed(#claim, __FILE__, __LINE__))

_Noreturn void assert_failed(const char *claim, const char *file, int line);
