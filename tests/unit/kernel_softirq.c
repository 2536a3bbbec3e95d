/* SPDX-License-Identifier: MIT */
/*
 * When softirqs run: on the way out of an interrupt, at an unlock, in an idle.
 */
/* test-links: kernel/softirq.c tests/unit/support_softirq.c */
/* test-flags: -iquote tests/unit/fake */

#include "kernel/clock.h"
#include "kernel/cpu.h"
#include "kernel/softirq.h"
#include "tests/unit/support_softirq.h"

#include <criterion/criterion.h>

TestSuite(softirq, .init = fake_start);

Test(softirq, run_on_the_way_out_of_an_interrupt)
{
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 1);
}

Test(softirq, are_kept_out_by_the_lock_and_run_when_it_is_dropped)
{
    softirq_lock();
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 0);
    softirq_unlock();
    cr_assert_eq(fake.receive_runs, 1);
}

Test(softirq, a_nested_lock_keeps_them_out_until_the_last_unlock)
{
    softirq_lock();
    softirq_lock();
    fake_interrupt(fake_raise_receive);
    softirq_unlock();
    cr_assert_eq(fake.receive_runs, 0);
    softirq_unlock();
    cr_assert_eq(fake.receive_runs, 1);
}

Test(softirq, never_nest_when_an_interrupt_comes_while_they_run)
{
    fake.device_interrupt_ns = fake.now_ns + 5 * US;
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 2);
    cr_assert_eq(fake.deepest, 1);
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
    softirq_register(SOFTIRQ_NET_TX, lock);
    softirq_register(SOFTIRQ_TIMER, unlock);
    softirq_raise(SOFTIRQ_NET_TX);
    softirq_raise(SOFTIRQ_TIMER);
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 1);
}

static int received_before_timers;

static void note_received(uint64_t at_ns)
{
    (void)at_ns;
    received_before_timers = fake.receive_runs;
}

/* Else an acknowledgement that is in the ring comes too late for the timer of
 * what it acknowledges. */
Test(softirq, what_has_come_is_received_before_timers_expire)
{
    softirq_register(SOFTIRQ_TIMER, note_received);
    softirq_raise(SOFTIRQ_TIMER);
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(received_before_timers, 1);
}

Test(softirq, a_vector_without_a_handler_is_ignored)
{
    softirq_raise(SOFTIRQ_NET_TX);
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 1);
}

Test(softirq, raised_with_interrupts_off_wait_for_the_first_idle)
{
    fake.interrupts_enabled = false;
    softirq_lock();
    softirq_raise(SOFTIRQ_NET_RX);
    softirq_unlock();
    cr_assert_eq(fake.receive_runs, 0);
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.receive_runs, 1);
    cr_assert(fake.interrupts_enabled);
}

Test(softirq, idle_runs_what_is_pending_instead_of_sleeping)
{
    softirq_raise(SOFTIRQ_NET_RX);
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.receive_runs, 1);
    cr_assert_eq(fake.idled_ns, 0);
}

/* Else it would sleep on a socket that has become ready since it looked. */
Test(softirq, what_came_after_the_app_has_looked_keeps_it_from_sleeping)
{
    softirq_lock();
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.receive_runs, 0);
    softirq_idle(fake.now_ns + 40 * MS);
    cr_assert_eq(fake.receive_runs, 1);
    cr_assert_eq(fake.idled_ns, 0);
    softirq_unlock();
}

Test(softirq, idle_sleeps_until_its_deadline)
{
    uint64_t until = fake.now_ns + 3 * MS;

    fake_idle(until);
    cr_assert_geq(fake.now_ns, until);
    cr_assert_eq(fake.idled_ns, 3 * MS);
    cr_assert_eq(softirq_counters()->context_ns[CONTEXT_IDLE], 3 * MS);
}

Test(softirq, idle_past_its_deadline_does_not_sleep)
{
    fake.now_ns = 5 * MS;
    fake_idle(5 * MS);
    fake_idle(0);
    cr_assert_eq(fake.idled_ns, 0);
}

