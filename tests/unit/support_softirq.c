/* SPDX-License-Identifier: MIT */
#include "tests/unit/support_softirq.h"

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/softirq.h"
#include "kernel/stack.h"
#include "kernel/translations.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct fake_processor fake;

static bool is_on_softirq_stack;
static int depth;

/* The processor. */

uint64_t clock_now_ns(void)
{
    return fake.now_ns;
}

void clock_arm(uint64_t at_ns)
{
    if (at_ns >= fake.armed_ns)
        return;
    fake.armed_ns = at_ns;
    fake.armings++;
}

void *stack_top(enum stack stack)
{
    return stack == STACK_SOFTIRQ ? &is_on_softirq_stack : NULL;
}

void stack_call(void (*function)(void), void *top)
{
    cr_assert_eq(top, &is_on_softirq_stack);
    cr_assert_not(is_on_softirq_stack, "a round inside a round");
    is_on_softirq_stack = true;
    function();
    is_on_softirq_stack = false;
}

void translations_refresh(uint64_t round_ns)
{
    cr_assert_eq(round_ns, fake.now_ns);
    fake.refreshes++;
}

void assert_failed(const char *claim, const char *file, int line)
{
    cr_log_error("%s (%s:%d)", claim, file, line);
    abort();
}

void fake_interrupt(void (*handler)(void))
{
    cr_assert(fake.interrupts_enabled);
    fake.interrupts_enabled = false;
    enum softirq_context before = softirq_enter_hardirq();
    fake.now_ns += US;
    handler();
    softirq_leave_hardirq(before);
    fake.interrupts_enabled = true;
}

void fake_idle(uint64_t until_ns)
{
    softirq_lock();
    softirq_idle(until_ns);
    softirq_unlock();
}

static void timer_interrupt(void)
{
    fake.armed_ns = CLOCK_NEVER;
    softirq_raise(SOFTIRQ_TIMER);
}

static void deliver(void)
{
    if (fake.armed_ns <= fake.now_ns)
        fake_interrupt(timer_interrupt);
    if (fake.device_interrupt_ns <= fake.now_ns) {
        fake.device_interrupt_ns = CLOCK_NEVER;
        fake_interrupt(fake.device_interrupt);
    }
}

void cpu_interrupts_enable(void)
{
    fake.interrupts_enabled = true;
    deliver();
}

void cpu_interrupts_disable(void)
{
    fake.interrupts_enabled = false;
}

bool cpu_interrupts_save(void)
{
    bool were_enabled = fake.interrupts_enabled;

    fake.interrupts_enabled = false;
    return were_enabled;
}

void cpu_interrupts_restore(bool enabled)
{
    if (enabled)
        cpu_interrupts_enable();
}

void cpu_idle_enable_interrupts(void)
{
    uint64_t wake_ns = fake.armed_ns < fake.device_interrupt_ns
                           ? fake.armed_ns
                           : fake.device_interrupt_ns;

    cr_assert_neq(wake_ns, CLOCK_NEVER, "asleep for ever");
    cr_assert_not(fake.interrupts_enabled, "sleeping with a window open");
    if (wake_ns > fake.now_ns) {
        fake.idled_ns += wake_ns - fake.now_ns;
        fake.now_ns = wake_ns;
    }
    cpu_interrupts_enable();
}

void fake_work(uint64_t ns)
{
    for (uint64_t done = 0; done < ns; done += 10 * US) {
        fake.now_ns += 10 * US;
        deliver();
    }
}

/* The handlers. */

static void run_timers(uint64_t at_ns)
{
    cr_assert_leq(at_ns, fake.now_ns);
    fake.timer_runs++;
    if (fake.deadline_ns <= fake.now_ns)
        fake.deadline_ns = CLOCK_NEVER;
}

static void receive(uint64_t at_ns)
{
    cr_assert_leq(at_ns, fake.now_ns);
    depth++;
    if (depth > fake.deepest)
        fake.deepest = depth;
    cr_assert(fake.interrupts_enabled);
    cr_assert(softirq_is_running());
    fake.receive_runs++;
    fake.now_ns += fake.receive_cost_ns;
    deliver();
    if (fake.receive_again > 0) {
        fake.receive_again--;
        softirq_raise(SOFTIRQ_NET_RX);
    }
    depth--;
}

void fake_raise_receive(void)
{
    softirq_raise(SOFTIRQ_NET_RX);
}

static uint64_t next_deadline(void)
{
    return fake.deadline_ns;
}

void fake_start(void)
{
    fake.armed_ns = fake.deadline_ns = fake.device_interrupt_ns = CLOCK_NEVER;
    fake.device_interrupt = fake_raise_receive;
    fake.receive_cost_ns = 10 * US;
    softirq_init();
    softirq_register(SOFTIRQ_TIMER, run_timers);
    softirq_register(SOFTIRQ_NET_RX, receive);
    softirq_set_deadline_source(next_deadline);
    fake.interrupts_enabled = true;
}
