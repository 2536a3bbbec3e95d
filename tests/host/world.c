/* SPDX-License-Identifier: MIT */
/*
 * The virtual clock, the events, and who runs next. Softirqs of a stack run
 * whenever its app is not inside; they take no virtual time.
 */
#include "tests/host/world.h"

#include "net/net_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENTS_MAX = 1 << 20,
    STACKS_MAX = 2,
    /* Steps without time advancing that are taken for a livelock. */
    STEPS_PER_INSTANT = 1000 * 1000,
    LOG_SIZE = 1 << 16,
    FILLED = 64 << 10,
};

struct event {
    uint64_t time_ns;
    uint64_t order;
    void (*run)(void *context);
    void *context;
};

static struct {
    uint64_t now_ns;
    uint64_t random;
    uint64_t entropy; /* what the stacks draw from: a sequence of its own */
    uint64_t order;
    uint64_t steps;
    struct event *heap;
    size_t events;
    size_t heap_size;
    struct world_stack stacks[STACKS_MAX];
    size_t stack_count;
    struct world_stack *current;
    char log[LOG_SIZE];
    size_t log_length;
} world;

bool world_log_is_printed;

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void world_start(uint64_t seed)
{
    for (size_t i = 0; i < world.stack_count; i++) {
        free(world.stacks[i].memory);
    }
    free(world.heap);
    memset(&world, 0, sizeof(world));
    world.random = seed;
    world.entropy = seed ^ UINT64_C(0x5851f42d4c957f2d);
    capture_start();
}

struct world_stack *world_stack_add(const char *name, size_t memory_size)
{
    if (world.stack_count == STACKS_MAX) {
        world_fail("a third stack");
    }
    struct world_stack *stack = &world.stacks[world.stack_count];
    stack->call =
        world.stack_count == 0 ? &stack_functions : &peer_stack_functions;
    world.stack_count++;
    stack->name = name;
    stack->memory = calloc(1, memory_size);
    stack->memory_size = memory_size;
    world.current = stack;
    if (stack->memory == NULL || stack->call->net_init(world.now_ns) != 0) {
        world_fail("net_init failed");
    }
    if (stack == world.stacks) {
        net_host_init(); /* the one that sockets are of */
    }
    return stack;
}

uint64_t world_now(void)
{
    return world.now_ns;
}

uint64_t world_random(void)
{
    return splitmix(&world.random);
}

bool world_chance(uint32_t ppm)
{
    return ppm != 0 && world_random() % 1000000 < ppm;
}

static bool event_earlier(const struct event *a, const struct event *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns
                                    : a->order < b->order;
}

static void event_swap(size_t a, size_t b)
{
    struct event event = world.heap[a];
    world.heap[a] = world.heap[b];
    world.heap[b] = event;
}

