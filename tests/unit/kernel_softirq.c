/* SPDX-License-Identifier: MIT */
/*
 * Softirqs on a processor made of functions: time passes only where a test or
 * a handler says so, and interrupts come only where they are enabled.
 * test-links: kernel/softirq.c
 * test-flags: -iquote tests/unit/fake
 */
#include "kernel/softirq.h"
#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/softirq_policy.h"
#include "kernel/stack.h"
#include "kernel/translations.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)

static uint64_t now_ns, armed_ns, deadline_ns, idled_ns;
static bool interrupts_enabled, is_on_softirq_stack;
static int refreshes, timer_runs, receive_runs, receive_again, depth, deepest;
static uint64_t receive_cost_ns, device_interrupt_ns;
static void (*device_interrupt)(void);

/* The processor. */

uint64_t clock_now_ns(void)
{
    return now_ns;
}

void clock_arm(uint64_t at_ns)
{
    if (at_ns < armed_ns)
        armed_ns = at_ns;
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
    cr_assert_eq(round_ns, now_ns);
    refreshes++;
}

void assert_failed(const char *claim, const char *file, int line)
{
    cr_log_error("%s (%s:%d)", claim, file, line);
    abort();
}

static void interrupt(void (*handler)(void))
{
    cr_assert(interrupts_enabled);
    interrupts_enabled = false;
    enum softirq_context before = softirq_enter_hardirq();
    now_ns += US;
    handler();
    softirq_leave_hardirq(before);
    interrupts_enabled = true;
}

/* As an app waits: what it looked for was not there, and then this. */
static void idle(uint64_t until_ns)
{
    softirq_lock();
    softirq_idle(until_ns);
    softirq_unlock();
}

static void timer_interrupt(void)
{
    armed_ns = CLOCK_NEVER;
    softirq_raise(SOFTIRQ_TIMER);
}

static void deliver(void)
{
    if (armed_ns <= now_ns)
        interrupt(timer_interrupt);
    if (device_interrupt_ns <= now_ns) {
        device_interrupt_ns = CLOCK_NEVER;
        interrupt(device_interrupt);
    }
}

void cpu_interrupts_enable(void)
{
    interrupts_enabled = true;
    deliver();
}

void cpu_interrupts_disable(void)
{
    interrupts_enabled = false;
}

bool cpu_interrupts_save(void)
{
    bool were_enabled = interrupts_enabled;

    interrupts_enabled = false;
    return were_enabled;
}

void cpu_interrupts_restore(bool enabled)
{
    if (enabled)
        cpu_interrupts_enable();
}

void cpu_idle_enable_interrupts(void)
{
    uint64_t wake_ns =
        armed_ns < device_interrupt_ns ? armed_ns : device_interrupt_ns;

    cr_assert_neq(wake_ns, CLOCK_NEVER, "asleep for ever");
    cr_assert_not(interrupts_enabled, "sleeping with a window open");
    if (wake_ns > now_ns) {
        idled_ns += wake_ns - now_ns;
        now_ns = wake_ns;
    }
    cpu_interrupts_enable();
}

/* The app works; interrupts come when they are due. */
static void work(uint64_t ns)
{
    for (uint64_t done = 0; done < ns; done += 10 * US) {
        now_ns += 10 * US;
        deliver();
    }
}

/* The handlers. */

static void run_timers(uint64_t at_ns)
{
    cr_assert_leq(at_ns, now_ns);
    timer_runs++;
    if (deadline_ns <= now_ns)
        deadline_ns = CLOCK_NEVER;
}

static void receive(uint64_t at_ns)
{
    cr_assert_leq(at_ns, now_ns);
    depth++;
    if (depth > deepest)
        deepest = depth;
    cr_assert(interrupts_enabled);
    cr_assert(softirq_is_running());
    receive_runs++;
    now_ns += receive_cost_ns;
    deliver();
    if (receive_again > 0) {
        receive_again--;
        softirq_raise(SOFTIRQ_NET_RX);
    }
    depth--;
}

static void raise_receive(void)
{
    softirq_raise(SOFTIRQ_NET_RX);
}

