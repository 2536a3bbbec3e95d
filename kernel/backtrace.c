/* SPDX-License-Identifier: MIT */
/*
 * Who called whom, read off the stack. Only the kernel is compiled with frame
 * pointers; the rooms above use the register for work. So every word of the
 * stack that is the address behind a call is printed. One that fits what was
 * called from there, or that a frame record names, is certain; the others may
 * be left over from calls that are over, and get a question mark. Nothing on a
 * stack is trusted: each is only walked upwards.
 */
#include "kernel/backtrace.h"

#include "kernel/console.h"
#include "kernel/image.h"
#include "kernel/memory.h"
#include "kernel/stack.h"
#include "kernel/symbols.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    CALLS_MAX = 32,     /* printed */
    WORDS_MAX = 20000,  /* looked at: more than the largest stack has */
    CALL_BYTES = 5,     /* E8 and a distance */
    CALL_BYTES_MAX = 7, /* FF, ModRM, SIB and a distance */
    WORD = 8,
};

/* What a function with a frame pointer pushes first, below its return
 * address; entry.S does the same for interrupted code. */
struct frame_record {
    uint64_t caller;
    uint64_t return_address;
};

struct walk {
    uint64_t at;    /* the word to look at */
    uint64_t frame; /* the frame record that comes next, or anything else */
    uint64_t inner; /* the address printed last */
    unsigned calls;
    bool is_repeated;
};

static void print_call(uint64_t address, bool is_certain)
{
    char name[SYMBOL_NAME_BYTES];
    const char *mark = is_certain ? "" : "? ";
    uint64_t offset;

    if (symbol_find(address, name, &offset)) {
        log_print(LOG_ERROR, "panic", "  %016lx %s%s+0x%lx", address, mark,
                  name, offset);
    } else {
        log_print(LOG_ERROR, "panic", "  %016lx (no function)", address);
    }
}

/* A word on one of our stacks, with room for `bytes`. */
static bool is_readable(uint64_t at, size_t bytes)
{
    enum stack stack;

    return at % WORD == 0 && stack_of(at, &stack) &&
           !stack_is_guard(stack, at) &&
           (uintptr_t)stack_top(stack) - at >= bytes;
}

static uint64_t word_at(uint64_t at)
{
    return *(const uint64_t *)at;
}

static bool is_code(uint64_t address)
{
    return address >= (uintptr_t)text_start && address < (uintptr_t)text_end;
}

/* SDM vol. 2, CALL: E8 with a distance, or FF /2 with one of its operands. */
static bool is_behind_call(uint64_t address)
{
    const uint8_t *end = (const uint8_t *)address;

    if (!is_code(address) || address - (uintptr_t)text_start < CALL_BYTES_MAX)
        return false;
    if (end[-CALL_BYTES] == 0xe8)
        return true;
    for (int length = 2; length <= CALL_BYTES_MAX; length++) {
        if (end[-length] == 0xff && (end[1 - length] >> 3 & 7) == 2)
            return true;
    }
    return false;
}

/* Whether the call before `address` goes to the function `inner` lies in. */
static bool is_call_of(uint64_t address, uint64_t inner)
{
    const uint8_t *end = (const uint8_t *)address;
    char name[SYMBOL_NAME_BYTES];
    uint64_t offset;
    int32_t distance;

    if (end[-CALL_BYTES] != 0xe8 || !symbol_find(inner, name, &offset))
        return false;
    __builtin_memcpy(&distance, end - sizeof(distance), sizeof(distance));
    return address + (uint64_t)(int64_t)distance == inner - offset;
}

/* A stack's highest words are the first frame record on it, which leads to
 * the stack that was left for it. */
static bool leave_stack(struct walk *walk)
{
    enum stack stack, below;
    uint64_t last;

    if (!stack_of(walk->at - WORD, &stack))
        return false;
    last = (uintptr_t)stack_top(stack) - sizeof(struct frame_record);
    if (walk->at <= last || !is_readable(word_at(last), WORD) ||
        !stack_of(word_at(last), &below) || below == stack)
        return false;
    walk->at = walk->frame = word_at(last);
    return true;
}

static void take_return_address(struct walk *walk, uint64_t address,
                                bool is_certain)
{
    /* Look up the call itself, which may end the function. */
    if (address - 1 == walk->inner) {
        if (!walk->is_repeated)
            log_print(LOG_ERROR, "panic", "  ... recursively");
        walk->is_repeated = true;
        return;
    }
    print_call(address - 1, is_certain || is_call_of(address, walk->inner));
    walk->inner = address - 1;
    walk->is_repeated = false;
    walk->calls++;
}

static void look_at_word(struct walk *walk)
{
    uint64_t word = word_at(walk->at);
    uint64_t record = walk->at - offsetof(struct frame_record, return_address);
    bool is_in_record = record == walk->frame;

    if (is_in_record || is_behind_call(word)) {
        if (is_code(word))
            take_return_address(walk, word, is_in_record);
        /* The chain goes on, or begins anew, if what lies below leads up. */
        if (walk->frame <= walk->at && is_readable(record, WORD))
            walk->frame = word_at(record);
    }
    walk->at += WORD;
}

/* The lowest word worth a look: a stack that was overrun begins behind its
 * guard page. */
static uint64_t first_word(uint64_t stack_pointer)
{
    enum stack stack;

    if (stack_of(stack_pointer, &stack) && stack_is_guard(stack, stack_pointer))
        return (uintptr_t)stack_guard(stack) + PAGE_BYTES;
    return stack_pointer & ~(uint64_t)(WORD - 1);
}

void backtrace_print(uint64_t address, uint64_t frame_pointer,
                     uint64_t stack_pointer)
{
    struct walk walk = {.at = first_word(stack_pointer),
                        .frame = frame_pointer,
                        .inner = address};

    print_call(address, true);
    for (unsigned i = 0; i < WORDS_MAX && walk.calls < CALLS_MAX; i++) {
        if (is_readable(walk.at, WORD))
            look_at_word(&walk);
        else if (!leave_stack(&walk))
            break;
    }
}
