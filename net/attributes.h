/* SPDX-License-Identifier: MIT */
/*
 * The five attributes the project uses, and the two helper macros. Everything
 * else in net/ is standard C17.
 */
#pragma once

#include <stddef.h>

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* printf-like: the format is argument `f`, its values begin at `v`. */
#define PRINTF_LIKE(f, v) __attribute__((format(printf, f, v)))

/* Seldom called: compiled for size even where its file is compiled for speed
 * (HOT in the Makefile), and branches that lead to it count as not taken. */
#define COLD __attribute__((cold))

/* The long way, kept out of its caller so that the usual way needs none of its
 * registers and room on the stack. */
#define NOINLINE __attribute__((noinline))

/* Placed at a multiple of `n` bytes. */
#define ALIGNED(n) __attribute__((aligned(n)))

#define ARRAY_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The structure that holds `member` at `pointer`. */
#define container_of(pointer, type, member)                                    \
    ((type *)((char *)(pointer)-offsetof(type, member)))