static uint64_t next_deadline(void)
{
    return deadline_ns;
}

static void start(void)
{
    armed_ns = deadline_ns = device_interrupt_ns = CLOCK_NEVER;
    device_interrupt = raise_receive;
    receive_cost_ns = 10 * US;
    softirq_init();
    softirq_register(SOFTIRQ_TIMER, run_timers);
    softirq_register(SOFTIRQ_NET_RX, receive);
    softirq_set_deadline_source(next_deadline);
    interrupts_enabled = true;
}

TestSuite(softirq, .init = start);

Test(softirq, run_on_the_way_out_of_an_interrupt)
{
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 1);
}

Test(softirq, are_kept_out_by_the_lock_and_run_when_it_is_dropped)
{
    softirq_lock();
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 0);
    softirq_unlock();
    cr_assert_eq(receive_runs, 1);
}

Test(softirq, a_nested_lock_keeps_them_out_until_the_last_unlock)
{
    softirq_lock();
    softirq_lock();
    interrupt(raise_receive);
    softirq_unlock();
    cr_assert_eq(receive_runs, 0);
    softirq_unlock();
    cr_assert_eq(receive_runs, 1);
}

Test(softirq, never_nest_when_an_interrupt_comes_while_they_run)
{
    device_interrupt_ns = now_ns + 5 * US;
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 2);
    cr_assert_eq(deepest, 1);
}

static void lock(uint64_t at_ns)
{
    (void)at_ns;
    softirq_lock();
}

static void unlock(uint64_t at_ns)
{
    (void)at_ns;
    softirq_unlock();
}

Test(softirq, locking_inside_a_softirq_runs_nothing)
{
    softirq_register(SOFTIRQ_TIMER, lock);
    softirq_register(SOFTIRQ_NET_TX, unlock);
    softirq_raise(SOFTIRQ_TIMER);
    softirq_raise(SOFTIRQ_NET_TX);
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 1);
}

Test(softirq, a_vector_without_a_handler_is_ignored)
{
    softirq_raise(SOFTIRQ_NET_TX);
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 1);
}

Test(softirq, raised_with_interrupts_off_wait_for_the_first_idle)
{
    interrupts_enabled = false;
    softirq_lock();
    softirq_raise(SOFTIRQ_NET_RX);
    softirq_unlock();
    cr_assert_eq(receive_runs, 0);
    idle(CLOCK_NEVER);
    cr_assert_eq(receive_runs, 1);
    cr_assert(interrupts_enabled);
}

Test(softirq, idle_runs_what_is_pending_instead_of_sleeping)
{
    softirq_raise(SOFTIRQ_NET_RX);
    idle(CLOCK_NEVER);
    cr_assert_eq(receive_runs, 1);
    cr_assert_eq(idled_ns, 0);
}

/* Else it would sleep on a socket that has become ready since it looked. */
Test(softirq, what_came_after_the_app_has_looked_keeps_it_from_sleeping)
{
    softirq_lock();
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 0);
    softirq_idle(now_ns + 40 * MS);
    cr_assert_eq(receive_runs, 1);
    cr_assert_eq(idled_ns, 0);
    softirq_unlock();
}

Test(softirq, idle_sleeps_until_its_deadline)
{
    uint64_t until = now_ns + 3 * MS;

    idle(until);
    cr_assert_geq(now_ns, until);
    cr_assert_eq(idled_ns, 3 * MS);
    cr_assert_eq(softirq_counters()->context_ns[CONTEXT_IDLE], 3 * MS);
}

Test(softirq, idle_past_its_deadline_does_not_sleep)
{
    now_ns = 5 * MS;
    idle(5 * MS);
    idle(0);
    cr_assert_eq(idled_ns, 0);
}

Test(softirq, idle_is_ended_by_a_device_and_its_work_is_done)
{
    device_interrupt_ns = now_ns + MS;
    idle(CLOCK_NEVER);
    cr_assert_eq(receive_runs, 1);
    cr_assert_eq(idled_ns, MS);
}

/* A device whose interrupt is held back: looking is all that finds its frame.
 */
static int looks;
static uint64_t frame_ns;

