/* SPDX-License-Identifier: MIT */
/*
 * Runs on whatever stack is left, with interrupts off, and needs neither
 * clock nor memory. A panic inside a panic resets without another word.
 */
#include "kernel/panic.h"

#include "kernel/assert.h"
#include "kernel/backtrace.h"
#include "kernel/command_line.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/power.h"
#include "kernel/trap.h"

#include <stdarg.h>
#include <stddef.h>

enum { MILLISECONDS = 1000, DELAY_MAX = 24 * 60 * 60 };

/* Filled by panic() in entry.S. */
struct interrupt_frame panic_frame;
_Noreturn void panic_continue(const char *format, ...) PRINTF_LIKE(1, 2);

static long delay_seconds = PANIC_SECONDS_DEFAULT;
static unsigned depth;

static bool apply_delay(const char *name, const char *value)
{
    (void)name;
    return value != NULL &&
           command_line_number(value, -1, DELAY_MAX, &delay_seconds);
}

const struct command_word panic_words[] = {{"panic", apply_delay}};

static void print_registers(const struct interrupt_frame *frame)
{
    log_print(LOG_ERROR, "panic", "rip %016lx rsp %016lx flags %08lx",
              frame->rip, frame->rsp, frame->rflags);
    log_print(LOG_ERROR, "panic", "rax %016lx rbx %016lx rcx %016lx",
              frame->rax, frame->rbx, frame->rcx);
    log_print(LOG_ERROR, "panic", "rdx %016lx rsi %016lx rdi %016lx",
              frame->rdx, frame->rsi, frame->rdi);
    log_print(LOG_ERROR, "panic", "rbp %016lx r8  %016lx r9  %016lx",
              frame->rbp, frame->r8, frame->r9);
    log_print(LOG_ERROR, "panic", "r10 %016lx r11 %016lx r12 %016lx",
              frame->r10, frame->r11, frame->r12);
    log_print(LOG_ERROR, "panic", "r13 %016lx r14 %016lx r15 %016lx",
              frame->r13, frame->r14, frame->r15);
    log_print(LOG_ERROR, "panic", "cr0 %016lx cr2 %016lx cr3 %016lx cr4 %08lx",
              cpu_read_cr0(), cpu_read_cr2(), cpu_read_cr3(), cpu_read_cr4());
}

static _Noreturn void reset_later(void)
{
    if (delay_seconds == 0) {
        log_print(LOG_ERROR, "panic", "halted");
        for (;;)
            cpu_halt();
    }
    if (delay_seconds > 0) {
        log_print(LOG_ERROR, "panic", "reset in %ld s", delay_seconds);
        for (long i = 0; i < delay_seconds; i++)
            power_wait_ms(MILLISECONDS);
    }
    power_reset();
}

static void begin(void)
{
    cpu_interrupts_disable();
    if (depth++ > 0)
        power_reset();
    console_take_over();
}

static _Noreturn void say(const struct interrupt_frame *frame, uintptr_t rip,
                          const char *format, va_list arguments)
{
    begin();
    log_print_list(LOG_ERROR, "panic", format, arguments);
    print_registers(frame);
    backtrace_print(rip, frame->rbp, frame->rsp);
    reset_later();
}

void panic_continue(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(&panic_frame, panic_frame.rip - 1, format, arguments);
}

void panic_trap(const struct interrupt_frame *frame, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(frame, frame->rip, format, arguments);
}

void assert_failed(const char *claim, const char *file, int line)
{
    panic("assertion failed: %s (%s:%d)", claim, file, line);
}
