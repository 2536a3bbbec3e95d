/* SPDX-License-Identifier: MIT */
/*
 * See self_test.h. Every fault ends in a panic; a test that comes back says
 * that the protection is missing.
 */
#include "kernel/self_test.h"

#include "kernel/assert.h"
#include "kernel/attributes.h"
#include "kernel/console.h"
#include "kernel/cpu.h"
#include "kernel/image.h"
#include "kernel/memory.h"
#include "kernel/panic.h"
#include "kernel/stack.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    CODE_RETURN = 0xc3, /* the RET instruction */
    OVERRUN_BYTES = 64,
    SMALL_BYTES = 16,
};

struct fault {
    const char *name;
    void (*cause)(void);
};

static const struct fault *chosen;
static bool is_panic_wanted;

static const uint8_t constant_code[] = {CODE_RETURN};
static uint8_t data_code[] = {CODE_RETURN};

/* Integers keep the compilers from seeing what these addresses are. */
static volatile uintptr_t target;

static void write_to(uintptr_t address)
{
    target = address;
    *(volatile uint8_t *)target = CODE_RETURN;
}

static void execute(uintptr_t address)
{
    target = address;
    ((void (*)(void))target)();
}

static void write_text(void)
{
    write_to((uintptr_t)text_start);
}

static void write_constant(void)
{
    write_to((uintptr_t)constant_code);
}

static void execute_data(void)
{
    execute((uintptr_t)data_code);
}

static void execute_constant(void)
{
    execute((uintptr_t)constant_code);
}

static void execute_stack(void)
{
    volatile uint8_t code[] = {CODE_RETURN};

    execute((uintptr_t)code);
}

static void execute_direct_map(void)
{
    uint8_t *code = memory_take(sizeof(data_code), 0);

    ASSERT(code != NULL);
    *code = CODE_RETURN;
    execute((uintptr_t)code);
}

static void read_null(void)
{
    target = 0;
    target = *(volatile uint8_t *)target;
}

static void write_null(void)
{
    write_to(offsetof(struct fault, cause));
}

static void call_null(void)
{
    execute(0);
}

/* The image has no second address in the direct map. */
static void write_text_alias(void)
{
    write_to((uintptr_t)memory_direct(memory_physical(text_start)));
}

/* The frame is small, so that no call can jump over the guard page. */
static uint64_t recurse(volatile uint64_t depth)
{
    if (depth == UINT64_MAX)
        return 0;
    return recurse(depth + 1) + depth;
}

static void overflow_stack(void)
{
    target = recurse(0);
}

static void overflow_softirq_stack(void)
{
    stack_call(overflow_stack, stack_top(STACK_SOFTIRQ));
}

static void overrun_buffer(void)
{
    volatile uint8_t small[SMALL_BYTES];

    target = (uintptr_t)small;
    memset((void *)target, 0, OVERRUN_BYTES);
}

static void fail_assertion(void)
{
    ASSERT(target == UINTPTR_MAX);
}

static void use_non_canonical(void)
{
    write_to(UINT64_C(1) << 62);
}

static const struct fault faults[] = {
    {"write-text", write_text},
    {"write-text-alias", write_text_alias},
    {"write-rodata", write_constant},
    {"exec-data", execute_data},
    {"exec-rodata", execute_constant},
    {"exec-stack", execute_stack},
    {"exec-direct", execute_direct_map},
    {"null", read_null},
    {"null-write", write_null},
    {"null-call", call_null},
    {"stack-overflow", overflow_stack},
    {"softirq-stack-overflow", overflow_softirq_stack},
    {"stack-smash", overrun_buffer},
    {"divide", cpu_divide_by_zero},
    {"undefined", cpu_undefined_instruction},
    {"breakpoint", cpu_breakpoint},
    {"non-canonical", use_non_canonical},
    {"assert", fail_assertion},
};

static bool choose_panic(const char *name, const char *value)
{
    (void)name;
    is_panic_wanted = value == NULL;
    return is_panic_wanted;
}

static bool choose_fault(const char *name, const char *value)
{
    (void)name;
    for (size_t i = 0; value != NULL && i < ARRAY_COUNT(faults); i++) {
        if (strcmp(faults[i].name, value) == 0) {
            chosen = &faults[i];
            return true;
        }
    }
    return false;
}

const struct command_word self_test_words[SELF_TEST_WORDS] = {
    {"panic-test", choose_panic},
    {"fault-test", choose_fault},
};

void self_test_run(void)
{
    if (is_panic_wanted)
        panic("asked for by panic-test");
    if (chosen != NULL) {
        log_print(LOG_INFO, "fault test", "%s", chosen->name);
        chosen->cause();
        log_print(LOG_ERROR, "fault test", "%s was not caught", chosen->name);
    }
}