static bool look(void)
{
    cr_assert_not(interrupts_enabled);
    looks++;
    now_ns += 5 * US;
    if (now_ns < frame_ns)
        return false;
    frame_ns = CLOCK_NEVER;
    softirq_raise(SOFTIRQ_NET_RX);
    return true;
}

static void halt_shortly(void)
{
    frame_ns = CLOCK_NEVER;
    softirq_set_idle_look(look);
    device_interrupt_ns = now_ns + 50 * US;
    idle(CLOCK_NEVER);
    cr_assert_eq(idled_ns, 50 * US);
    cr_assert_eq(looks, 0, "nothing came lately");
}

Test(softirq, idle_looks_before_it_halts_when_the_last_halt_was_short)
{
    halt_shortly();
    frame_ns = now_ns + 40 * US;
    idle(CLOCK_NEVER);
    cr_assert_eq(receive_runs, 2);
    cr_assert_eq(idled_ns, 50 * US, "it did not halt");
    cr_assert_eq(softirq_counters()->spins, 1);
    cr_assert_eq(softirq_counters()->spun, 1);
    cr_assert(interrupts_enabled);
}

Test(softirq, idle_stops_looking_when_nothing_is_found)
{
    halt_shortly();
    for (int i = 0; i < 10; i++) {
        device_interrupt_ns = now_ns + 5 * MS;
        idle(CLOCK_NEVER);
    }
    cr_assert_eq(receive_runs, 11);
    cr_assert_eq(softirq_counters()->spins, 4);
    cr_assert_leq((uint64_t)looks * 5 * US, 4 * 105 * US);
}

Test(softirq, idle_does_not_look_past_a_deadline)
{
    uint64_t until;

    halt_shortly();
    until = now_ns + 20 * US;
    idle(until);
    cr_assert_leq(now_ns, until + 10 * US);
    timer_runs = 0;
    until = deadline_ns = now_ns + 30 * US;
    idle(CLOCK_NEVER);
    cr_assert_eq(timer_runs, 1);
    cr_assert_leq(now_ns, until + 10 * US);
}

Test(softirq, the_stacks_deadline_wakes_an_app_that_waits_for_ever)
{
    deadline_ns = now_ns + 7 * MS;
    idle(CLOCK_NEVER);
    cr_assert_eq(timer_runs, 1);
    cr_assert_eq(idled_ns, 7 * MS);
}

Test(softirq, a_deadline_set_under_the_lock_is_armed_by_the_unlock)
{
    softirq_lock();
    deadline_ns = now_ns + 2 * MS;
    softirq_unlock();
    cr_assert_eq(armed_ns, deadline_ns);
    work(3 * MS);
    cr_assert_eq(timer_runs, 1);
}

Test(softirq, an_expired_deadline_that_waits_for_its_turn_is_not_armed_again)
{
    softirq_lock();
    deadline_ns = now_ns + MS;
    clock_arm(deadline_ns);
    work(2 * MS);
    cr_assert_eq(armed_ns, CLOCK_NEVER);
    softirq_lock();
    softirq_unlock();
    cr_assert_eq(armed_ns, CLOCK_NEVER);
    softirq_unlock();
    cr_assert_eq(timer_runs, 1);
}

Test(softirq, a_round_ends_after_ten_restarts)
{
    receive_cost_ns = US;
    receive_again = 1000;
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, SOFTIRQ_ROUND_TURNS + 1);
    cr_assert_eq(softirq_counters()->squeezed, 1);
}

Test(softirq, a_round_ends_after_two_milliseconds)
{
    receive_cost_ns = 700 * US;
    receive_again = 1000;
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 3);
}

Test(softirq, what_is_left_over_waits_for_the_apps_share)
{
    receive_cost_ns = 700 * US;
    receive_again = 1000;
    interrupt(raise_receive);
    work(MS);
    softirq_lock();
    softirq_unlock();
    interrupt(raise_receive);
    cr_assert_eq(receive_runs, 3, "an unlock or an interrupt broke the share");
    cr_assert_gt(softirq_counters()->deferred, 0);
}

