/* SPDX-License-Identifier: MIT */
/*
 * Softirqs on one processor. Everything here that is shared with hardirqs is
 * touched with interrupts off, but for the pending bits, which are atomic.
 */
#include "kernel/softirq.h"
#include "kernel/assert.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/softirq_policy.h"
#include "kernel/stack.h"
#include "kernel/translations.h"

#include <stdatomic.h>
#include <stddef.h>

/* How an idle processor looks for work before it halts: the end of a halt is
 * dear, and a card that moderates interrupts holds them back (QEMU's always
 * does: for 128 us after the last one). */
enum {
    SPIN_NS = 100000,       /* looked at most; what comes later is waited for */
    SPIN_WORTH_NS = 150000, /* so short a halt means: looking might have paid */
    SPINS_IN_VAIN = 4,      /* in a row, before it halts at once again */
};

/* Per processor, when there are more. */
static struct {
    atomic_uint pending; /* one bit per vector */
    unsigned int lock_depth;
    bool is_running;
    bool is_app_waiting; /* in softirq_idle() */
    enum softirq_context context;
    uint64_t context_since_ns;
    unsigned int spins_left;
    struct softirq_policy policy;
    uint64_t share_end_ns; /* of the app's present share; 0: not asked for */
    struct softirq_counters counters;
} cpu;

static void (*handlers[SOFTIRQ_COUNT])(uint64_t now_ns);
static uint64_t (*next_deadline)(void);
static void (*before_idle)(void);
static bool (*idle_look)(void);

void softirq_init(void)
{
    cpu.context = CONTEXT_APP;
    cpu.context_since_ns = clock_now_ns();
}

void softirq_register(enum softirq vector, void (*handler)(uint64_t now_ns))
{
    handlers[vector] = handler;
}

void softirq_set_deadline_source(uint64_t (*source)(void))
{
    next_deadline = source;
}

static unsigned int pending_bits(void)
{
    return atomic_load_explicit(&cpu.pending, memory_order_relaxed);
}

void softirq_raise(enum softirq vector)
{
    atomic_fetch_or_explicit(&cpu.pending, 1U << vector, memory_order_relaxed);
}

/* Books the time since the last change; interrupts off. */
static uint64_t enter_context(enum softirq_context next)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t passed_ns = now_ns - cpu.context_since_ns;

    cpu.counters.context_ns[cpu.context] += passed_ns;
    if (cpu.context == CONTEXT_APP)
        softirq_policy_app_ran(&cpu.policy, passed_ns);
    cpu.context = next;
    cpu.context_since_ns = now_ns;
    return now_ns;
}

/* Returns the time when they are done. */
static uint64_t run_handlers(unsigned int bits, uint64_t now_ns)
{
    for (unsigned int vector = 0; bits >> vector != 0; vector++) {
        if ((bits >> vector & 1) == 0 || handlers[vector] == NULL)
            continue;
        uint64_t start_ns = now_ns;
        handlers[vector](now_ns);
        now_ns = clock_now_ns();
        cpu.counters.runs[vector]++;
        cpu.counters.run_ns[vector] += now_ns - start_ns;
    }
    return now_ns;
}

/* While the app waits a round is one turn, so that it may look; but each
 * vector that is pending gets its turn. */
static bool may_restart(unsigned int ran, uint64_t spent_ns, unsigned int turns)
{
    unsigned int bits = pending_bits();

    if (bits == 0 || (cpu.is_app_waiting && (bits & ~ran) == 0))
        return false;
    return softirq_policy_may_restart(spent_ns, turns);
}

/* The body of a round, on the softirq stack; interrupts off but while the
 * handlers run. */
static void run_round_on_stack(void)
{
    uint64_t start_ns = enter_context(CONTEXT_SOFTIRQ);
    uint64_t now_ns = start_ns;
    uint64_t spent_ns;
    unsigned int turns = 0;
    unsigned int ran = 0;

    translations_refresh(now_ns);
    do {
        unsigned int bits =
            atomic_exchange_explicit(&cpu.pending, 0, memory_order_relaxed);
        cpu_interrupts_enable();
        now_ns = run_handlers(bits, now_ns);
        cpu_interrupts_disable();
        turns++;
        ran |= bits;
        spent_ns = now_ns - start_ns;
    } while (may_restart(ran, spent_ns, turns));

    bool is_exhausted = pending_bits() != 0;
    cpu.counters.rounds++;
    if (is_exhausted && !cpu.is_app_waiting)
        cpu.counters.squeezed++;
    softirq_policy_round_ran(&cpu.policy, spent_ns, is_exhausted);
}

/* Softirqs are kept out. While SOFTIRQ_TIMER is pending its source would only
 * name what is already due. */
static void arm_next_deadline(void)
{
    if (next_deadline == NULL || pending_bits() & 1U << SOFTIRQ_TIMER)
        return;
    clock_arm(next_deadline());
}

/* Interrupts off. Work was left over: it comes back by itself once the app has
 * had its share. The share is app time, and this clock runs through interrupts,
 * too: a little more, so that one wake-up is enough. It is asked for at every
 * unlock, and stays the same moment: to program the timer is dear. */
