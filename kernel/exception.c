/* SPDX-License-Identifier: MIT */
/*
 * What an exception means, in words (Intel SDM 3A 6.15). Every one of them is
 * a mistake of ours or broken hardware, and ends in a panic.
 */
#include "kernel/trap.h"

#include "kernel/cpu.h"
#include "kernel/memory.h"
#include "kernel/paging.h"
#include "kernel/panic.h"
#include "kernel/stack.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    FAULT_PRESENT = 1 << 0, /* page fault error code */
    FAULT_WRITE = 1 << 1,
    FAULT_FETCH = 1 << 4,

    STACK_SLACK = 256, /* a push may fault this far above the guard */
};

static const char *const names[TRAP_EXCEPTIONS] = {
    [0] = "division by zero",
    [1] = "debug exception",
    [TRAP_NMI] = "non-maskable interrupt",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "undefined instruction",
    [7] = "no floating point unit",
    [TRAP_DOUBLE_FAULT] = "double fault",
    [10] = "invalid task state",
    [11] = "segment not present",
    [12] = "stack segment fault",
    [13] = "general protection fault",
    [TRAP_PAGE_FAULT] = "page fault",
    [16] = "x87 floating point error",
    [17] = "alignment check",
    [TRAP_MACHINE_CHECK] = "machine check",
    [19] = "SIMD floating point error",
};

/* A stack that ran into its guard page: where RSP or the access points. */
static const char *overrun_stack(const struct interrupt_frame *frame)
{
    enum stack stack;

    if (!stack_of(frame->rsp, &stack))
        return NULL;
    if (stack_is_guard(stack, frame->rsp) ||
        (stack_is_guard(stack, cpu_read_cr2()) &&
         stack_is_guard(stack, frame->rsp - STACK_SLACK)))
        return stack_name(stack);
    return NULL;
}

static const char *mapping_name(uint64_t address)
{
    unsigned rights = paging_rights(address);

    if (address < PAGE_BYTES)
        return "page 0, never mapped";
    if (rights == PAGE_UNMAPPED)
        return "not mapped";
    if ((rights & PAGE_EXECUTABLE) != 0)
        return "code, r-x";
    return (rights & PAGE_WRITABLE) != 0 ? "data, rw-" : "constants, r--";
}

static _Noreturn void page_fault(const struct interrupt_frame *frame)
{
    uint64_t address = cpu_read_cr2();
    const char *access = "read of";
    enum stack stack;

    if ((frame->error_code & FAULT_WRITE) != 0)
        access = "write to";
    if ((frame->error_code & FAULT_FETCH) != 0)
        access = "execution of";
    if (stack_of(address, &stack) && stack_is_guard(stack, address)) {
        panic_trap(frame, "page fault: %s %#lx: overran the %s stack", access,
                   address, stack_name(stack));
    }
    panic_trap(frame, "page fault: %s %#lx (%s)", access, address,
               mapping_name(address));
}

void exception_dispatch(const struct interrupt_frame *frame)
{
    static bool is_explaining;
    const char *name = names[frame->vector];
    const char *stack = overrun_stack(frame);

    if (is_explaining) { /* the page tables themselves may be broken */
        panic_trap(frame, "exception %lu while explaining another",
                   frame->vector);
    }
    is_explaining = true;
    if (frame->vector == TRAP_PAGE_FAULT)
        page_fault(frame);
    if (frame->vector == TRAP_DOUBLE_FAULT && stack != NULL)
        panic_trap(frame, "double fault: overran the %s stack", stack);
    panic_trap(frame, "%s (vector %lu, error code %#lx)",
               name != NULL ? name : "unknown exception", frame->vector,
               frame->error_code);
}