Test(softirq, what_is_left_over_runs_after_the_apps_share_without_help)
{
    receive_cost_ns = 700 * US;
    receive_again = 3;
    interrupt(raise_receive);
    work(4 * MS);
    cr_assert_eq(receive_runs, 4);
}

Test(softirq, an_app_that_idles_gives_its_share_away)
{
    receive_cost_ns = 700 * US;
    receive_again = 1000;
    interrupt(raise_receive);
    idle(CLOCK_NEVER);
    cr_assert_eq(receive_runs, 6);
    cr_assert_eq(idled_ns, 0);
}

Test(softirq,
     an_interrupt_that_ends_an_idle_is_served_at_once_whatever_the_debt)
{
    receive_cost_ns = 3 * MS;
    interrupt(raise_receive);
    device_interrupt_ns = now_ns + 100 * US;
    idle(CLOCK_NEVER);
    cr_assert_eq(receive_runs, 2);
    cr_assert_eq(softirq_counters()->deferred, 0);
}

/* Receive livelock: work without end must leave the app half of the time. */
static void flood_for(uint64_t ns, void (*app)(void))
{
    receive_again = 1 << 30;
    interrupt(raise_receive);
    for (uint64_t end_ns = now_ns + ns; now_ns < end_ns;)
        app();
}

static void busy_app(void)
{
    work(10 * US);
}

static void locking_app(void)
{
    softirq_lock();
    work(10 * US);
    softirq_unlock();
}

Test(softirq, a_flood_leaves_a_busy_app_half_of_the_time)
{
    receive_cost_ns = 50 * US;
    flood_for(1000 * MS, busy_app);
    const struct softirq_counters *counters = softirq_counters();
    cr_assert_gt(counters->context_ns[CONTEXT_APP], 450 * MS);
    cr_assert_gt(counters->context_ns[CONTEXT_SOFTIRQ], 400 * MS);
}

Test(softirq, a_flood_leaves_an_app_that_locks_half_of_the_time)
{
    receive_cost_ns = 50 * US;
    flood_for(1000 * MS, locking_app);
    const struct softirq_counters *counters = softirq_counters();
    cr_assert_gt(counters->context_ns[CONTEXT_APP], 450 * MS);
    cr_assert_gt(counters->context_ns[CONTEXT_SOFTIRQ], 400 * MS);
}

Test(softirq, short_rounds_one_after_another_are_a_flood_too)
{
    /* No round is long, and moderation lets 50 us pass between two. */
    receive_cost_ns = 300 * US;
    for (uint64_t end_ns = now_ns + 100 * MS; now_ns < end_ns;) {
        device_interrupt_ns = now_ns + 50 * US;
        work(50 * US);
    }
    cr_assert_gt(softirq_counters()->context_ns[CONTEXT_APP], 45 * MS);
}

Test(softirq, light_load_is_never_deferred)
{
    receive_cost_ns = 100 * US;
    for (int i = 0; i < 1000; i++) {
        interrupt(raise_receive);
        cr_assert_eq(receive_runs, i + 1);
        work(200 * US);
    }
    cr_assert_eq(softirq_counters()->deferred, 0);
}

Test(softirq, time_is_booked_where_it_is_spent)
{
    receive_cost_ns = 100 * US;
    work(300 * US);
    interrupt(raise_receive);
    idle(now_ns + 500 * US);
    const struct softirq_counters *counters = softirq_counters();
    cr_assert_eq(counters->context_ns[CONTEXT_APP], 300 * US);
    cr_assert_eq(counters->context_ns[CONTEXT_SOFTIRQ], 100 * US);
    cr_assert_eq(counters->context_ns[CONTEXT_IDLE], 500 * US);
    cr_assert_eq(counters->context_ns[CONTEXT_HARDIRQ], 2 * US);
    cr_assert_eq(counters->runs[SOFTIRQ_NET_RX], 1);
    cr_assert_eq(counters->run_ns[SOFTIRQ_NET_RX], 100 * US);
}

Test(softirq, every_round_may_refresh_translations)
{
    interrupt(raise_receive);
    cr_assert_eq(refreshes, 1);
    work(300 * US);
    interrupt(raise_receive);
    cr_assert_eq(refreshes, 2);
}
