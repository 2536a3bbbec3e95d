/* SPDX-License-Identifier: MIT */
/*
 * The image is compiled with frame pointers; entry.S links the interrupted
 * code into the chain. Nothing on a stack is trusted: a frame must lie on one
 * of our stacks, and each stack is only walked upwards.
 */
#include "kernel/backtrace.h"

#include "kernel/console.h"
#include "kernel/image.h"
#include "kernel/stack.h"
#include "kernel/symbols.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    CALLS_MAX = 32,     /* printed */
    FRAMES_MAX = 10000, /* looked at, should the chain be a ring */
    FRAME_ALIGNMENT = 8,
};

struct frame_record {
    const struct frame_record *caller;
    uint64_t return_address;
};

static void print_call(uint64_t address)
{
    char name[SYMBOL_NAME_BYTES];
    uint64_t offset;

    if (symbol_find(address, name, &offset)) {
        log_print(LOG_ERROR, "panic", "  %016lx %s+0x%lx", address, name,
                  offset);
    } else {
        log_print(LOG_ERROR, "panic", "  %016lx (no function)", address);
    }
}

static bool is_readable(uint64_t frame)
{
    enum stack stack;

    return frame % FRAME_ALIGNMENT == 0 && stack_of(frame, &stack) &&
           !stack_is_guard(stack, frame) &&
           (uintptr_t)stack_top(stack) - frame >= sizeof(struct frame_record);
}

static bool is_upwards(uint64_t from, uint64_t to)
{
    enum stack stack_from, stack_to;

    if (!stack_of(from, &stack_from) || !stack_of(to, &stack_to))
        return false;
    return stack_from != stack_to || to > from;
}

static bool is_code(uint64_t address)
{
    return address >= (uintptr_t)text_start && address < (uintptr_t)text_end;
}

/* Where a jump to nowhere came from: the call has just pushed it. */
static void print_lost_caller(uint64_t stack_pointer)
{
    const struct frame_record *frame =
        (const struct frame_record *)(stack_pointer - sizeof(uint64_t));

    if (is_readable((uintptr_t)frame) && is_code(frame->return_address))
        print_call(frame->return_address - 1);
}

static void print_callers(uint64_t frame_pointer)
{
    uint64_t last = 0;
    unsigned repeats = 0, calls = 0;

    for (unsigned i = 0; i < FRAMES_MAX && calls < CALLS_MAX; i++) {
        const struct frame_record *frame =
            (const struct frame_record *)frame_pointer;
        uint64_t address;

        if (!is_readable(frame_pointer) || !is_code(frame->return_address))
            break;
        address = frame->return_address;
        repeats = address == last ? repeats + 1 : 0;
        if (repeats == 1)
            log_print(LOG_ERROR, "panic", "  ... recursively");
        if (repeats == 0) {
            /* Look up the call itself, which may end the function. */
            print_call(address - 1);
            calls++;
        }
        last = address;
        if (!is_upwards(frame_pointer, (uintptr_t)frame->caller))
            break;
        frame_pointer = (uintptr_t)frame->caller;
    }
}

void backtrace_print(uint64_t address, uint64_t frame_pointer,
                     uint64_t stack_pointer)
{
    print_call(address);
    if (!is_code(address))
        print_lost_caller(stack_pointer);
    print_callers(frame_pointer);
}
