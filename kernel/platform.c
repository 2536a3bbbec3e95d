/* SPDX-License-Identifier: MIT */
/*
 * The bare-metal half of the seam (net/platform.h): each service is a kernel
 * function under another name.
 */
#include "net/platform.h"

#include "kernel/clock.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/entropy.h"
#include "kernel/memory.h"
#include "kernel/panic.h"
#include "kernel/softirq.h"

#include <stdarg.h>

/* Of the memory left after boot, the pools may have this much: the rest is
 * for the rings of the devices and for the app's malloc. */
enum { POOL_EIGHTHS = 5 };
#define POOL_BYTES_MAX (UINT64_C(512) << 20)

uint64_t platform_now_ns(void)
{
    return clock_now_ns();
}

uint64_t platform_cycles(void)
{
    return cpu_rdtsc();
}

void platform_idle(uint64_t deadline_ns)
{
    softirq_idle(deadline_ns);
}

void platform_lock(void)
{
    softirq_lock();
}

void platform_unlock(void)
{
    softirq_unlock();
}

void platform_raise_receive(void)
{
    softirq_raise(SOFTIRQ_NET_RX);
}

void platform_random(void *bytes, size_t length)
{
    entropy_bytes(bytes, length);
}

static enum log_level log_level_of(enum platform_log_level level)
{
    switch (level) {
    case PLATFORM_ERROR:
        return LOG_ERROR;
    case PLATFORM_WARN:
        return LOG_WARN;
    case PLATFORM_INFO:
        return LOG_INFO;
    case PLATFORM_DEBUG:
        break;
    }
    return LOG_DEBUG;
}

void platform_log(enum platform_log_level level, const char *part,
                  const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_print_list(log_level_of(level), part, format, arguments);
    va_end(arguments);
}

void *platform_memory(size_t bytes, size_t alignment)
{
    return memory_take(bytes, alignment);
}

void *platform_memory_untouched(size_t bytes, size_t alignment)
{
    return memory_take_untouched(bytes, alignment);
}

size_t platform_memory_size(void)
{
    static size_t size;

    if (size == 0) { /* the first one to ask is the first to take */
        size = memory_available() / 8 * POOL_EIGHTHS;
        if (size > POOL_BYTES_MAX)
            size = POOL_BYTES_MAX;
    }
    return size;
}

void platform_assert_failed(const char *condition, const char *file, int line)
{
    panic("assertion failed: %s (%s:%d)", condition, file, line);
}
