/* SPDX-License-Identifier: MIT */
/*
 * A run in a process of its own: stacks keep static state and start once in a
 * process, so whoever compares several runs has each of them apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Calls run(context, result) in a child; what it leaves in `result`, `size`
 * bytes, is copied back. False when the child died. */
bool apart_run(void (*run)(void *context, void *result), void *context,
               void *result, size_t size);
