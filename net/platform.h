/* SPDX-License-Identifier: MIT */
/*
 * The seam: everything the protocols ask of the world, and nothing else.
 * Three implementations exist: kernel/platform.c (bare metal), tests/host
 * (virtual clock and simulated links), and the TAP port of `make hosted`.
 * Whoever needs one more service adds one more named function here.
 *
 * Two contexts call in: the app, which holds the lock while it is inside the
 * stack, and softirqs, which run only while the app does not hold it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/attributes.h"

/* "Never": no deadline. */
#define PLATFORM_NEVER UINT64_MAX

/* Monotonic time in nanoseconds since start. Read once per entry into the
 * stack and passed down from there. Either context. */
uint64_t platform_now_ns(void);

/* A counter that moves with the processor's work, of any unit: for accounting
 * only. Either context. */
uint64_t platform_cycles(void);

/* App context, lock held: lets softirqs run and sleeps until something may
 * have changed or `deadline_ns` has passed; the lock is held again on return.
 * May return early: the caller checks its condition in a loop. */
void platform_idle(uint64_t deadline_ns);

/* App context: keeps softirqs out; does not nest. Unlocking runs what became
 * pending meanwhile. */
void platform_lock(void);
void platform_unlock(void);

/* Asks for the deferred half of reception (net_receive_softirq) to run soon.
 * Hardirq, softirq or app. */
void platform_raise_receive(void);

/* Fills `bytes` with cryptographically strong random bytes. */
void platform_random(void *bytes, size_t length);

enum platform_log_level {
    PLATFORM_ERROR, /* we are broken */
    PLATFORM_WARN,  /* a peer or the hardware is odd: rate-limited */
    PLATFORM_INFO,  /* a dozen lines per boot */
    PLATFORM_DEBUG, /* per packet: off unless asked for */
};

/* One line, without a newline; `part` names the speaker ("tcp", "eth0"). */
void platform_log(enum platform_log_level level, const char *part,
                  const char *format, ...) PRINTF_LIKE(3, 4);

/* Pool memory: zeroed, physically contiguous, aligned to `alignment` (a power
 * of two), taken once at start and never given back. NULL when there is not
 * that much. */
void *platform_memory(size_t bytes, size_t alignment) MUST_CHECK;

/* The same with anything in it: memory that may never be used costs nothing
 * until it is. */
void *platform_memory_untouched(size_t bytes, size_t alignment) MUST_CHECK;

/* How many bytes of pool memory the platform is willing to give in all. */
size_t platform_memory_size(void);

/* Stops the machine: an assertion of ours failed. */
_Noreturn void platform_assert_failed(const char *condition, const char *file,
                                      int line) COLD;

/* For our own mistakes only: never for what a peer sends, never for
 * exhaustion. Kept in release images. */
#define ASSERT(condition)                                                      \
    ((condition) ? (void)0                                                     \
                 : platform_assert_failed(#condition, __FILE__, __LINE__))