void world_at(uint64_t time_ns, void (*run)(void *context), void *context)
{
    if (world.events == world.heap_size) {
        world.heap_size = world.heap_size == 0 ? 64 : 2 * world.heap_size;
        world.heap =
            realloc(world.heap, world.heap_size * sizeof(world.heap[0]));
        if (world.heap == NULL || world.heap_size > EVENTS_MAX) {
            world_fail("too many events");
        }
    }
    size_t at = world.events++;
    world.heap[at] = (struct event){
        .time_ns = time_ns < world.now_ns ? world.now_ns : time_ns,
        .order = world.order++,
        .run = run,
        .context = context,
    };
    while (at > 0 &&
           event_earlier(&world.heap[at], &world.heap[(at - 1) / 2])) {
        event_swap(at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static struct event event_take(void)
{
    struct event first = world.heap[0];
    world.heap[0] = world.heap[--world.events];
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child >= world.events) {
            return first;
        }
        if (child + 1 < world.events &&
            event_earlier(&world.heap[child + 1], &world.heap[child])) {
            child++;
        }
        if (!event_earlier(&world.heap[child], &world.heap[at])) {
            return first;
        }
        event_swap(at, child);
        at = child;
    }
}

static void stack_softirq_done(struct world_stack *stack)
{
    if (stack->application != NULL) {
        stack->application(stack->context);
    }
}

/* A stack whose receive softirq is pending and may run. */
static bool run_receive(void)
{
    for (size_t i = 0; i < world.stack_count; i++) {
        struct world_stack *stack = &world.stacks[i];
        if (!stack->receive_raised || stack->is_locked) {
            continue;
        }
        struct world_stack *before = world.current;
        world.current = stack;
        stack->receive_raised = false;
        if (stack->call->net_receive_softirq(world.now_ns)) {
            stack->receive_raised = true;
        }
        stack_softirq_done(stack);
        world.current = before;
        return true;
    }
    return false;
}

static bool run_timers(void)
{
    for (size_t i = 0; i < world.stack_count; i++) {
        struct world_stack *stack = &world.stacks[i];
        if (stack->is_locked ||
            stack->call->net_next_deadline() > world.now_ns) {
            continue;
        }
        struct world_stack *before = world.current;
        world.current = stack;
        stack->call->net_timer_softirq(world.now_ns);
        stack_softirq_done(stack);
        world.current = before;
        return true;
    }
    return false;
}

static uint64_t next_deadline(void)
{
    uint64_t next = world.events > 0 ? world.heap[0].time_ns : PLATFORM_NEVER;
    for (size_t i = 0; i < world.stack_count; i++) {
        uint64_t deadline = world.stacks[i].is_locked
                                ? PLATFORM_NEVER
                                : world.stacks[i].call->net_next_deadline();
        next = deadline < next ? deadline : next;
    }
    return next;
}

bool world_step(uint64_t until_ns)
{
    if (++world.steps > STEPS_PER_INSTANT) {
        world_fail("livelock: time does not advance");
    }
    if (run_receive()) {
        return true;
    }
    if (world.events > 0 && world.heap[0].time_ns <= world.now_ns) {
        struct event event = event_take();
        event.run(event.context);
        return true;
    }
    if (run_timers()) {
        return true;
    }
    uint64_t next = next_deadline();
    if (next > until_ns || next == PLATFORM_NEVER) {
        if (until_ns != PLATFORM_NEVER && until_ns > world.now_ns) {
            world.now_ns = until_ns;
            world.steps = 0;
        }
        return false;
    }
    if (next > world.now_ns) {
        world.now_ns = next;
        world.steps = 0;
    }
    return true;
}

void world_run_until(uint64_t time_ns)
{
    while (world_step(time_ns)) {
    }
}

void world_run_for(uint64_t duration_ns)
{
    world_run_until(world.now_ns + duration_ns);
}

void world_run_out(void)
{
    while (world_step(PLATFORM_NEVER)) {
    }
}

const struct stack_functions *world_enter(struct world_stack *stack)
{
    if (stack->is_locked) {
        world_fail("the lock does not nest");
    }
    world.current = stack;
    stack->is_locked = true;
    return stack->call;
}

void world_leave(struct world_stack *stack)
{
    stack->call->tcp_run_pending(world.now_ns);
    stack->call->netif_flush();
    stack->is_locked = false;
}

_Noreturn void world_fail(const char *text)
{
    fprintf(stderr, "world: %s at %llu ns\n%s", text,
            (unsigned long long)world.now_ns, world.log);
    abort();
}

const char *world_log_text(void)
{
    return world.log;
}

/* ---- net/platform.h ------------------------------------------------------ */

uint64_t platform_now_ns(void)
{
    return world.now_ns;
}

void platform_idle(uint64_t deadline_ns)
{
    struct world_stack *stack = world.current;
    stack->is_locked = false;
    if (deadline_ns > world.now_ns && !world_step(deadline_ns) &&
        deadline_ns == PLATFORM_NEVER) {
        world_fail("silence: somebody waits and nothing is scheduled");
    }
    world.current = stack;
    stack->is_locked = true;
}

void platform_lock(void)
{
    (void)world_enter(world.current);
}

void platform_unlock(void)
{
    world.current->is_locked = false;
    while (run_receive()) {
    }
}

void platform_raise_receive(void)
{
    world.current->receive_raised = true;
}

void platform_random(void *bytes, size_t length)
{
    uint8_t *octet = bytes;
    for (size_t i = 0; i < length; i++) {
        octet[i] = (uint8_t)splitmix(&world.entropy);
    }
}

uint64_t platform_cycles(void)
{
    return platform_now_ns();
}

void platform_log(enum platform_log_level level, const char *part,
                  const char *format, ...)
{
    char text[256];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    if (world_log_is_printed) {
        fprintf(stderr, "[%12.6f] %s: %s: %s\n", (double)world.now_ns / 1e9,
                world.current == NULL ? "-" : world.current->name, part, text);
    }
    if (level == PLATFORM_DEBUG) {
        return;
    }
    size_t room = LOG_SIZE - world.log_length;
    int length =
        snprintf(world.log + world.log_length, room, "%s: %s\n", part, text);
    if (length > 0 && (size_t)length < room) {
        world.log_length += (size_t)length;
    }
}

void *platform_memory(size_t bytes, size_t alignment)
{
    struct world_stack *stack = world.current;
    uintptr_t base = (uintptr_t)stack->memory;
    uintptr_t from = (base + stack->memory_used + alignment - 1) &
                     ~(uintptr_t)(alignment - 1);
    if (bytes > stack->memory_size ||
        from - base > stack->memory_size - bytes) {
        return NULL;
    }
    stack->memory_used = from - base + bytes;
    return stack->memory + (from - base);
}

/* Whoever counts on zeroes shall see it: in the objects a pool hands out first.
 * To touch all of every pool was half of what short tests cost. */
void *platform_memory_untouched(size_t bytes, size_t alignment)
{
    void *memory = platform_memory(bytes, alignment);

    if (memory != NULL)
        memset(memory, 0xa5, bytes < FILLED ? bytes : FILLED);
    return memory;
}

size_t platform_memory_size(void)
{
    return world.current->memory_size;
}

_Noreturn void platform_assert_failed(const char *condition, const char *file,
                                      int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
    world_fail("assertion");
}
