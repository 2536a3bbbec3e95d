/* SPDX-License-Identifier: MIT */
/*
 * The interrupt descriptor table (Intel SDM 3A 6.14.1). Interrupt gates only:
 * every handler starts with interrupts off.
 */
#include "kernel/trap.h"

#include "kernel/cpu.h"
#include "kernel/interrupt.h"

#include <stdint.h>

enum {
    EXCEPTION_STUB_BYTES = 16, /* as in entry.S, and the next */
    INTERRUPT_STUB_BYTES = 8,
    GATE_PRESENT = 0x8e, /* 64-bit interrupt gate, privilege 0 */

    CPUID_EDX_MCE = 1 << 7, /* leaf 1 */
    CR4_MCE = 1 << 6,
};

_Static_assert((int)INTERRUPT_VECTOR_COUNT == (int)TRAP_VECTORS,
               "a gate for every vector in use");

struct gate {
    uint16_t offset_low, selector;
    uint8_t interrupt_stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

extern char exception_stubs[], interrupt_stubs[];

static uintptr_t stub_of(unsigned vector)
{
    if (vector < TRAP_EXCEPTIONS)
        return (uintptr_t)exception_stubs + vector * EXCEPTION_STUB_BYTES;
    return (uintptr_t)interrupt_stubs +
           (vector - TRAP_EXCEPTIONS) * INTERRUPT_STUB_BYTES;
}

static struct gate idt[TRAP_VECTORS];

void idt_start(void)
{
    struct cpu_table_pointer pointer = {.limit = sizeof(idt) - 1,
                                        .base = (uintptr_t)idt};

    for (unsigned i = 0; i < TRAP_VECTORS; i++) {
        uint64_t stub = stub_of(i);

        idt[i] = (struct gate){
            .offset_low = (uint16_t)stub,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
            .selector = CPU_SELECTOR_CODE,
            .type = GATE_PRESENT,
        };
    }
    idt[TRAP_DOUBLE_FAULT].interrupt_stack = TRAP_STACK_DOUBLE_FAULT;
    idt[TRAP_NMI].interrupt_stack = TRAP_STACK_NMI;
    idt[TRAP_MACHINE_CHECK].interrupt_stack = TRAP_STACK_MACHINE_CHECK;
    cpu_lidt(&pointer);
    /* Else a machine check is a reset without a word. */
    if ((cpu_cpuid(1, 0).edx & CPUID_EDX_MCE) != 0)
        cpu_write_cr4(cpu_read_cr4() | CR4_MCE);
}