static void arm_end_of_share(void)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t debt_ns = cpu.policy.debt_ns;

    if (cpu.share_end_ns <= now_ns)
        cpu.share_end_ns = now_ns + debt_ns + debt_ns / 16;
    clock_arm(cpu.share_end_ns);
}

static void run_round(void)
{
    cpu.is_running = true;
    cpu.share_end_ns = 0;
    stack_call(run_round_on_stack, stack_top(STACK_SOFTIRQ));
    arm_next_deadline();
    /* An app that waits comes to an unlock or to another idle. */
    if (pending_bits() != 0 && !cpu.is_app_waiting)
        arm_end_of_share();
    cpu.is_running = false;
}

/* Interrupts off, softirqs allowed but for the app's share. */
static void run_pending(void)
{
    if (pending_bits() == 0)
        return;
    if (cpu.policy.is_deferred) {
        cpu.counters.deferred++;
        arm_end_of_share();
    } else {
        run_round();
    }
}

enum softirq_context softirq_enter_hardirq(void)
{
    enum softirq_context before = cpu.context;

    uint64_t since_ns = cpu.context_since_ns;
    uint64_t now_ns = enter_context(CONTEXT_HARDIRQ);

    if (before == CONTEXT_IDLE) {
        softirq_policy_app_idles(&cpu.policy);
        if (now_ns - since_ns < SPIN_WORTH_NS)
            cpu.spins_left = SPINS_IN_VAIN;
    }
    return before;
}

void softirq_leave_hardirq(enum softirq_context before)
{
    if (!cpu.is_running && cpu.lock_depth == 0)
        run_pending();
    enter_context(before);
}

void softirq_lock(void)
{
    cpu.lock_depth++;
    cpu_barrier_compiler(); /* nothing moves out of the locked part */
}

/* Interrupts on and nobody holds the lock, but work has piled up. */
static void catch_up(void)
{
    bool were_enabled = cpu_interrupts_save();

    /* With interrupts still off (early boot) it waits for the first idle. */
    if (were_enabled) {
        enter_context(CONTEXT_APP);
        run_pending();
        enter_context(CONTEXT_APP);
    }
    cpu_interrupts_restore(were_enabled);
}

void softirq_unlock(void)
{
    ASSERT(cpu.lock_depth != 0);
    if (cpu.lock_depth > 1 || cpu.is_running) {
        cpu.lock_depth--;
        return;
    }
    arm_next_deadline(); /* still locked: the source may be asked */
    cpu_barrier_compiler();
    cpu.lock_depth = 0;
    cpu_barrier_compiler();
    /* Unlocked first: what is raised from now on runs on the way out of its
     * interrupt, what was raised before is seen here. */
    if (pending_bits() != 0)
        catch_up();
}

void softirq_set_before_idle(void (*hook)(void))
{
    before_idle = hook;
}

void softirq_set_idle_look(bool (*look)(void))
{
    idle_look = look;
}

/* Interrupts off, nothing pending. True: now something is. */
static bool spin(uint64_t now_ns, uint64_t deadline_ns)
{
    uint64_t end_ns = now_ns + SPIN_NS;

    if (idle_look == NULL || cpu.spins_left == 0)
        return false;
    if (next_deadline != NULL && next_deadline() < deadline_ns)
        deadline_ns = next_deadline();
    if (end_ns > deadline_ns)
        end_ns = deadline_ns;
    cpu.spins_left--;
    cpu.counters.spins++;
    do {
        if (idle_look()) {
            cpu.spins_left = SPINS_IN_VAIN;
            cpu.counters.spun++;
            return true;
        }
    } while (clock_now_ns() < end_ns);
    return false;
}

/* Interrupts off, nothing pending. */
static void spin_or_halt(uint64_t deadline_ns)
{
    uint64_t now_ns = enter_context(CONTEXT_IDLE);

    if (now_ns >= deadline_ns)
        return;
    if (spin(now_ns, deadline_ns)) {
        run_round();
        return;
    }
    enter_context(CONTEXT_IDLE);
    arm_next_deadline();
    clock_arm(deadline_ns);
    /* Nothing is pending and nothing can become so before the halt. */
    cpu_idle_enable_interrupts();
    cpu_interrupts_disable();
}

void softirq_idle(uint64_t deadline_ns)
{
    ASSERT(cpu.lock_depth == 1);
    ASSERT(!cpu.is_running);
    if (before_idle != NULL)
        before_idle();
    cpu_interrupts_disable();
    cpu.lock_depth = 0;
    cpu.is_app_waiting = true;
    softirq_policy_app_idles(&cpu.policy);
    if (pending_bits() != 0)
        run_round();
    else
        spin_or_halt(deadline_ns);
    enter_context(CONTEXT_APP);
    cpu.is_app_waiting = false;
    cpu.lock_depth = 1;
    cpu_interrupts_enable();
}

bool softirq_is_running(void)
{
    return cpu.is_running;
}

const struct softirq_counters *softirq_counters(void)
{
    bool were_enabled = cpu_interrupts_save();

    enter_context(cpu.context);
    cpu_interrupts_restore(were_enabled);
    return &cpu.counters;
}
