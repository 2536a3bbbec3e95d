/* SPDX-License-Identifier: MIT */
/*
 * From the CPU's vectors to C: descriptor tables, and what entry.S leaves on
 * the stack. Exceptions (vectors 0 to 31) end in a panic; everything above is
 * an interrupt and goes to interrupt_dispatch().
 */
#pragma once

#include <stdint.h>

enum {
    TRAP_EXCEPTIONS = 32,
    TRAP_VECTORS = 80, /* as in entry.S; the CPU faults on any other */

    TRAP_NMI = 2,
    TRAP_DOUBLE_FAULT = 8,
    TRAP_PAGE_FAULT = 14,
    TRAP_MACHINE_CHECK = 18,

    /* Index into the interrupt stack table, 0 for the current stack. */
    TRAP_STACK_DOUBLE_FAULT = 1,
    TRAP_STACK_NMI = 2,
    TRAP_STACK_MACHINE_CHECK = 3,
};

/* The interrupted registers, lowest address first. */
struct interrupt_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error_code; /* for interrupts: nothing of use */
    uint64_t rip, cs, rflags, rsp, ss;
};

/* Segments, and the task state with the stacks of the fatal exceptions. */
void gdt_start(void);

/* Every vector leads to entry.S. */
void idt_start(void);

/* From entry.S. */
_Noreturn void exception_dispatch(const struct interrupt_frame *frame);
