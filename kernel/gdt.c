/* SPDX-License-Identifier: MIT */
/*
 * Segments of 64-bit mode (Intel SDM 3A 3.4.5 and 8.7): flat code and data,
 * and the task state segment, here just the table of the stacks that double
 * fault, NMI and machine check switch to whatever RSP was worth.
 */
#include "kernel/trap.h"

#include "kernel/cpu.h"
#include "kernel/stack.h"

#include <assert.h>

enum {
    SLOT_TASK = CPU_SELECTOR_TASK / 8,
    SLOTS = SLOT_TASK + 2, /* a system descriptor takes two */
};

#define DESCRIPTOR_CODE UINT64_C(0x00af9b000000ffff) /* 64-bit, accessed */
#define DESCRIPTOR_DATA UINT64_C(0x00cf93000000ffff) /* writable, accessed */
#define DESCRIPTOR_TASK UINT64_C(0x0000890000000000) /* present, available */

/* As 32-bit halves, since its 64-bit fields are not aligned. */
struct task_state {
    uint32_t reserved;
    uint32_t stack_by_privilege[6];
    uint32_t reserved_ist[2];
    uint32_t interrupt_stack[7][2]; /* IST 1 to 7 */
    uint32_t reserved_end[2];
    uint16_t reserved_io;
    uint16_t io_map; /* beyond the limit: none */
};

static_assert(sizeof(struct task_state) == 104, "Intel SDM figure 8-11");

static uint64_t gdt[SLOTS];
static struct task_state task_state;

static void set_interrupt_stack(unsigned index, enum stack stack)
{
    uint64_t top = (uintptr_t)stack_top(stack);

    task_state.interrupt_stack[index - 1][0] = (uint32_t)top;
    task_state.interrupt_stack[index - 1][1] = (uint32_t)(top >> 32);
}

void gdt_start(void)
{
    uint64_t base = (uintptr_t)&task_state;
    uint64_t limit = sizeof(task_state) - 1;
    struct cpu_table_pointer pointer = {.limit = sizeof(gdt) - 1,
                                        .base = (uintptr_t)gdt};

    set_interrupt_stack(TRAP_STACK_DOUBLE_FAULT, STACK_DOUBLE_FAULT);
    set_interrupt_stack(TRAP_STACK_NMI, STACK_NMI);
    set_interrupt_stack(TRAP_STACK_MACHINE_CHECK, STACK_MACHINE_CHECK);
    task_state.io_map = sizeof(task_state);

    gdt[CPU_SELECTOR_CODE / 8] = DESCRIPTOR_CODE;
    gdt[CPU_SELECTOR_DATA / 8] = DESCRIPTOR_DATA;
    gdt[SLOT_TASK] = DESCRIPTOR_TASK | limit | (base & 0xffffff) << 16 |
                     (base >> 24 & 0xff) << 56;
    gdt[SLOT_TASK + 1] = base >> 32;

    cpu_lgdt(&pointer);
    cpu_load_segments();
    cpu_ltr(CPU_SELECTOR_TASK);
}
