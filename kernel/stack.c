/* SPDX-License-Identifier: MIT */
/*
 * The stacks that linker.ld lays out, by name.
 */
#include "kernel/stack.h"

#include "kernel/memory.h"

extern char stack_app_guard[], stack_app_top[];
extern char stack_softirq_guard[], stack_softirq_top[];
extern char stack_double_fault_guard[], stack_double_fault_top[];
extern char stack_nmi_guard[], stack_nmi_top[];
extern char stack_machine_check_guard[], stack_machine_check_top[];

static const struct {
    const char *name;
    char *guard, *top;
} stacks[STACK_COUNT] = {
    [STACK_APP] = {"app", stack_app_guard, stack_app_top},
    [STACK_SOFTIRQ] = {"softirq", stack_softirq_guard, stack_softirq_top},
    [STACK_DOUBLE_FAULT] = {"double fault", stack_double_fault_guard,
                            stack_double_fault_top},
    [STACK_NMI] = {"NMI", stack_nmi_guard, stack_nmi_top},
    [STACK_MACHINE_CHECK] = {"machine check", stack_machine_check_guard,
                             stack_machine_check_top},
};

void *stack_top(enum stack stack)
{
    return stacks[stack].top;
}

const char *stack_name(enum stack stack)
{
    return stacks[stack].name;
}

const void *stack_guard(enum stack stack)
{
    return stacks[stack].guard;
}

bool stack_of(uint64_t address, enum stack *stack)
{
    for (unsigned i = 0; i < STACK_COUNT; i++) {
        if (address >= (uintptr_t)stacks[i].guard &&
            address < (uintptr_t)stacks[i].top) {
            *stack = (enum stack)i;
            return true;
        }
    }
    return false;
}

bool stack_is_guard(enum stack stack, uint64_t address)
{
    uintptr_t guard = (uintptr_t)stacks[stack].guard;

    return address >= guard && address < guard + PAGE_BYTES;
}
