/* SPDX-License-Identifier: MIT */
/*
 * The attribute macros the kernel uses: the only vendor extensions besides
 * the inline assembly of cpu.h.
 */
#pragma once

#define MUST_CHECK              __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, v)       __attribute__((format(printf, f, v)))
#define WITHOUT_STACK_PROTECTOR __attribute__((no_stack_protector))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where a call would cost more than what it does, even at -Oz. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
