/* SPDX-License-Identifier: MIT */
/*
 * assert() for our own mistakes. No #pragma once around assert itself: the
 * standard lets a file include this again after changing NDEBUG.
 * assertion_failed is the app's (system shelf) or the kernel's (panic).
 */
#undef assert
#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition)                                                      \
    ((condition) ? (void)0                                                     \
                 : assertion_failed(#condition, __FILE__, __LINE__, __func__))
#endif

#ifndef FERRULE_ASSERT_H
#define FERRULE_ASSERT_H
#define static_assert _Static_assert

_Noreturn void assertion_failed(const char *condition, const char *file,
                                int line, const char *function);
#endif