Test(softirq, idle_is_ended_by_a_device_and_its_work_is_done)
{
    fake.device_interrupt_ns = fake.now_ns + MS;
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.receive_runs, 1);
    cr_assert_eq(fake.idled_ns, MS);
}

/* A device whose interrupt is held back: looking is all that finds its frame.
 */
static int looks;
static uint64_t frame_ns;

static bool look(void)
{
    cr_assert_not(fake.interrupts_enabled);
    looks++;
    fake.now_ns += 5 * US;
    if (fake.now_ns < frame_ns)
        return false;
    frame_ns = CLOCK_NEVER;
    softirq_raise(SOFTIRQ_NET_RX);
    return true;
}

static void halt_shortly(void)
{
    frame_ns = CLOCK_NEVER;
    softirq_set_idle_look(look);
    fake.device_interrupt_ns = fake.now_ns + 50 * US;
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.idled_ns, 50 * US);
    cr_assert_eq(looks, 0, "nothing came lately");
}

Test(softirq, idle_looks_before_it_halts_when_the_last_halt_was_short)
{
    halt_shortly();
    frame_ns = fake.now_ns + 40 * US;
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.receive_runs, 2);
    cr_assert_eq(fake.idled_ns, 50 * US, "it did not halt");
    cr_assert_eq(softirq_counters()->spins, 1);
    cr_assert_eq(softirq_counters()->spun, 1);
    cr_assert(fake.interrupts_enabled);
}

Test(softirq, idle_stops_looking_when_nothing_is_found)
{
    halt_shortly();
    for (int i = 0; i < 10; i++) {
        fake.device_interrupt_ns = fake.now_ns + 5 * MS;
        fake_idle(CLOCK_NEVER);
    }
    cr_assert_eq(fake.receive_runs, 11);
    cr_assert_eq(softirq_counters()->spins, 4);
    cr_assert_leq((uint64_t)looks * 5 * US, 4 * 105 * US);
}

Test(softirq, idle_does_not_look_past_a_deadline)
{
    uint64_t until;

    halt_shortly();
    until = fake.now_ns + 20 * US;
    fake_idle(until);
    cr_assert_leq(fake.now_ns, until + 10 * US);
    fake.timer_runs = 0;
    until = fake.deadline_ns = fake.now_ns + 30 * US;
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.timer_runs, 1);
    cr_assert_leq(fake.now_ns, until + 10 * US);
}

Test(softirq, the_stacks_deadline_wakes_an_app_that_waits_for_ever)
{
    fake.deadline_ns = fake.now_ns + 7 * MS;
    fake_idle(CLOCK_NEVER);
    cr_assert_eq(fake.timer_runs, 1);
    cr_assert_eq(fake.idled_ns, 7 * MS);
}

Test(softirq, a_deadline_set_under_the_lock_is_armed_by_the_unlock)
{
    softirq_lock();
    fake.deadline_ns = fake.now_ns + 2 * MS;
    softirq_unlock();
    cr_assert_eq(fake.armed_ns, fake.deadline_ns);
    fake_work(3 * MS);
    cr_assert_eq(fake.timer_runs, 1);
}

Test(softirq, an_expired_deadline_that_waits_for_its_turn_is_not_armed_again)
{
    softirq_lock();
    fake.deadline_ns = fake.now_ns + MS;
    clock_arm(fake.deadline_ns);
    fake_work(2 * MS);
    cr_assert_eq(fake.armed_ns, CLOCK_NEVER);
    softirq_lock();
    softirq_unlock();
    cr_assert_eq(fake.armed_ns, CLOCK_NEVER);
    softirq_unlock();
    cr_assert_eq(fake.timer_runs, 1);
}

Test(softirq, time_is_booked_where_it_is_spent)
{
    fake.receive_cost_ns = 100 * US;
    fake_work(300 * US);
    fake_interrupt(fake_raise_receive);
    fake_idle(fake.now_ns + 500 * US);
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
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.refreshes, 1);
    fake_work(300 * US);
    fake_interrupt(fake_raise_receive);
    cr_assert_eq(fake.refreshes, 2);
}
